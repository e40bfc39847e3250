/** The first failure in a line, where nothing needs to be selected: which node, why, and on which of the user's lines. */

import { type Child, fill, h, icon } from "../dom";
import { effects } from "../effects";
import type { Local } from "../local";
import type { ErrorInfo } from "../protocol";
import { errorLine, failures } from "../select";
import type { Store } from "../store";
import { nodeLink } from "./action";
import { failingFrame, placeOf } from "./panels";

/** A failed node in a line: a link to it, where it failed and why. */
export function failureLine(local: Local, id: string, error: ErrorInfo): Child[] {
  const frame = failingFrame(error);
  const place = frame === undefined ? [] : [h("span", { class: "gr-trouble-at" }, placeOf(frame)), " "];
  return [nodeLink(local, id), " ", ...place, errorLine(error)];
}

/** Hidden while a failed node is selected: its detail says more. */
export function trouble(store: Store, local: Local, signal: AbortSignal): HTMLElement {
  const text = h("span", { class: "gr-trouble-text" });
  const element = h("section", { class: "gr-trouble", "aria-label": "First failure", hidden: true });
  let drawn = "";

  effects(signal, () => {
    store.version.value;
    const { nodes } = store.state;
    const [first, second, ...others] = failures(store.state);
    const selected = nodes.get(local.selected.value ?? "");
    const error = nodes.get(first ?? "")?.error ?? null;
    element.hidden = first === undefined || error === null || selected?.status === "FAILED";
    if (first === undefined || error === null) return;
    const next = JSON.stringify([first, error, second, others.length]);
    if (next === drawn) return;
    drawn = next;
    fill(text, ...failureLine(local, first, error));
    text.title = errorLine(error);
    fill(
      element,
      icon("FAILED"),
      text,
      second === undefined ? null : nodeLink(local, second, `and ${others.length + 1} more`),
    );
  });
  return element;
}
