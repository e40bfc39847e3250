/** Where the nodes stand in the world, in px: the kernel's layout where there is one, ranks on a grid until then. */

import type { LayoutFrame } from "./protocol";
import type { Edge, Topology } from "./topology";
import { type Box, clamp, type Point, type Size } from "./viewport";

export const CARD_WIDTH = 176;
export const CARD_HEIGHT = 48;
const FAR_WIDTH = 204;
const FAR_HEIGHT = 62;
const RANK_PX = 220;
const ROW_PX = 72;
const MAX_ROWS = 24;
/** Room for a card's height and an edge between ranks, and for a card's width within one. */
const DOWN_ALONG = 104 / RANK_PX;
const DOWN_ACROSS = 200 / ROW_PX;
const NO_BENDS: ReadonlyMap<Edge, readonly Point[]> = new Map();

/** Where ranks follow each other to. */
export type Direction = "right" | "down";

export interface Placement {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly bends: ReadonlyMap<Edge, readonly Point[]>;
  /** Of the whole drawing, cards included. */
  readonly box: Box;
  readonly direction: Direction;
}

/** The size of a card in the world: further out it takes more of the room between its neighbours, for its name. */
export function cardSize(k: number): Size {
  const far = clamp((1 - k) / 0.6, 0, 1);
  return {
    width: CARD_WIDTH + (FAR_WIDTH - CARD_WIDTH) * far,
    height: CARD_HEIGHT + (FAR_HEIGHT - CARD_HEIGHT) * far,
  };
}

/**
 * Places the members that `layout` does not know beside those that it does, and a closed group where its nodes would be.
 * O(nodes + edges).
 */
export function placementOf(topology: Topology, layout: LayoutFrame | null, direction: Direction = "right"): Placement {
  const { placed, members, member, parts } = topology;
  const along = new Float64Array(member.length);
  const across = new Float64Array(member.length);
  const known = new Set<number>();
  placed.slice(0, layout?.x.length ?? 0).forEach((node, i) => {
    along[node] = layout?.x[i] ?? 0;
    across[node] = layout?.y[i] ?? 0;
    known.add(node);
  });
  for (const node of members) {
    const inside = (parts.get(node) ?? []).filter((part) => known.has(part));
    if (known.has(node) || inside.length === 0) continue;
    along[node] = middle(inside, along);
    across[node] = middle(inside, across);
    known.add(node);
  }
  if (known.size === 0) grid(topology, along, across);
  else grow(topology, known, along, across);
  const bends = bendsOf(topology, layout);
  const down = direction === "down";
  if (down) turn(along, across, bends);
  const [x, y] = down ? [across, along] : [along, across];
  const box = boxOf(members, x, y);
  member.forEach((stand, node) => {
    if (stand === node) return;
    x[node] = stand < 0 ? box.x + box.width / 2 : (x[stand] ?? 0);
    y[node] = stand < 0 ? box.y + box.height / 2 : (y[stand] ?? 0);
  });
  return { x, y, bends, box, direction };
}

/** The placement on its way from one to another, at `t` from 0 to 1; nodes that are new stand at their place at once. */
export function between(from: Placement, to: Placement, t: number): Placement {
  if (t >= 1) return to;
  const mix = (a: Float64Array, b: Float64Array): Float64Array =>
    b.map((target, i) => (a[i] === undefined ? target : a[i] + (target - a[i]) * t));
  return { ...to, x: mix(from.x, to.x), y: mix(from.y, to.y), bends: NO_BENDS };
}

/** From ranks that follow each other to the right to ranks that follow each other downwards: cards are wider than high. */
function turn(along: Float64Array, across: Float64Array, bends: Map<Edge, Point[]>): void {
  for (let i = 0; i < along.length; i++) {
    along[i] = (along[i] ?? 0) * DOWN_ALONG;
    across[i] = (across[i] ?? 0) * DOWN_ACROSS;
  }
  for (const [edge, line] of bends) {
    bends.set(
      edge,
      line.map(({ x, y }) => ({ x: y * DOWN_ACROSS, y: x * DOWN_ALONG })),
    );
  }
}

/** Ranks from left to right; a tall one takes several columns. */
function grid(topology: Topology, x: Float64Array, y: Float64Array): void {
  const columns: number[][] = [];
  for (const node of topology.members) {
    const rank = topology.rank[node] ?? 0;
    columns[rank] ??= [];
    columns[rank].push(node);
  }
  const most = Math.max(MAX_ROWS, Math.ceil(Math.sqrt(topology.members.length * 1.7)));
  let left = 0;
  for (const column of columns) {
    if (column === undefined) continue;
    const rows = Math.min(column.length, most);
    column.forEach((node, i) => {
      x[node] = left + (Math.floor(i / rows) + 0.5) * RANK_PX;
      y[node] = ((i % rows) - (rows - 1) / 2) * ROW_PX;
    });
    left += Math.ceil(column.length / rows) * RANK_PX;
  }
}

/** Half-way between the outermost. */
function middle(nodes: readonly number[], at: Float64Array): number {
  const places = nodes.map((node) => at[node] ?? 0);
  return (Math.min(...places) + Math.max(...places)) / 2;
}

/** One rank after the last parent, in the free row nearest to the parents' middle; nothing else moves. */
function grow(topology: Topology, known: Set<number>, x: Float64Array, y: Float64Array): void {
  const taken = new Set<string>();
  const slot = (atX: number, atY: number): string => `${Math.round(atX / RANK_PX)} ${Math.round(atY / ROW_PX)}`;
  for (const node of topology.members) {
    if (known.has(node)) {
      taken.add(slot(x[node] ?? 0, y[node] ?? 0));
      continue;
    }
    const parents = (topology.in[node] ?? []).map((edge) => edge.from).filter((from) => known.has(from));
    const atX = parents.length === 0 ? RANK_PX / 2 : Math.max(...parents.map((from) => x[from] ?? 0)) + RANK_PX;
    const level = parents.reduce((sum, from) => sum + (y[from] ?? 0), 0) / Math.max(parents.length, 1);
    let row = 0;
    while (taken.has(slot(atX, level + row * ROW_PX))) row = row > 0 ? -row : 1 - row;
    x[node] = atX;
    y[node] = level + row * ROW_PX;
    known.add(node);
    taken.add(slot(atX, y[node] ?? 0));
  }
}

function bendsOf(topology: Topology, layout: LayoutFrame | null): Map<Edge, Point[]> {
  const bends = new Map<Edge, Point[]>();
  for (const [from, to, ...points] of layout?.bends ?? []) {
    const end = topology.placed[to ?? -1];
    const edge = topology.out[topology.placed[from ?? -1] ?? -1]?.find((each) => each.to === end);
    if (edge === undefined) continue;
    const line: Point[] = [];
    for (let i = 0; i + 1 < points.length; i += 2) line.push({ x: points[i] ?? 0, y: points[i + 1] ?? 0 });
    bends.set(edge, line);
  }
  return bends;
}

function boxOf(members: readonly number[], x: Float64Array, y: Float64Array): Box {
  if (members.length === 0) return { x: 0, y: 0, width: 1, height: 1 };
  let [left, right] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [top, bottom] = [left, right];
  for (const node of members) {
    const [atX, atY] = [x[node] ?? 0, y[node] ?? 0];
    left = Math.min(left, atX);
    right = Math.max(right, atX);
    top = Math.min(top, atY);
    bottom = Math.max(bottom, atY);
  }
  return {
    x: left - CARD_WIDTH / 2,
    y: top - CARD_HEIGHT / 2,
    width: right - left + CARD_WIDTH,
    height: bottom - top + CARD_HEIGHT,
  };
}
