/** Other runs that the same cell has begun and that are alive, as the kernel tells them. */

import { type ReadonlySignal, signal } from "@preact/signals-core";

interface Model {
  get(name: "others"): unknown;
  on(name: string, callback: () => void): void;
  off(name: string, callback: () => void): void;
}

export function othersOf(model: Model, over: AbortSignal): ReadonlySignal<readonly string[]> {
  const others = signal(read(model));
  const change = (): void => {
    others.value = read(model);
  };
  model.on("change:others", change);
  over.addEventListener("abort", () => model.off("change:others", change));
  return others;
}

/** Saved state may hold anything. */
function read(model: Model): readonly string[] {
  const ids = model.get("others");
  return Array.isArray(ids) ? ids.filter((each) => typeof each === "string") : [];
}
