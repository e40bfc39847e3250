/** Effects of signals that last as long as the view they belong to. */

import { effect } from "@preact/signals-core";

/** Runs each at once and whenever what it has read changes, until `over` is aborted. */
export function effects(over: AbortSignal, ...runs: readonly (() => void)[]): void {
  for (const run of runs) over.addEventListener("abort", effect(run));
}
