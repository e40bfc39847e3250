/** Where an arrow key leads from a node: along edges sideways, within the rank up and down. */

import type { Placement } from "./placement";
import type { Topology } from "./topology";

const SAME_RANK_PX = 60;

/** The index of the node that `key` leads to, or null where it leads nowhere. O(nodes). */
export function neighbour(topology: Topology, placement: Placement, from: number, key: string): number | null {
  const { x, y } = placement;
  const [x0, y0] = [x[from] ?? 0, y[from] ?? 0];
  const nearest = (candidates: Iterable<number>, far: (i: number) => number): number | null => {
    let best: number | null = null;
    for (const i of candidates) if (best === null || far(i) < far(best)) best = i;
    return best;
  };
  const sideways = (i: number): number => Math.abs((y[i] ?? 0) - y0);
  switch (key) {
    case "ArrowRight":
      return nearest(topology.out[from]?.map((edge) => edge.to) ?? [], sideways);
    case "ArrowLeft":
      return nearest(topology.in[from]?.map((edge) => edge.from) ?? [], sideways);
    case "ArrowUp":
    case "ArrowDown": {
      const sign = key === "ArrowUp" ? -1 : 1;
      const column = [...x.keys()].filter(
        (i) => Math.abs((x[i] ?? 0) - x0) < SAME_RANK_PX && ((y[i] ?? 0) - y0) * sign > 1,
      );
      return nearest(column, sideways);
    }
    case "Home":
      return topology.ids.length > 0 ? 0 : null;
    case "End":
      return topology.ids.length > 0 ? topology.ids.length - 1 : null;
    default:
      return null;
  }
}
