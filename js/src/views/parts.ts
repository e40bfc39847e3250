/** Ways from a container to its parts: into it, and to those that failed. */

import { h, plainButton } from "../dom";
import type { Local } from "../local";
import { partsOf } from "../select";
import type { Store } from "../store";
import { nodeLinks } from "./action";
import { failureLine } from "./trouble";

/** What a double click on the card does; null where there is nothing inside, or one is there. */
export function lookInside(store: Store, local: Local, id: string, leave: () => void): HTMLElement | null {
  if (local.inside.peek() === id || partsOf(store.state, id).length === 0) return null;
  const enter = (): void => {
    leave();
    local.enter(id);
  };
  return h("div", {}, plainButton({ on: { click: enter } }, "Look inside"));
}

/** The first failed part with its own error, and links to the others. */
export function failedPartsPanel(store: Store, local: Local, [first = "", ...others]: readonly string[]): HTMLElement {
  const error = store.state.nodes.get(first)?.error ?? null;
  return h(
    "div",
    { class: "gr-parts" },
    h("p", {}, ...(error === null ? nodeLinks(local, [first]) : failureLine(local, first, error))),
    others.length === 0 ? null : h("p", {}, "Also ", ...nodeLinks(local, others)),
  );
}
