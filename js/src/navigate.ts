/** Where an arrow key leads from a node: along edges in the direction of the ranks, within a rank across it. Where no
 * edge leads on, to what is nearest there. */

import type { Placement } from "./placement";
import type { Topology } from "./topology";

const SAME_RANK_PX = 60;
/** What each arrow does where ranks follow each other to the right; downwards, both axes are swapped. */
const SWAPPED: Readonly<Record<string, string>> = {
  ArrowRight: "ArrowDown",
  ArrowLeft: "ArrowUp",
  ArrowDown: "ArrowRight",
  ArrowUp: "ArrowLeft",
};

/** The index of the node that `key` leads to, or null where it leads nowhere. O(members). */
export function neighbour(topology: Topology, placement: Placement, from: number, key: string): number | null {
  const { members } = topology;
  const [along, across] = axes(placement);
  const [rank, level] = [along[from] ?? 0, across[from] ?? 0];
  const nearest = (candidates: Iterable<number>): number | null => {
    const far = (i: number): number => Math.abs((across[i] ?? 0) - level);
    let best: number | null = null;
    for (const i of candidates) if (best === null || far(i) < far(best)) best = i;
    return best;
  };
  const beside = (sign: 1 | -1): number | null =>
    nearest(
      members.filter((i) => Math.abs((along[i] ?? 0) - rank) < SAME_RANK_PX && ((across[i] ?? 0) - level) * sign > 1),
    );
  const beyond = (sign: 1 | -1): number | null => {
    const there = members.filter((i) => ((along[i] ?? 0) - rank) * sign > SAME_RANK_PX);
    const first = there.reduce(
      (least, i) => Math.min(least, Math.abs((along[i] ?? 0) - rank)),
      Number.POSITIVE_INFINITY,
    );
    return nearest(there.filter((i) => Math.abs((along[i] ?? 0) - rank) < first + SAME_RANK_PX));
  };
  switch (placement.direction === "down" ? (SWAPPED[key] ?? key) : key) {
    case "ArrowRight":
      return nearest(topology.out[from]?.map((edge) => edge.to) ?? []) ?? beyond(1);
    case "ArrowLeft":
      return nearest(topology.in[from]?.map((edge) => edge.from) ?? []) ?? beyond(-1);
    case "ArrowUp":
      return beside(-1);
    case "ArrowDown":
      return beside(1);
    case "Home":
      return members[0] ?? null;
    case "End":
      return members.at(-1) ?? null;
    default:
      return null;
  }
}

/** Coordinates along the ranks, and across them. */
function axes({ x, y, direction }: Placement): readonly [Float64Array, Float64Array] {
  return direction === "down" ? [y, x] : [x, y];
}
