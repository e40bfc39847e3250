/** The search over the graph: a field that opens with `/`, how many nodes fit, and the way from one to the next. */

import { focused, h, plainButton, say, set } from "../dom";
import { effects } from "../effects";
import type { Local } from "../local";
import { nextMatch } from "../query";
import { sign } from "./sign";

const HINT = "Words of a name, #label, status:failed, group:name. Enter: next, Shift+Enter: previous, Esc: reset";

export interface Search {
  /** The field, over the graph while it is open. */
  readonly element: HTMLElement;
  readonly button: HTMLElement;
  open(): void;
}

/** `leave` takes the focus when the search is over. */
export function search(local: Local, leave: () => void, signal: AbortSignal): Search {
  const field = h("input", {
    type: "search",
    class: "gr-search-input",
    "aria-label": "Search nodes",
    placeholder: "name  #label  status:failed",
    title: HINT,
    autocomplete: "off",
    spellcheck: "false",
    on: {
      input: () => (local.query.value = field.value),
      keydown: (event) => key(event),
      blur: () => close(),
    },
  });
  const found = h("span", { class: "gr-found", "aria-live": "polite" });
  const tool = (label: string, draw: SVGElement, act: () => void): HTMLButtonElement =>
    plainButton({ class: "gr-tool", "aria-label": label, title: label, on: { click: act } }, draw);
  const previous = tool("Previous match", sign("up"), () => step(-1));
  const next = tool("Next match", sign("down"), () => step(1));
  const reset = tool("Reset search", sign("close"), () => end());
  const button = plainButton(
    {
      class: "gr-button gr-icon-button",
      "aria-label": "Search nodes",
      title: "Search nodes (/)",
      on: { click: () => open() },
    },
    sign("search"),
  );
  const element = h(
    "div",
    { class: "gr-search", role: "search", hidden: true },
    ...[sign("search"), field, found, previous, next, reset],
  );

  function open(): void {
    element.hidden = false;
    field.focus({ preventScroll: true });
    field.select();
  }

  function close(): void {
    if (local.query.peek() === "") element.hidden = true;
  }

  function end(): void {
    local.query.value = "";
    close();
    leave();
  }

  function step(by: 1 | -1): void {
    const { index, ids } = local.topology.peek();
    const selected = local.selected.peek();
    const at = nextMatch(local.matches.peek() ?? [], selected === null ? null : (index.get(selected) ?? null), by);
    const id = at === null ? undefined : ids[at];
    if (id !== undefined) local.find(id);
  }

  function key(event: KeyboardEvent): void {
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") end();
    else {
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  effects(signal, () => {
    const query = local.query.value;
    if (field.value !== query) field.value = query;
    if (query !== "") element.hidden = false;
    else if (focused(field) !== field) close();
    const matches = local.matches.value;
    const selected = local.selected.value;
    const at = selected === null ? -1 : (matches?.indexOf(local.topology.peek().index.get(selected) ?? -1) ?? -1);
    say(found, matches === null ? "" : inWords(matches.length, at));
    set(element, "data-none", matches?.length === 0);
    for (const each of [previous, next]) each.disabled = (matches?.length ?? 0) === 0;
  });
  return { element, button, open };
}

function inWords(n: number, at: number): string {
  if (n === 0) return "no match";
  return at >= 0 ? `${at + 1} of ${n}` : n === 1 ? "1 match" : `${n} matches`;
}
