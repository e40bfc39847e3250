/** What the loop lamp says, from the latest pulse of the kernel's loop and how long ago it came. Pure. */

import { duration } from "./format";
import type { LoopFrame } from "./protocol";

/** Longer than a pulse takes to come, with some to spare. */
const SILENT_S = 2.5;
/** So long it is still said that the loop was kept. */
const REMEMBERED_S = 8;

export interface Heard {
  readonly frame: LoopFrame;
  /** When it came, in ms of this computer's clock. */
  readonly at: number;
}

export interface Pulses {
  readonly latest: Heard;
  /** The latest that told of a loop that had been kept. */
  readonly kept: Heard | null;
}

export interface Lamp {
  readonly tone: "good" | "attention" | "caution";
  readonly text: string;
  readonly detail: string;
}

export const SHARED = "All async nodes, cells and clicks share the kernel's event loop.";

export function heard(before: Pulses | null, frame: LoopFrame, at: number): Pulses {
  const latest = { frame, at };
  return { latest, kept: frame.busy_s > 0 ? latest : (before?.kept ?? null) };
}

/** `running`: the nodes that were running when the view last heard of them. */
export function lampOf({ latest, kept }: Pulses, now: number, running: readonly string[]): Lamp {
  const age = (now - latest.at) / 1000;
  const { frame } = latest;
  if (!frame.turns) {
    const text = `loop: busy ${duration(frame.busy_s + age)}${inNode(frame)}`;
    return { tone: "caution", text, detail: `${who(frame)} keeps it now: nothing else can go on. ${SHARED}` };
  }
  if (age > SILENT_S) {
    const names = running.length === 0 ? "" : ` Running: ${running.slice(0, 3).join(", ")}.`;
    const guess = running.length === 1 ? ` in ${running[0]}` : "";
    return {
      tone: "caution",
      text: `loop: busy ${duration(age)}${guess}`,
      detail: `Nothing is heard.${names} ${SHARED}`,
    };
  }
  if (kept !== null && now - kept.at < REMEMBERED_S * 1000) {
    const text = `loop: was busy ${duration(kept.frame.busy_s)}${inNode(kept.frame)}`;
    return { tone: "attention", text, detail: `${who(kept.frame)} kept it. ${SHARED}` };
  }
  const last = kept === null ? "" : ` Last kept for ${duration(kept.frame.busy_s)}${inNode(kept.frame)}.`;
  return { tone: "good", text: "loop: free", detail: `${SHARED}${last}` };
}

function inNode({ run_id, node_id }: LoopFrame): string {
  if (node_id === "") return "";
  return run_id === "" ? ` in ${node_id}` : ` in ${node_id} of ${run_id}`;
}

function who({ node_id }: LoopFrame): string {
  return node_id === "" ? "A cell, or other code outside of nodes," : `Node ${node_id}`;
}
