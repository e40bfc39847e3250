/** The critical path: the longest chain of nodes each of which began after the one before it, that it needs, had ended. */

import type { NodeInfo } from "./protocol";

export interface Ran {
  readonly info: NodeInfo;
  /** From the first start to the end, in Unix seconds. */
  readonly from: number;
  readonly to: number;
}

export interface CriticalPath {
  /** In order. */
  readonly ids: readonly string[];
  /** How long they took together. */
  readonly seconds: number;
}

interface Chain {
  readonly ran: Ran;
  readonly seconds: number;
  readonly before: Chain | null;
}

/**
 * Containers are stood for by their parts: what follows one follows its parts, and a part follows what its container
 * follows. O(nodes log nodes + edges).
 */
export function criticalPath(all: readonly Ran[]): CriticalPath {
  const parts = new Map<string, string[]>();
  const parent = new Map<string, NodeInfo>();
  const rans = new Map(all.map((ran) => [ran.info.node_id, ran]));
  for (const { info } of all) {
    const container = rans.get(info.parent)?.info;
    if (container === undefined) continue;
    parent.set(info.node_id, container);
    const known = parts.get(info.parent);
    if (known === undefined) parts.set(info.parent, [info.node_id]);
    else known.push(info.node_id);
  }
  const chains = new Map<string, Chain>();
  const inside = new Map<string, Chain | null>();

  /** The longest chain that ends in a node, or in a part of a container, that has ended by now. */
  function endingIn(id: string): Chain | null {
    const own = parts.get(id);
    if (own === undefined) return chains.get(id) ?? null;
    let best = inside.get(id);
    if (best === undefined) {
      best = own.map(endingIn).reduce(longer, null);
      inside.set(id, best);
    }
    return best;
  }

  let longest: Chain | null = null;
  for (const ran of [...all].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const { info, from, to } = ran;
    if (parts.has(info.node_id)) continue;
    let before: Chain | null = null;
    for (let at: NodeInfo | undefined = info; at !== undefined; at = parent.get(at.node_id)) {
      for (const id of [...at.needs, ...at.after])
        if ((rans.get(id)?.to ?? Infinity) <= from) before = longer(before, endingIn(id));
    }
    const chain = { ran, seconds: to - from + (before?.seconds ?? 0), before };
    chains.set(info.node_id, chain);
    longest = longer(longest, chain);
  }
  const ids: string[] = [];
  for (let chain = longest; chain !== null; chain = chain.before) ids.unshift(chain.ran.info.node_id);
  return { ids, seconds: longest?.seconds ?? 0 };
}

function longer(a: Chain | null, b: Chain | null): Chain | null {
  return b === null || (a !== null && a.seconds >= b.seconds) ? a : b;
}
