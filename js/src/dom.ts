/** Makes elements. Text becomes text nodes and nothing else, whatever it contains. */

import { ICONS } from "./icons";
import type { NodeStatus } from "./status";

export type Child = Node | string | null;
type Value = string | number | boolean | null;
type Listeners = { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };

export interface Attributes {
  readonly on?: Listeners;
  readonly [name: string]: Value | Listeners | undefined;
}

const FOCUSABLE = new Set(["a", "button", "input", "select", "textarea"]);

/** `true` gives an empty attribute; `false` and `null` none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "object" || value === undefined) continue;
    set(element, name, value);
  }
  for (const [type, listener] of Object.entries(attributes.on ?? {})) {
    element.addEventListener(type, listener as EventListener);
  }
  // What scrolls sideways has to be reached by the keyboard.
  if (tag === "pre") set(element, "tabindex", attributes["tabindex"]?.toString() ?? 0);
  // JupyterLab takes Enter, Escape and the arrows for itself unless the focused element itself says so.
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) element.setAttribute("data-lm-suppress-shortcuts", "true");
  fill(element, ...children);
  return element;
}

/** A button that submits nothing, of the usual look unless it has a class of its own. */
export function plainButton(attributes: Attributes, ...children: Child[]): HTMLButtonElement {
  return h("button", { type: "button", class: "gr-button", ...attributes }, ...children);
}

export function set(element: Element, name: string, value: Value): void {
  if (value === null || value === false) element.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child) => child !== null));
}

/** What has the focus around `near`, which may stand in a shadow: marimo puts widgets into one. */
export function focused(near: Node): Element | null {
  const root = near.getRootNode();
  return root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
}

/** Sets the text if it differs, so that nothing is announced or laid out again without need. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Readonly<Record<string, string>>, ...children: Node[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The status's sign, in its colour; the word stands beside it, so it is hidden from screen readers. */
export function icon(status: NodeStatus): SVGElement {
  const { body, mark, solid } = ICONS[status];
  return svg(
    "svg",
    { viewBox: "0 0 16 16", class: `gr-icon gr-is-${status.toLowerCase()}`, "aria-hidden": "true" },
    ...(body === "" ? [] : [svg("path", { d: body, class: solid ? "gr-disc" : "gr-ring" })]),
    svg("path", { d: mark, class: solid ? "gr-mark" : "gr-line" }),
  );
}
