/** The keys of the graph, on a card that `?` opens and closes. */

import { h, plainButton, set } from "../dom";
import { sign } from "./sign";

const KEYS: readonly (readonly [string, string])[] = [
  ["← → ↑ ↓", "along edges and ranks"],
  ["Home  End", "first and last node"],
  ["Enter", "details, or look inside"],
  ["Backspace", "back out"],
  ["g", "close or open the group"],
  [".", "next failed or waiting node"],
  ["a", "answer what is asked"],
  ["/", "search"],
  ["+  −  0", "closer, further, all of it"],
  ["Esc", "let go of the node"],
  ["Ctrl + wheel", "zoom; drag to move"],
];

export interface Help {
  readonly element: HTMLElement;
  readonly button: HTMLElement;
  toggle(): void;
}

/** `leave` takes the focus when the card is closed with Escape. */
export function help(leave: () => void, signal: AbortSignal): Help {
  const button = plainButton(
    { class: "gr-button gr-icon-button", "aria-label": "Keys", title: "Keys (?)" },
    sign("help"),
  );
  const element = h(
    "div",
    { class: "gr-keys", role: "note", "aria-label": "Keys of the graph", tabindex: -1, hidden: true },
    h("dl", {}, ...KEYS.flatMap(([key, does]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)])),
  );
  const show = (isOpen: boolean): void => {
    element.hidden = !isOpen;
    set(button, "aria-expanded", isOpen ? "true" : "false");
  };
  const toggle = (): void => {
    show(element.hidden === true);
    if (!element.hidden) element.focus({ preventScroll: true });
  };
  const left = (event: FocusEvent): void => {
    if (event.relatedTarget !== button) show(false); // the button's own click closes the card
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    show(false);
    leave();
    event.stopPropagation();
  };
  show(false);
  button.addEventListener("click", toggle, { signal });
  element.addEventListener("blur", left, { signal });
  element.addEventListener("keydown", key, { signal });
  return { element, button, toggle };
}
