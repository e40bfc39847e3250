/** The rows of a timeline as a list of real elements: names, what screen readers read, and what has the focus. */

import { h, say, set } from "../dom";
import { type Row, rowText } from "../timeline";

export const ROW_PX = 22;
const SPARE_ROWS = 4;
const INDENT_PX = 10;
const MAX_INDENTS = 4;
let lists = 0;

export interface LaneScene {
  readonly rows: readonly Row[];
  readonly selected: string | null;
  readonly critical: ReadonlySet<string> | null;
  /** The width of the names, px. */
  readonly left: number;
  /** The event that is shown, infinite for now, and its instant. */
  readonly seq: number;
  readonly now: number;
}

export class Lanes {
  readonly element: HTMLElement;
  readonly #inner = h("div", { class: "gr-lanes-inner", role: "presentation" });
  readonly #prefix = `gr-lanes-${lists++}-`;

  constructor() {
    this.element = h("div", { class: "gr-lanes", role: "listbox", "aria-label": "Timeline", tabindex: 0 }, this.#inner);
  }

  /** The first row in view, and how far it is scrolled out, px. */
  get scrolled(): { readonly first: number; readonly offset: number } {
    const { scrollTop } = this.element;
    const first = Math.floor(scrollTop / ROW_PX);
    return { first, offset: scrollTop - first * ROW_PX };
  }

  /** How many rows a page is. */
  get page(): number {
    return Math.max(1, Math.floor(this.element.clientHeight / ROW_PX) - 1);
  }

  resize(n: number): void {
    this.#inner.style.height = `${n * ROW_PX}px`;
  }

  bring(i: number): void {
    const { scrollTop, clientHeight } = this.element;
    if (i * ROW_PX < scrollTop) this.element.scrollTop = i * ROW_PX;
    else if ((i + 1) * ROW_PX > scrollTop + clientHeight) this.element.scrollTop = (i + 1) * ROW_PX - clientHeight;
  }

  /** Only the rows in view are elements, and the selected one, which the list's focus is at. */
  update(scene: LaneScene): void {
    const { rows } = scene;
    const selected = rows.findIndex((row) => row.id === scene.selected);
    const { first } = this.scrolled;
    const last = Math.min(first + this.page + 2 + SPARE_ROWS, rows.length);
    const wanted = new Set<number>(selected < 0 ? [] : [selected]);
    for (let i = Math.max(first - SPARE_ROWS, 0); i < last; i++) wanted.add(i);
    const kept = new Map<number, HTMLElement>();
    for (const each of [...this.#inner.children]) {
      const i = Number(each.id.slice(this.#prefix.length));
      if (wanted.has(i)) kept.set(i, each as HTMLElement);
      else each.remove();
    }
    for (const i of wanted) {
      const row = rows[i];
      if (row === undefined) continue;
      const item = kept.get(i) ?? this.#add(i);
      const name = item.firstElementChild as HTMLElement;
      say(name, row.name);
      name.style.paddingLeft = `${INDENT_PX * (1 + Math.min(row.depth, MAX_INDENTS))}px`;
      name.style.width = `${scene.left}px`;
      set(item, "aria-label", rowText(row, scene.seq, scene.now));
      set(item, "aria-selected", i === selected ? "true" : "false");
      set(item, "aria-setsize", rows.length);
      set(item, "aria-posinset", i + 1);
      item.classList.toggle("gr-critical", scene.critical?.has(row.id) ?? false);
    }
    set(this.element, "aria-activedescendant", selected < 0 ? null : `${this.#prefix}${selected}`);
  }

  /** In order, as they are read. */
  #add(i: number): HTMLElement {
    const item = h(
      "div",
      { class: "gr-lane", role: "option", id: `${this.#prefix}${i}` },
      h("span", { class: "gr-lane-name" }),
    );
    item.style.top = `${i * ROW_PX}px`;
    const next = [...this.#inner.children].find((each) => Number(each.id.slice(this.#prefix.length)) > i);
    this.#inner.insertBefore(item, next ?? null);
    return item;
  }
}
