/** How far the parts of a container are: what one card says of all of them. Pure. */

import { COUNTED, type Count } from "./select";
import type { NodeState } from "./state";
import type { NodeStatus } from "./status";
import type { Topology } from "./topology";

export interface Tally {
  readonly total: number;
  /** In the order in which counts are read out. */
  readonly counts: readonly Count[];
}

/** Of each member that has parts. O(parts of members). */
export function tallies(nodes: readonly NodeState[], topology: Topology): ReadonlyMap<number, Tally> {
  const found = new Map<number, Tally>();
  for (const [container, parts] of topology.parts) {
    if (topology.member[container] !== container) continue;
    const n = new Map<NodeStatus, number>();
    for (const part of parts) {
      const status = nodes[part]?.status;
      if (status !== undefined) n.set(status, (n.get(status) ?? 0) + 1);
    }
    const counts = COUNTED.flatMap((status) => {
      const many = n.get(status);
      return many === undefined ? [] : [{ status, n: many }];
    });
    found.set(container, { total: parts.length, counts });
  }
  return found;
}

/** `12/40 done, 1 failed`. */
export function inWords({ total, counts }: Tally): string {
  const n = (status: NodeStatus): number => counts.find((each) => each.status === status)?.n ?? 0;
  const troubles = (
    [
      ["FAILED", "failed"],
      ["WAITING", "waiting"],
    ] as const
  ).flatMap(([status, word]) => (n(status) > 0 ? [`${n(status)} ${word}`] : []));
  return [`${n("DONE")}/${total} done`, ...troubles].join(", ");
}
