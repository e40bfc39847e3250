/** Who is connected to whom inside one container, by index in order of definition. Rebuilt when nodes come or go. */

import { groupId, isGroup } from "./groups";
import type { RunState } from "./state";

export type EdgeKind = "data" | "control";

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: EdgeKind;
}

export interface Topology {
  /** All nodes of the run, and after them the groups inside the container that is drawn. */
  readonly ids: readonly string[];
  readonly index: ReadonlyMap<string, number>;
  /** The container that each node is a part of, or -1. */
  readonly parent: readonly number[];
  /** The nodes that are parts of nothing, and the parts of each container that has any. */
  readonly tops: readonly number[];
  readonly parts: ReadonlyMap<number, readonly number[]>;
  /** The position of each node among those beside it. */
  readonly position: readonly number[];
  /** The container whose parts are drawn, and these in order of definition. */
  readonly inside: string;
  readonly placed: readonly number[];
  /** What is drawn: of a group that is closed itself, and not its nodes. */
  readonly members: readonly number[];
  /** The member that each node is, or is somewhere inside of; -1 for those outside. */
  readonly member: readonly number[];
  /** Among members only. */
  readonly edges: readonly Edge[];
  /** Edges by their start, and by their end. */
  readonly out: readonly (readonly Edge[])[];
  readonly in: readonly (readonly Edge[])[];
  /** Length of the longest path to each member. */
  readonly rank: readonly number[];
}

const NONE: ReadonlySet<string> = new Set();

/** O(nodes + edges). Ends that do not exist are left out, as is what members need from outside. */
export function topologyOf(state: RunState, inside = "", closed = NONE): Topology {
  const ids = [...state.nodes.keys()];
  const index = new Map(ids.map((id, i) => [id, i]));
  const parent: number[] = [];
  const tops: number[] = [];
  const parts = new Map<number, number[]>();
  const position: number[] = [];
  const placed: number[] = [];
  const members: number[] = [];
  const put = (node: number, container: number): void => {
    const known = container < 0 ? tops : (parts.get(container) ?? []);
    if (container >= 0) parts.set(container, known);
    parent[node] = container;
    position[node] = known.length;
    known.push(node);
  };
  let i = 0;
  for (const { info } of state.nodes.values()) {
    let container = info.parent === "" ? -1 : (index.get(info.parent) ?? -1);
    const isPlaced = info.parent === inside;
    if (isPlaced) placed.push(i);
    let isHidden = false;
    if (isPlaced && info.group !== "") {
      const id = groupId(inside, info.group);
      const group = index.get(id) ?? ids.push(id) - 1;
      isHidden = closed.has(id);
      if (!index.has(id)) {
        index.set(id, group);
        put(group, container);
        if (isHidden) members.push(group);
      }
      container = group;
    }
    put(i, container);
    if (isPlaced && !isHidden) members.push(i);
    i += 1;
  }
  const member = membership(parent, members);
  const edges: Edge[] = [];
  const out: Edge[][] = ids.map(() => []);
  const into: Edge[][] = ids.map(() => []);
  const connect = (start: string, to: number, kind: EdgeKind): void => {
    const from = member[index.get(start) ?? -1] ?? -1;
    if (from < 0 || from === to || into[to]?.some((edge) => edge.from === from)) return;
    const edge: Edge = { from, to, kind };
    edges.push(edge);
    out[from]?.push(edge);
    into[to]?.push(edge);
  };
  for (const node of placed) {
    const info = state.nodes.get(ids[node] ?? "")?.info;
    const to = member[node] ?? -1;
    for (const id of info?.needs ?? []) connect(id, to, "data");
    for (const id of info?.after ?? []) connect(id, to, "control");
  }
  const rank = ranks(members, out, into);
  return { ids, index, parent, tops, parts, position, inside, placed, members, member, edges, out, in: into, rank };
}

/** The containers around `node`, the outermost first. */
export function around({ parent }: Topology, node: number): readonly number[] {
  const found: number[] = [];
  for (let at = parent[node] ?? -1; at >= 0 && !found.includes(at); at = parent[at] ?? -1) found.unshift(at);
  return found;
}

/** Whether a node is a part of a closed group, at whatever depth. */
export function isHidden(topology: Topology, node: number): boolean {
  const at = topology.member[node] ?? -1;
  return at !== node && isGroup(topology.ids[at] ?? "");
}

/** All nodes of the run as a tree is read: every container is followed by its parts. */
export function outline({ tops, parts }: Topology): readonly number[] {
  const order: number[] = [];
  const visit = (node: number): void => {
    order.push(node);
    for (const part of parts.get(node) ?? []) visit(part);
  };
  tops.forEach(visit);
  return order;
}

function membership(parent: readonly number[], members: readonly number[]): number[] {
  const member: number[] = new Array(parent.length).fill(-2);
  for (const each of members) member[each] = each;
  const find = (node: number): number => {
    const known = member[node] ?? -1;
    if (known !== -2) return known;
    member[node] = -1;
    member[node] = find(parent[node] ?? -1);
    return member[node] ?? -1;
  };
  for (let node = 0; node < parent.length; node++) find(node);
  return member;
}

function ranks(
  members: readonly number[],
  out: readonly (readonly Edge[])[],
  into: readonly (readonly Edge[])[],
): number[] {
  const rank = out.map(() => 0);
  const left = into.map((edges) => edges.length);
  const ready = members.filter((node) => left[node] === 0);
  for (const node of ready) {
    for (const { to } of out[node] ?? []) {
      rank[to] = Math.max(rank[to] ?? 0, (rank[node] ?? 0) + 1);
      left[to] = (left[to] ?? 0) - 1;
      if (left[to] === 0) ready.push(to);
    }
  }
  return rank;
}

/** All edges on the paths that lead to `node` and away from it. */
export function pathEdges(topology: Topology, node: number): ReadonlySet<Edge> {
  const found = new Set<Edge>();
  const walk = (edges: Topology["out"], end: "from" | "to"): void => {
    const seen = new Set([node]);
    for (const each of seen) {
      for (const edge of edges[each] ?? []) {
        found.add(edge);
        seen.add(edge[end]);
      }
    }
  };
  walk(topology.out, "to");
  walk(topology.in, "from");
  return found;
}

/** The edges from each of `ids` to the next. */
export function edgesAlong({ index, out }: Topology, ids: readonly string[]): ReadonlySet<Edge> {
  const found = ids.flatMap((id, i) => {
    const to = index.get(ids[i + 1] ?? "");
    return out[index.get(id) ?? -1]?.filter((edge) => edge.to === to) ?? [];
  });
  return new Set(found);
}
