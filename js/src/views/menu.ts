/** A button with a menu, as the ARIA practices have it: arrows, Home, End, first letters, Escape, Tab. */

import { fill, focused, h, plainButton, set } from "../dom";

export interface Item {
  readonly label: string;
  /** What it is, in a few words. */
  readonly hint?: string;
  act(): void;
}

export interface Menu {
  /** The button and, while it is open, its menu. */
  readonly element: HTMLElement;
  readonly button: HTMLButtonElement;
  close(): void;
}

let menus = 0;

/** Makes a button called `label`; its items are asked for whenever it is opened. */
export function menu(
  label: string,
  items: () => readonly Item[],
  signal: AbortSignal,
  content: Node | string = label,
): Menu {
  const id = `gr-menu-${menus++}`;
  const list = h("div", { class: "gr-menu", role: "menu", id, "aria-label": label, hidden: true });
  const button = plainButton(
    {
      class: "gr-button gr-menu-button",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-controls": id,
      "aria-label": label,
      title: label,
      on: { click: () => (list.hidden ? open(0) : close()), keydown: (event) => keyOnButton(event) },
    },
    content,
  );
  const element = h("div", { class: "gr-menu-anchor", on: { focusout: (event) => left(event) } }, button, list);

  const entries = (): HTMLElement[] => [...list.children].filter((each) => each instanceof HTMLElement);
  const focus = (n: number): void => {
    const all = entries();
    all[(n + all.length) % all.length]?.focus();
  };

  function open(first: number): void {
    fill(list, ...items().map(entry));
    list.hidden = false;
    set(button, "aria-expanded", "true");
    place();
    focus(first);
  }

  function close(): void {
    if (list.hidden) return;
    const held = list.contains(focused(list));
    list.hidden = true;
    set(button, "aria-expanded", "false");
    if (held) button.focus();
  }

  function entry({ label: text, hint, act }: Item): HTMLElement {
    const choose = (): void => {
      close();
      act();
    };
    return plainButton(
      {
        class: "gr-menu-item",
        role: "menuitem",
        tabindex: -1,
        "aria-label": text,
        on: { click: choose, keydown: (event) => keyOnItem(event) },
      },
      h("span", {}, text),
      hint === undefined ? null : h("span", { class: "gr-menu-hint" }, hint),
    );
  }

  /** Inside the widget, which clips what stands out: below the button, and to the left of it where there is no room. */
  function place(): void {
    const root = element.closest(".gr")?.getBoundingClientRect();
    const at = button.getBoundingClientRect();
    if (root === undefined) return;
    list.dataset["side"] = at.left + list.offsetWidth > root.right - 4 ? "right" : "left";
    list.style.maxHeight = `${Math.max(root.bottom - at.bottom - 12, 80)}px`;
  }

  function keyOnButton(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") open(0);
    else if (event.key === "ArrowUp") open(-1);
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    taken(event);
  }

  function keyOnItem(event: KeyboardEvent): void {
    const all = entries();
    const at = all.indexOf(focused(list) as HTMLElement);
    if (event.key === "ArrowDown") focus(at + 1);
    else if (event.key === "ArrowUp") focus(at - 1);
    else if (event.key === "Home") focus(0);
    else if (event.key === "End") focus(-1);
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") {
      close();
      return;
    } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
      const letter = event.key.toLowerCase();
      const next = [...all.slice(at + 1), ...all.slice(0, at + 1)].find((each) =>
        (each.getAttribute("aria-label") ?? "").toLowerCase().startsWith(letter),
      );
      next?.focus();
    } else return;
    taken(event);
  }

  function left(event: FocusEvent): void {
    if (event.relatedTarget instanceof Node && element.contains(event.relatedTarget)) return;
    close();
  }

  document.addEventListener(
    "pointerdown",
    (event) => {
      if (event.target instanceof Node && !element.contains(event.target)) close();
    },
    { signal },
  );
  return { element, button, close };
}

function taken(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}
