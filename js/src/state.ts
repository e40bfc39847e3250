/** Where a run stands, as core/state.py keeps it, and the digest by which a view knows that it has missed nothing. */

import type { ErrorInfo, NodeInfo, OpenWait, ValueRef } from "./protocol";
import type { NodeStatus, RunStatus } from "./status";

export interface NodeState {
  info: NodeInfo;
  status: NodeStatus;
  attempt: number;
  failures: number;
  lost: number;
  values: readonly ValueRef[];
  error: ErrorInfo | null;
  waits: readonly OpenWait[];
  started_at: number;
  ended_at: number;
  due: number;
  because: string;
}

export interface RunState {
  seq: number;
  graph: string;
  max_concurrency: number;
  started_at: number;
  ended_at: number;
  cancelled_by: string;
  finished: RunStatus | null;
  nodes: Map<string, NodeState>;
}

export function newNode(info: NodeInfo, attempt = 0): NodeState {
  return {
    info,
    status: "PENDING",
    attempt,
    failures: 0,
    lost: 0,
    values: [],
    error: null,
    waits: [],
    started_at: 0,
    ended_at: 0,
    due: 0,
    because: "",
  };
}

export function newRun(): RunState {
  return {
    seq: 0,
    graph: "",
    max_concurrency: 4,
    started_at: 0,
    ended_at: 0,
    cancelled_by: "",
    finished: null,
    nodes: new Map(),
  };
}

/** A copy that has the same nodes, which neither may change any more. O(nodes), quickly. */
export function sharing(state: RunState): RunState {
  return { ...state, nodes: new Map(state.nodes) };
}

/** A copy that lives on by itself. O(nodes). */
export function copyOf(state: RunState): RunState {
  const nodes = new Map<string, NodeState>();
  for (const [id, node] of state.nodes) nodes.set(id, { ...node });
  return { ...state, nodes };
}

const CRC = new Uint32Array(256).map((_, n) => {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Equal to `RunState.digest()` in Python. O(nodes). */
export function digest(state: RunState): string {
  const lines: string[] = [];
  for (const [id, node] of state.nodes) {
    lines.push([id, node.status, node.attempt, node.failures, node.lost, node.waits.length].join("\x1f"));
  }
  lines.push([state.seq, state.finished ?? "", state.cancelled_by].join("\x1f"), "");
  return crc32(new TextEncoder().encode(lines.join("\n")))
    .toString(16)
    .padStart(8, "0");
}
