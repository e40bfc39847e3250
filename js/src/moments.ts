/** What an event is in words, which of them stand out in a run's history, and what one plays it back by. */

import { clockTime } from "./format";
import type { History, Recorded } from "./history";
import type { RunEvent } from "./protocol";
import { assertNever } from "./reducer";
import type { NodeStatus } from "./status";

/** The statuses in whose colours failures, waits and answers are marked, the more important ones first. */
export const MARKED = ["FAILED", "WAITING", "DONE"] as const satisfies readonly NodeStatus[];
export type Marked = (typeof MARKED)[number];

export interface Mark {
  readonly seq: number;
  readonly like: Marked;
}

export function markOf(event: RunEvent): Marked | null {
  switch (event.kind) {
    case "AttemptFailed":
    case "AttemptLost":
      return "FAILED";
    case "WaitOpened":
      return "WAITING";
    case "WaitResolved":
    case "WaitExpired":
      return "DONE";
    default:
      return null;
  }
}

/** The marks of a history, found as it grows. */
export class Marks {
  readonly found: Mark[] = [];
  #upTo = 0;

  /** O(events that are new). */
  advance(history: History): readonly Mark[] {
    for (; this.#upTo < history.known; this.#upTo++) {
      const recorded = history.event(this.#upTo + 1);
      const like = recorded === null ? null : markOf(recorded.event);
      if (like !== null) this.found.push({ seq: this.#upTo + 1, like });
    }
    return this.found;
  }
}

/** `event 41 of 212: fit failed, 12:03:07`. */
export function momentText(seq: number, last: number, recorded: Recorded | null): string {
  const place = `event ${seq} of ${last}`;
  return recorded === null ? place : `${place}: ${said(recorded.event)}, ${clockTime(recorded.at)}`;
}

export function said(event: RunEvent): string {
  return phrase(event).join("");
}

/** What happened: words, the node that it happened to or nothing, and words. */
export function phrase(event: RunEvent): readonly [before: string, node: string, after: string] {
  const run = (words: string) => [words, "", ""] as const;
  switch (event.kind) {
    case "RunStarted":
      return run("run started");
    case "RunResumed":
      return run("run taken up again");
    case "RunForked":
      return run(`run forked from ${event.source_run_id}`);
    case "SpecAccepted":
      return run(`graph of ${event.nodes.length} ${event.nodes.length === 1 ? "node" : "nodes"}`);
    case "NodeAdded":
      return ["", event.node.node_id, " appeared"];
    case "NodeReset":
      return ["", event.node_id, " reset"];
    case "OutputPinned":
      return ["", event.node_id, " taken over"];
    case "AttemptStarted":
      return ["", event.node_id, ` started${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`];
    case "AttemptSucceeded":
      return ["", event.node_id, " done"];
    case "AttemptFailed":
      return ["", event.node_id, " failed"];
    case "AttemptLost":
      return ["", event.node_id, " lost"];
    case "RetryScheduled":
      return ["", event.node_id, " to be retried"];
    case "WaitOpened":
      return ["", event.node_id, " waiting"];
    case "AnswerKept":
      return event.node_id === "" ? run(`event ${event.name} came`) : ["early answer to ", event.node_id, ""];
    case "WaitResolved":
      return ["", event.node_id, " answered"];
    case "WaitExpired":
      return event.outcome === "dropped"
        ? ["", event.node_id, " gave its question up"]
        : ["deadline of ", event.node_id, " passed"];
    case "NodeSkipped":
      return ["", event.node_id, " skipped"];
    case "NodeCancelled":
      return ["", event.node_id, " cancelled"];
    case "CancelRequested":
      return run(`cancel asked for by ${event.by}`);
    case "RunFinished":
      return run(`run ${event.status.toLowerCase()}`);
    default:
      return assertNever(event);
  }
}

/** Nobody waits longer than this for the next event, whatever the run did. */
const MAX_PAUSE_S = 1;

/**
 * Where a playback stands that was at event `seq` and at `instant`, after `seconds` at `speed`: long pauses of the run
 * are cut. O(events passed).
 */
export function playedOn(
  history: History,
  at: { readonly seq: number; readonly instant: number },
  seconds: number,
  speed: number,
): { readonly seq: number; readonly instant: number } {
  let { seq, instant } = at;
  instant += seconds * speed;
  for (let next = history.event(seq + 1); next !== null; next = history.event(seq + 1)) {
    if (next.at - instant > MAX_PAUSE_S * speed) instant = next.at - MAX_PAUSE_S * speed;
    if (next.at > instant) break;
    seq = next.seq;
  }
  return { seq, instant };
}
