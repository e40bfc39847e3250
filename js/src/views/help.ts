/** The keys of the graph, on a card that `?` opens and closes. */

import { h, set } from "../dom";
import { sign } from "./sign";

const KEYS: readonly (readonly [string, string])[] = [
  ["← → ↑ ↓", "along edges and ranks"],
  ["Home  End", "first and last node"],
  ["Enter", "details, or look inside"],
  ["Backspace", "back out"],
  [".", "next failed or waiting node"],
  ["/", "search"],
  ["+  −  0", "closer, further, all of it"],
  ["Esc", "let go of the node"],
  ["Ctrl + wheel", "zoom; drag to move"],
];

export interface Help {
  readonly element: HTMLElement;
  toggle(): void;
}

/** `leave` takes the focus when the card is closed with Escape. */
export function help(leave: () => void, signal: AbortSignal): Help {
  const button = h(
    "button",
    { type: "button", class: "gr-tool", "aria-label": "Keys", title: "Keys (?)", "aria-expanded": "false" },
    sign("help"),
  );
  const card = h(
    "div",
    { class: "gr-keys", role: "note", "aria-label": "Keys of the graph", hidden: true },
    h("dl", {}, ...KEYS.flatMap(([key, does]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)])),
  );
  const show = (isOpen: boolean): void => {
    card.hidden = !isOpen;
    set(button, "aria-expanded", isOpen ? "true" : "false");
  };
  const toggle = (): void => {
    show(card.hidden === true);
    if (!card.hidden) button.focus({ preventScroll: true });
  };
  const element = h("div", { class: "gr-help" }, button, card);
  const key = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || card.hidden) return;
    show(false);
    leave();
    event.stopPropagation();
  };
  button.addEventListener("click", toggle, { signal });
  button.addEventListener("blur", () => show(false), { signal });
  element.addEventListener("keydown", key, { signal });
  return { element, toggle };
}
