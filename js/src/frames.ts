/** Frames around the nodes of an open group, where nothing else stands between them. Pure. */

import { calledId } from "./groups";
import { CARD_HEIGHT, CARD_WIDTH, type Placement } from "./placement";
import type { Buckets } from "./spatial";
import type { Topology } from "./topology";
import type { Box } from "./viewport";

const SIDE_PX = 15;
/** With the title. */
export const TOP_PX = 27;
const BOTTOM_PX = 13;
/** From the lines of the members that run below or above them. */
const APART_PX = 5;

export interface Frame {
  readonly group: number;
  readonly name: string;
  readonly box: Box;
}

/** O(nodes in groups). */
export function framesOf(topology: Topology, nNodes: number, placement: Placement, buckets: Buckets): readonly Frame[] {
  return topology.ids.slice(nNodes).flatMap((id, i) => {
    const group = nNodes + i;
    const members = topology.parts.get(group) ?? [];
    if (topology.member[group] === group || members.length === 0) return [];
    const bare = boxAround(members, placement);
    const box = [withLines(bare, members, placement, topology), bare].find(
      (each) => buckets.within(each).length === members.length,
    );
    return box === undefined ? [] : [{ group, name: calledId(id), box }];
  });
}

function boxAround(members: readonly number[], { x, y }: Placement): Box {
  const xs = members.map((i) => x[i] ?? 0);
  const ys = members.map((i) => y[i] ?? 0);
  const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));
  const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));
  const [left, top] = [least(xs) - CARD_WIDTH / 2 - SIDE_PX, least(ys) - CARD_HEIGHT / 2 - TOP_PX];
  return {
    x: left,
    y: top,
    width: most(xs) + CARD_WIDTH / 2 + SIDE_PX - left,
    height: most(ys) + CARD_HEIGHT / 2 + BOTTOM_PX - top,
  };
}

/** Also around the lines of the members that run beside them. */
function withLines(box: Box, members: readonly number[], { bends, direction }: Placement, of: Topology): Box {
  const [along, across, length, width] =
    direction === "down" ? (["y", "x", "height", "width"] as const) : (["x", "y", "width", "height"] as const);
  const edges = members.flatMap((i) => [...(of.out[i] ?? []), ...(of.in[i] ?? [])]);
  let [low, high] = [box[across], box[across] + box[width]];
  for (const point of edges.flatMap((edge) => bends.get(edge) ?? [])) {
    if (point[along] <= box[along] || point[along] >= box[along] + box[length]) continue;
    low = Math.min(low, point[across] - APART_PX);
    high = Math.max(high, point[across] + APART_PX);
  }
  return { ...box, [across]: low, [width]: high - low };
}

/** The frame that a point lies in. */
export function frameAt(frames: readonly Frame[], { x, y }: { readonly x: number; readonly y: number }): Frame | null {
  const found = frames.find(({ box }) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height);
  return found ?? null;
}
