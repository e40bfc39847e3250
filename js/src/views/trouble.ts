/** The first failure in a line, where nothing needs to be selected: which node, why, and on which of the user's lines. */

import { fill, h, icon } from "../dom";
import { effects } from "../effects";
import type { Local } from "../local";
import { errorLine, failures } from "../select";
import type { Store } from "../store";
import { nodeLink } from "./action";
import { failingFrame, placeOf } from "./panels";

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
    const frame = failingFrame(error);
    const [line, place] = [errorLine(error), frame === undefined ? "" : placeOf(frame)];
    const next = JSON.stringify([first, line, place, second, others.length]);
    if (next === drawn) return;
    drawn = next;
    fill(text, nodeLink(local, first), " ", h("span", { class: "gr-trouble-at" }, place), ` ${line}`);
    text.title = line;
    fill(
      element,
      icon("FAILED"),
      text,
      second === undefined ? null : nodeLink(local, second, `and ${others.length + 1} more`),
    );
  });
  return element;
}
