/** Where the nodes stand in the world, in px: the kernel's layout where there is one, ranks on a grid until then. */

import type { LayoutFrame } from "./protocol";
import type { Edge, Topology } from "./topology";
import { type Box, clamp, type Point, type Size } from "./viewport";

export const CARD_WIDTH = 176;
export const CARD_HEIGHT = 48;
const FAR_WIDTH = 190;
const FAR_HEIGHT = 56;
const RANK_PX = 220;
const ROW_PX = 72;
const MAX_ROWS = 24;

export interface Placement {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly bends: ReadonlyMap<Edge, readonly Point[]>;
  /** Of the whole drawing, cards included. */
  readonly box: Box;
}

/** The size of a card in the world: further out it takes more of the room between its neighbours, for its name. */
export function cardSize(k: number): Size {
  const far = clamp((1 - k) / 0.6, 0, 1);
  return {
    width: CARD_WIDTH + (FAR_WIDTH - CARD_WIDTH) * far,
    height: CARD_HEIGHT + (FAR_HEIGHT - CARD_HEIGHT) * far,
  };
}

/** Places the nodes that `layout` does not know beside those that it does. O(nodes + edges). */
export function placementOf(topology: Topology, layout: LayoutFrame | null): Placement {
  const n = topology.ids.length;
  const x = new Float64Array(n);
  const y = new Float64Array(n);
  const known = layout === null ? 0 : Math.min(layout.n, n);
  if (layout !== null) {
    x.set(layout.x.slice(0, known));
    y.set(layout.y.slice(0, known));
  }
  if (known === 0) grid(topology, x, y);
  else grow(topology, known, x, y);
  for (const [node, mapped] of topology.element) {
    x[node] = x[mapped] ?? 0;
    y[node] = y[mapped] ?? 0;
  }
  return { x, y, bends: bendsOf(topology, layout), box: boxOf(x, y) };
}

/** The placement on its way from one to another, at `t` from 0 to 1; nodes that are new stand at their place at once. */
export function between(from: Placement, to: Placement, t: number): Placement {
  if (t >= 1) return to;
  const mix = (a: Float64Array, b: Float64Array): Float64Array =>
    b.map((target, i) => (a[i] === undefined ? target : a[i] + (target - a[i]) * t));
  return { x: mix(from.x, to.x), y: mix(from.y, to.y), bends: new Map(), box: to.box };
}

/** Ranks from left to right; a tall one takes several columns. */
function grid(topology: Topology, x: Float64Array, y: Float64Array): void {
  const columns: number[][] = [];
  topology.rank.forEach((rank, node) => {
    if (topology.element.has(node)) return;
    columns[rank] ??= [];
    columns[rank].push(node);
  });
  const most = Math.max(MAX_ROWS, Math.ceil(Math.sqrt(topology.ids.length * 1.7)));
  let left = 0;
  for (const column of columns) {
    const rows = Math.min(column.length, most);
    column.forEach((node, i) => {
      x[node] = left + (Math.floor(i / rows) + 0.5) * RANK_PX;
      y[node] = ((i % rows) - (rows - 1) / 2) * ROW_PX;
    });
    left += Math.ceil(column.length / rows) * RANK_PX;
  }
}

/** One rank after the last parent, in the free row nearest to the parents' middle; nothing else moves. */
function grow(topology: Topology, known: number, x: Float64Array, y: Float64Array): void {
  const taken = new Set<string>();
  const slot = (atX: number, atY: number): string => `${Math.round(atX / RANK_PX)} ${Math.round(atY / ROW_PX)}`;
  for (let i = 0; i < known; i++) taken.add(slot(x[i] ?? 0, y[i] ?? 0));
  for (let i = known; i < x.length; i++) {
    if (topology.element.has(i)) continue;
    const parents = (topology.in[i] ?? []).map((edge) => edge.from).filter((from) => from < i);
    const atX = parents.length === 0 ? RANK_PX / 2 : Math.max(...parents.map((from) => x[from] ?? 0)) + RANK_PX;
    const middle = parents.reduce((sum, from) => sum + (y[from] ?? 0), 0) / Math.max(parents.length, 1);
    let row = 0;
    while (taken.has(slot(atX, middle + row * ROW_PX))) row = row > 0 ? -row : 1 - row;
    x[i] = atX;
    y[i] = middle + row * ROW_PX;
    taken.add(slot(atX, y[i] ?? 0));
  }
}

function bendsOf(topology: Topology, layout: LayoutFrame | null): Map<Edge, Point[]> {
  const bends = new Map<Edge, Point[]>();
  for (const [from, to, ...points] of layout?.bends ?? []) {
    const edge = topology.out[from ?? -1]?.find((each) => each.to === to);
    if (edge === undefined) continue;
    const line: Point[] = [];
    for (let i = 0; i + 1 < points.length; i += 2) line.push({ x: points[i] ?? 0, y: points[i + 1] ?? 0 });
    bends.set(edge, line);
  }
  return bends;
}

function boxOf(x: Float64Array, y: Float64Array): Box {
  if (x.length === 0) return { x: 0, y: 0, width: 1, height: 1 };
  let [left, right, top, bottom] = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  for (const value of x) {
    left = Math.min(left, value);
    right = Math.max(right, value);
  }
  for (const value of y) {
    top = Math.min(top, value);
    bottom = Math.max(bottom, value);
  }
  return {
    x: left - CARD_WIDTH / 2,
    y: top - CARD_HEIGHT / 2,
    width: right - left + CARD_WIDTH,
    height: bottom - top + CARD_HEIGHT,
  };
}
