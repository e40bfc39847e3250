/** A node's own events told as attempts and waits. */

import { place } from "./format";
import type { RunEvent, ValueRef, WaitInfo } from "./protocol";
import { errorLine } from "./select";
import type { NodeStatus } from "./status";

export interface Told {
  readonly at: number;
  readonly event: RunEvent;
}

export interface Attempt {
  readonly no: number;
  readonly startedAt: number;
  /** When it was to begin, after a failure; 0 for the first one, which begins when what it needs is done. */
  readonly dueAt: number;
  endedAt: number;
  /** Seconds in which it had a question open. */
  waited: number;
  status: NodeStatus;
  /** The error in one line, why it was lost, or empty. */
  note: string;
}

export interface Answered {
  readonly wait: WaitInfo;
  readonly askedAt: number;
  readonly at: number;
  readonly by: string;
  /** How it ended: with an answer, or as a `WaitExpired` says. */
  readonly outcome: string;
  readonly answer: ValueRef | null;
}

export interface Story {
  readonly attempts: readonly Attempt[];
  readonly answered: readonly Answered[];
  /** Why it never ran, or empty. */
  readonly because: string;
}

/** An answer in the words of the question where its preview, JSON or a Python repr, tells it. */
export function answerText({ kind, options }: WaitInfo, answer: ValueRef | null): string {
  if (answer === null) return "no answer";
  const { preview } = answer;
  if (kind === "approval" || kind === "choice") {
    const chosen = options.find((option) => preview.includes(`'${option}'`) || preview.includes(`"${option}"`));
    if (chosen !== undefined) return chosen;
  }
  if (kind === "approval" && /\btrue\b/i.test(preview)) return options[0] ?? "Approve";
  if (kind === "approval" && /\bfalse\b/i.test(preview)) return options[1] ?? "Reject";
  return preview || "answered";
}

/** Who or what ended a wait. */
export function answeredBy({ outcome, by }: Answered): string {
  switch (outcome) {
    case "answered":
      return `by ${place(by)}`;
    case "default":
      return "the default, since nobody answered in time,";
    case "dropped":
      return "given up by its node";
    default:
      return "nobody answered in time,";
  }
}

/** Folds a node's events, oldest first. */
export function tell(events: readonly Told[]): Story {
  const attempts: Attempt[] = [];
  const answered: Answered[] = [];
  const open = new Map<number, { wait: WaitInfo; at: number }>();
  let because = "";
  let dueAt = 0;
  let waitsFrom = 0;
  /** Adds to an attempt the time in which it had questions open, up to now. */
  const stopWaiting = (at: number): void => {
    const last = attempts.at(-1);
    if (last !== undefined && waitsFrom > 0) last.waited += at - waitsFrom;
    waitsFrom = 0;
  };
  const begin = (no: number, at: number, status: NodeStatus): void => {
    attempts.push({ no, startedAt: at, dueAt, endedAt: 0, waited: 0, status, note: "" });
    dueAt = 0;
  };
  const close = (at: number, status: NodeStatus, note = ""): void => {
    const last = attempts.at(-1);
    open.clear();
    stopWaiting(at);
    if (last === undefined || last.endedAt > 0) return;
    last.endedAt = at;
    last.status = status;
    last.note = note;
  };
  const mark = (status: NodeStatus): void => {
    const last = attempts.at(-1);
    if (last !== undefined && last.endedAt === 0) last.status = status;
  };
  for (const { at, event } of events) {
    switch (event.kind) {
      case "AttemptStarted":
        begin(event.attempt, at, "RUNNING");
        break;
      case "AttemptSucceeded":
        close(at, "DONE");
        break;
      case "AttemptFailed":
        if (event.attempt === 0) begin(0, at, "FAILED");
        close(at, "FAILED", errorLine(event.error));
        break;
      case "AttemptLost":
        close(at, "CANCELLED", `lost: ${event.reason}`);
        break;
      case "NodeCancelled":
        close(at, "CANCELLED");
        because = event.because === "" ? "cancelled" : `cancelled because of ${event.because}`;
        break;
      case "NodeSkipped":
        because = event.because === "" ? "its condition did not hold" : `skipped because of ${event.because}`;
        break;
      case "OutputPinned":
        because = `outputs taken over from ${event.source}`;
        break;
      case "NodeReset":
        because = "";
        dueAt = at;
        break;
      case "RetryScheduled":
        dueAt = event.due;
        break;
      case "WaitOpened":
        if (open.size === 0) waitsFrom = at;
        open.set(event.wait.no, { wait: event.wait, at });
        mark("WAITING");
        break;
      case "WaitResolved":
      case "WaitExpired": {
        const asked = open.get(event.no);
        open.delete(event.no);
        if (open.size === 0) {
          stopWaiting(at);
          mark("RUNNING");
        }
        if (asked === undefined) break;
        const resolved = event.kind === "WaitResolved";
        answered.push({
          wait: asked.wait,
          askedAt: asked.at,
          at,
          by: resolved ? event.by : "",
          outcome: resolved ? "answered" : event.outcome,
          answer: resolved ? event.answer : event.outcome === "default" ? asked.wait.default : null,
        });
        break;
      }
      default:
        break;
    }
  }
  return { attempts, answered, because };
}
