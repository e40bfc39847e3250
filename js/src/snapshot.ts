/** Unpacks a snapshot, the state in columns, into the state that its events would have led to. */

import type { NodeInfo, SnapshotFrame } from "./protocol";
import { newNode, newRun, type RunState } from "./state";
import { STATUS_CODES } from "./status";
import { ProtocolError } from "./wire";

/** Returns null if the frame leaves out definitions that `known` does not have either. O(nodes). */
export function unpack(frame: SnapshotFrame, known: RunState): RunState | null {
  const infos: readonly NodeInfo[] =
    frame.nodes.length > 0 ? frame.nodes : [...known.nodes.values()].map((n) => n.info);
  if (infos.length !== frame.status.length) return null;
  const at = (ms: number | undefined): number => (ms === undefined || ms < 0 ? 0 : frame.started_at + ms / 1000);
  const state: RunState = {
    ...newRun(),
    seq: frame.seq,
    graph: frame.graph,
    max_concurrency: frame.max_concurrency,
    started_at: frame.started_at,
    ended_at: frame.ended_at,
    cancelled_by: frame.cancelled_by,
    finished: frame.finished,
  };
  infos.forEach((info, i) => {
    const status = STATUS_CODES[frame.status[i] ?? ""];
    if (status === undefined) throw new ProtocolError(`unknown status code ${frame.status[i]}`);
    const key = String(i);
    state.nodes.set(info.node_id, {
      ...newNode(info, frame.attempt[i]),
      status,
      failures: frame.failures[i] ?? 0,
      lost: frame.lost[i] ?? 0,
      values: known.nodes.get(info.node_id)?.values ?? [],
      error: frame.errors.get(key) ?? null,
      waits: frame.waits.get(key) ?? [],
      started_at: at(frame.started_ms[i]),
      ended_at: at(frame.ended_ms[i]),
      due: frame.due.get(key) ?? 0,
      because: frame.because.get(key) ?? "",
    });
  });
  return state;
}
