// Made by js/generate.py from graphrun_nb/core/status.py and view/frames.py. Do not edit: run `npm run generate`.
import { oneOf } from "./wire";

export const NODE_STATUSES = ["PENDING", "RUNNING", "WAITING", "RETRYING", "DONE", "FAILED", "SKIPPED", "CANCELLED"] as const;
export type NodeStatus = (typeof NODE_STATUSES)[number];

export const RUN_STATUSES = ["PENDING", "RUNNING", "WAITING", "DONE", "FAILED", "CANCELLED", "INTERRUPTED"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export const readRunStatus = oneOf<RunStatus>(...RUN_STATUSES);

export interface StatusRow {
  readonly word: string;
  readonly terminal: boolean;
  readonly glyph: string;
  readonly colour: string;
  readonly allows: ReadonlySet<string>;
}

export const NODE_STATUS: Readonly<Record<NodeStatus, StatusRow>> = {
  PENDING: { word: "pending", terminal: false, glyph: "○", colour: "idle", allows: new Set(["AttemptStarted","AttemptFailed","NodeSkipped","NodeCancelled","OutputPinned","AnswerKept"]) },
  RUNNING: { word: "running", terminal: false, glyph: "▶", colour: "active", allows: new Set(["AttemptSucceeded","AttemptFailed","AttemptLost","WaitOpened","AnswerKept","NodeCancelled"]) },
  WAITING: { word: "waiting", terminal: false, glyph: "?", colour: "attention", allows: new Set(["WaitOpened","WaitResolved","WaitExpired","AnswerKept","AttemptSucceeded","AttemptFailed","AttemptLost","NodeCancelled"]) },
  RETRYING: { word: "retrying", terminal: false, glyph: "↻", colour: "caution", allows: new Set(["AttemptStarted","NodeCancelled","AnswerKept"]) },
  DONE: { word: "done", terminal: true, glyph: "✓", colour: "good", allows: new Set(["NodeReset"]) },
  FAILED: { word: "failed", terminal: true, glyph: "✗", colour: "bad", allows: new Set(["NodeReset","RetryScheduled"]) },
  SKIPPED: { word: "skipped", terminal: true, glyph: "»", colour: "muted", allows: new Set(["NodeReset"]) },
  CANCELLED: { word: "cancelled", terminal: true, glyph: "⊘", colour: "muted", allows: new Set(["NodeReset"]) },
};

export const STATUS_CODES: Readonly<Record<string, NodeStatus>> = {
  p: "PENDING",
  r: "RUNNING",
  w: "WAITING",
  t: "RETRYING",
  d: "DONE",
  f: "FAILED",
  s: "SKIPPED",
  c: "CANCELLED",
};
