/** Groups as the view alone knows them: containers of the nodes that were put into them, open or closed. Pure. */

import { type NodeState, newNode } from "./state";
import { NODE_STATUS, type NodeStatus } from "./status";
import type { Topology } from "./topology";

/** What a group's card says before anything else: the first of these that any of its nodes is. */
const FOREMOST: readonly NodeStatus[] = [
  "FAILED",
  "WAITING",
  "RETRYING",
  "RUNNING",
  "PENDING",
  "CANCELLED",
  "DONE",
  "SKIPPED",
];

/** The id of a group in a topology, which no node has. */
export function groupId(inside: string, name: string): string {
  return `\n${inside}\n${name}`;
}

export function isGroup(id: string): boolean {
  return id.startsWith("\n");
}

/** What people call a node, or a group. */
export function calledId(id: string): string {
  return isGroup(id) ? id.slice(id.indexOf("\n", 1) + 1) : id;
}

/** The run's nodes, and behind them the groups of a topology as if they were nodes. O(nodes in groups). */
export function withGroups(nodes: readonly NodeState[], { ids, parts }: Topology): NodeState[] {
  const all = [...nodes];
  for (let i = nodes.length; i < ids.length; i++) {
    const members = (parts.get(i) ?? []).flatMap((part) => nodes[part] ?? []);
    const [first] = members;
    if (first === undefined) break;
    const name = calledId(ids[i] ?? "");
    const group = newNode({ ...first.info, node_id: name, name, kind: "group", group: "" });
    group.status = FOREMOST.find((status) => members.some((each) => each.status === status)) ?? "PENDING";
    all.push(group);
  }
  return all;
}

/** How a tree calls it. */
export function treeName({ info, status }: NodeState): string {
  const { word } = NODE_STATUS[status];
  return info.kind === "group" ? `group ${info.name}: ${word}` : `${info.node_id}: ${word}`;
}
