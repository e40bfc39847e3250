/** Who is connected to whom, by index in order of definition. Rebuilt when nodes come or go. */

import type { RunState } from "./state";

/** `part`: the node was called from within the other one, and nothing else says where it belongs. */
export type EdgeKind = "data" | "control" | "part";

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: EdgeKind;
}

export interface Topology {
  readonly ids: readonly string[];
  readonly index: ReadonlyMap<string, number>;
  readonly edges: readonly Edge[];
  /** Edges by their start, and by their end. */
  readonly out: readonly (readonly Edge[])[];
  readonly in: readonly (readonly Edge[])[];
  /** Length of the longest path to each node. */
  readonly rank: readonly number[];
  /** Elements of mapped nodes, which are not drawn: the mapped node of each. */
  readonly element: ReadonlyMap<number, number>;
}

/** O(nodes + edges). Ends that do not exist are left out. */
export function topologyOf(state: RunState): Topology {
  const ids = [...state.nodes.keys()];
  const index = new Map(ids.map((id, i) => [id, i]));
  const edges: Edge[] = [];
  const out: Edge[][] = ids.map(() => []);
  const into: Edge[][] = ids.map(() => []);
  const connect = (start: string, to: number, kind: EdgeKind): void => {
    const from = index.get(start);
    if (from === undefined || from === to || into[to]?.some((edge) => edge.from === from)) return;
    const edge: Edge = { from, to, kind };
    edges.push(edge);
    out[from]?.push(edge);
    into[to]?.push(edge);
  };
  const element = new Map<number, number>();
  let to = 0;
  for (const { info } of state.nodes.values()) {
    const parent = info.parent === "" ? undefined : state.nodes.get(info.parent)?.info;
    if (parent?.kind === "map") {
      element.set(to, index.get(parent.node_id) ?? to);
      to += 1;
      continue;
    }
    for (const id of info.needs) connect(id, to, "data");
    for (const id of info.after) connect(id, to, "control");
    const siblings = [...info.needs, ...info.after].some((id) => state.nodes.get(id)?.info.parent === info.parent);
    if (parent !== undefined && !siblings) connect(info.parent, to, "part");
    to += 1;
  }
  return { ids, index, edges, out, in: into, rank: ranks(out, into), element };
}

function ranks(out: readonly (readonly Edge[])[], into: readonly (readonly Edge[])[]): number[] {
  const rank = out.map(() => 0);
  const left = into.map((edges) => edges.length);
  const ready = left.flatMap((n, i) => (n === 0 ? [i] : []));
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
