/**
 * The graph as a tree of real elements: what screen readers read, what has the keyboard's focus, and what a click hits.
 * Each item lies over its node on the canvas. Above `MAX_ITEMS` only those in view are there, with their positions told.
 */

import { h, say, set } from "../dom";
import { cardSize, type Placement } from "../placement";
import type { NodeState } from "../state";
import { NODE_STATUS } from "../status";
import type { Viewport } from "../viewport";

export const MAX_ITEMS = 200;
/** The plane scrolls both ways from here, so that "scroll into view" works for items on all sides. */
const ORIGIN_PX = 50_000;

export interface MirrorScene {
  readonly nodes: readonly NodeState[];
  readonly placement: Placement;
  readonly selected: number | null;
  /** Nodes that are not drawn and lie under another one's card. */
  readonly element: ReadonlyMap<number, unknown>;
  /** Indices of the nodes on screen. */
  readonly shown: readonly number[];
}

export interface Mirror {
  readonly element: HTMLElement;
  readonly tree: HTMLElement;
  /** Follows the camera; cheap enough for every frame. */
  move(viewport: Viewport): void;
  /** Brings the items up to date. */
  update(scene: MirrorScene): void;
  /** The node that an element stands for, or null. */
  nodeOf(target: EventTarget | null): number | null;
}

let mirrors = 0;

/** `scrolled` is told when something else (a screen reader, `scrollIntoView`) moved an item into view. */
export function mirror(scrolled: (dx: number, dy: number) => void): Mirror {
  const prefix = `gr-${mirrors++}-`;
  const layer = h("div", { class: "gr-layer", role: "presentation" });
  const tree = h("div", { class: "gr-tree", role: "tree", "aria-label": "Nodes", tabindex: 0 }, layer);
  const element = h("div", { class: "gr-plane" }, tree);
  const items = new Map<number, HTMLElement>();
  element.addEventListener("scroll", () => {
    const [dx, dy] = [element.scrollLeft - ORIGIN_PX, element.scrollTop - ORIGIN_PX];
    if (dx === 0 && dy === 0) return;
    element.scrollTo(ORIGIN_PX, ORIGIN_PX);
    scrolled(-dx, -dy);
  });

  function item(i: number): HTMLElement {
    let made = items.get(i);
    if (made === undefined) {
      made = h("div", { class: "gr-item", role: "treeitem", id: prefix + i });
      items.set(i, made);
      const next = [...items.keys()].filter((other) => other > i).sort((a, b) => a - b)[0];
      layer.insertBefore(made, next === undefined ? null : (items.get(next) ?? null));
    }
    return made;
  }

  function move(viewport: Viewport): void {
    layer.style.transform = `translate(${viewport.x}px, ${viewport.y}px) scale(${viewport.k})`;
    const { width, height } = cardSize(viewport.k);
    for (const [name, value] of Object.entries({ k: viewport.k, width: `${width}px`, height: `${height}px` })) {
      layer.style.setProperty(`--gr-${name}`, String(value));
    }
    if (element.scrollLeft !== ORIGIN_PX || element.scrollTop !== ORIGIN_PX) element.scrollTo(ORIGIN_PX, ORIGIN_PX);
  }

  function update({ nodes, placement, selected, element, shown }: MirrorScene): void {
    const wanted = new Set(nodes.length <= MAX_ITEMS ? nodes.keys() : nearest(shown, placement));
    if (selected !== null) wanted.add(selected);
    for (const [i, made] of items) {
      if (wanted.has(i)) continue;
      made.remove();
      items.delete(i);
    }
    for (const i of wanted) {
      const node = nodes[i];
      if (node === undefined) continue;
      const made = item(i);
      set(made, "aria-label", `${node.info.node_id}: ${NODE_STATUS[node.status].word}`);
      set(made, "aria-level", element.has(i) ? 2 : 1);
      set(made, "aria-selected", i === selected ? "true" : "false");
      set(made, "aria-setsize", nodes.length);
      set(made, "aria-posinset", i + 1);
      set(made, "data-status", NODE_STATUS[node.status].word);
      made.style.left = `${placement.x[i] ?? 0}px`;
      made.style.top = `${placement.y[i] ?? 0}px`;
    }
    set(tree, "aria-activedescendant", selected === null ? null : prefix + selected);
  }

  return {
    element,
    tree,
    move,
    update,
    nodeOf(target) {
      const found = target instanceof Element ? target.closest(".gr-item") : null;
      return found === null ? null : Number(found.id.slice(prefix.length));
    },
  };
}

function nearest(shown: readonly number[], placement: Placement): readonly number[] {
  if (shown.length <= MAX_ITEMS) return shown;
  const middle = (values: Float64Array): number => shown.reduce((sum, i) => sum + (values[i] ?? 0), 0) / shown.length;
  const [x, y] = [middle(placement.x), middle(placement.y)];
  const far = (i: number): number => Math.hypot((placement.x[i] ?? 0) - x, (placement.y[i] ?? 0) - y);
  return [...shown].sort((a, b) => far(a) - far(b)).slice(0, MAX_ITEMS);
}

/** A short text over a node that is drawn too small to say it. */
export class Tip {
  readonly element = h("div", { class: "gr-tip", "aria-hidden": "true", hidden: true });

  show(text: string, x: number, y: number): void {
    say(this.element, text);
    this.element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px) translate(-50%, -100%)`;
    this.element.hidden = false;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
