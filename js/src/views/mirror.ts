/**
 * The run as a tree of real elements: what screen readers read, what has the keyboard's focus, and what a click hits.
 * Each item lies over its node on the canvas; parts of containers follow them, one level down, over the container's card.
 * Above `MAX_ITEMS` only those in view are there, with their positions told.
 */

import { h, say, set } from "../dom";
import { type Frame, TOP_PX } from "../frames";
import { treeName } from "../groups";
import { cardSize, type Placement } from "../placement";
import type { NodeState } from "../state";
import { NODE_STATUS } from "../status";
import { around, isHidden, outline, type Topology } from "../topology";
import type { Viewport } from "../viewport";

export const MAX_ITEMS = 200;
/** The plane scrolls both ways from here, so that "scroll into view" works for items on all sides. */
const ORIGIN_PX = 50_000;

export interface MirrorScene {
  readonly nodes: readonly NodeState[];
  readonly placement: Placement;
  readonly selected: number | null;
  readonly topology: Topology;
  /** Indices of the nodes on screen. */
  readonly shown: readonly number[];
  /** Of open groups: their titles are hit, too. */
  readonly frames: readonly Frame[];
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
  let order: { readonly of: Topology | null; readonly position: ReadonlyMap<number, number> } = {
    of: null,
    position: new Map(),
  };
  element.addEventListener("scroll", () => {
    const [dx, dy] = [element.scrollLeft - ORIGIN_PX, element.scrollTop - ORIGIN_PX];
    if (dx === 0 && dy === 0) return;
    element.scrollTo(ORIGIN_PX, ORIGIN_PX);
    scrolled(-dx, -dy);
  });

  /** Where an item belongs: an item of a tree is a part of the last one before it that is one level up. */
  function item(i: number, at: (i: number) => number): HTMLElement {
    let made = items.get(i);
    if (made === undefined) {
      made = h("div", { class: "gr-item", role: "treeitem", id: prefix + i });
      const next = [...items.keys()].reduce<number | null>(
        (best, other) => (at(other) > at(i) && (best === null || at(other) < at(best)) ? other : best),
        null,
      );
      items.set(i, made);
      layer.insertBefore(made, next === null ? null : (items.get(next) ?? null));
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

  function update({ nodes, placement, selected, topology, shown, frames }: MirrorScene): void {
    if (order.of !== topology) {
      order = { of: topology, position: new Map(outline(topology).map((node, i) => [node, i])) };
      for (const made of items.values()) made.remove();
      items.clear();
    }
    const at = (i: number): number => order.position.get(i) ?? i;
    const wanted = new Set(nodes.length <= MAX_ITEMS ? nodes.keys() : nearest(shown, placement));
    const inside = topology.index.get(topology.inside);
    for (const { group } of frames) wanted.add(group);
    for (const i of [selected, inside ?? null]) {
      if (i === null) continue;
      wanted.add(i);
      for (const each of around(topology, i)) wanted.add(each);
    }
    for (const i of wanted) if (isHidden(topology, i)) wanted.delete(i);
    const titles = new Map(frames.map(({ group, box }) => [group, box]));
    for (const [i, made] of items) {
      if (wanted.has(i)) continue;
      made.remove();
      items.delete(i);
    }
    for (const i of wanted) {
      const node = nodes[i];
      if (node === undefined) continue;
      const made = item(i, at);
      const parts = topology.parts.get(i);
      const siblings = topology.parts.get(topology.parent[i] ?? -1);
      set(made, "aria-label", treeName(node));
      set(made, "aria-level", around(topology, i).length + 1);
      set(made, "aria-selected", i === selected ? "true" : "false");
      set(
        made,
        "aria-expanded",
        parts === undefined ? null : parts.some((part) => wanted.has(part)) ? "true" : "false",
      );
      set(made, "aria-setsize", siblings?.length ?? topology.tops.length);
      set(made, "aria-posinset", (topology.position[i] ?? 0) + 1);
      set(made, "data-status", NODE_STATUS[node.status].word);
      const title = titles.get(i);
      set(made, "data-drawn", topology.member[i] === i || title !== undefined ? "true" : "false");
      const [x, y] = title ? [title.x + title.width / 2, title.y + TOP_PX / 2] : [placement.x[i], placement.y[i]];
      made.style.left = `${x ?? 0}px`;
      made.style.top = `${y ?? 0}px`;
      made.style.width = title ? `${title.width}px` : "";
      made.style.height = title ? `${TOP_PX}px` : "";
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
