// Made by js/generate.py from graphrun_nb/core/events.py, core/state.py, protocols.py, view/frames.py and view/recording.py. Do not edit: run `npm run generate`.
import { type JsonObject, flag, jsonObject, later, list, nullable, number, or, struct, table, tagged, text, tuple, union, type Reader, type Tagged } from "./wire";
import { type RunStatus, readRunStatus } from "./status";

export const PROTOCOL = 1;

export interface ValueRef {
  readonly codec: string;
  readonly digest: string;
  readonly size: number;
  readonly preview: string;
}
export const readValueRef: Reader<ValueRef> = struct<ValueRef>({
  codec: or(text, "memory"),
  digest: or(text, ""),
  size: or(number, 0),
  preview: or(text, ""),
});

export interface FrameInfo {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  readonly source: string;
  readonly user: boolean;
}
export const readFrameInfo: Reader<FrameInfo> = struct<FrameInfo>({
  file: text,
  line: number,
  function: text,
  source: or(text, ""),
  user: or(flag, false),
});

export interface ErrorInfo {
  readonly types: readonly string[];
  readonly message: string;
  readonly frames: readonly FrameInfo[];
  readonly notes: readonly string[];
  readonly cause: string;
}
export const readErrorInfo: Reader<ErrorInfo> = struct<ErrorInfo>({
  types: list(text),
  message: or(text, ""),
  frames: or(list(readFrameInfo), []),
  notes: or(list(text), []),
  cause: or(text, ""),
});

export interface NodeInfo {
  readonly node_id: string;
  readonly name: string;
  readonly kind: string;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  readonly outputs: readonly string[];
  readonly labels: readonly string[];
  readonly group: string;
  readonly parent: string;
  readonly max_attempts: number;
  readonly conditional: boolean;
  readonly fingerprint: string;
}
export const readNodeInfo: Reader<NodeInfo> = struct<NodeInfo>({
  node_id: text,
  name: text,
  kind: or(text, "tool"),
  needs: or(list(text), []),
  after: or(list(text), []),
  outputs: or(list(text), []),
  labels: or(list(text), []),
  group: or(text, ""),
  parent: or(text, ""),
  max_attempts: or(number, 1),
  conditional: or(flag, false),
  fingerprint: or(text, ""),
});

export interface WaitInfo {
  readonly no: number;
  readonly kind: string;
  readonly prompt: string;
  readonly schema: JsonObject | null;
  readonly options: readonly string[];
  readonly token_digest: string;
  readonly deadline: number | null;
  readonly on_deadline: string;
  readonly default: ValueRef | null;
  readonly name: string;
}
export const readWaitInfo: Reader<WaitInfo> = struct<WaitInfo>({
  no: number,
  kind: text,
  prompt: or(text, ""),
  schema: or(nullable(jsonObject), null),
  options: or(list(text), []),
  token_digest: or(text, ""),
  deadline: or(nullable(number), null),
  on_deadline: or(text, "fail"),
  default: or(nullable(readValueRef), null),
  name: or(text, ""),
});

export interface OpenWait {
  readonly wait: WaitInfo;
  readonly attempt: number;
  readonly at: number;
}
export const readOpenWait: Reader<OpenWait> = struct<OpenWait>({
  wait: readWaitInfo,
  attempt: number,
  at: number,
});

export interface Signal {
  readonly node_id: string;
  readonly attempt: number;
  readonly stream: string;
  readonly text: string;
  readonly at: number;
}
export const readSignal: Reader<Signal> = struct<Signal>({
  node_id: text,
  attempt: number,
  stream: text,
  text: text,
  at: number,
});

export interface RunStarted {
  readonly kind: "RunStarted";
  readonly graph: string;
  readonly inputs: readonly (readonly [string, ValueRef])[];
  readonly max_concurrency: number;
  readonly session_id: string;
  readonly agent_id: string;
  readonly app_id: string;
  readonly parent: readonly [string, string] | null;
}
export const readRunStarted: Tagged<RunStarted> = tagged<RunStarted>("RunStarted", {
  graph: text,
  inputs: or(list(tuple<readonly [string, ValueRef]>(text, readValueRef)), []),
  max_concurrency: or(number, 4),
  session_id: or(text, ""),
  agent_id: or(text, ""),
  app_id: or(text, ""),
  parent: or(nullable(tuple<readonly [string, string]>(text, text)), null),
});

export interface RunResumed {
  readonly kind: "RunResumed";
  readonly reason: string;
  readonly inputs: readonly (readonly [string, ValueRef])[];
}
export const readRunResumed: Tagged<RunResumed> = tagged<RunResumed>("RunResumed", {
  reason: text,
  inputs: or(list(tuple<readonly [string, ValueRef]>(text, readValueRef)), []),
});

export interface RunForked {
  readonly kind: "RunForked";
  readonly source_run_id: string;
  readonly at_seq: number;
}
export const readRunForked: Tagged<RunForked> = tagged<RunForked>("RunForked", {
  source_run_id: text,
  at_seq: number,
});

export interface SpecAccepted {
  readonly kind: "SpecAccepted";
  readonly fingerprint: string;
  readonly nodes: readonly NodeInfo[];
}
export const readSpecAccepted: Tagged<SpecAccepted> = tagged<SpecAccepted>("SpecAccepted", {
  fingerprint: text,
  nodes: list(readNodeInfo),
});

export interface NodeAdded {
  readonly kind: "NodeAdded";
  readonly node: NodeInfo;
}
export const readNodeAdded: Tagged<NodeAdded> = tagged<NodeAdded>("NodeAdded", {
  node: readNodeInfo,
});

export interface NodeReset {
  readonly kind: "NodeReset";
  readonly node_id: string;
  readonly reason: string;
}
export const readNodeReset: Tagged<NodeReset> = tagged<NodeReset>("NodeReset", {
  node_id: text,
  reason: text,
});

export interface OutputPinned {
  readonly kind: "OutputPinned";
  readonly node_id: string;
  readonly values: readonly ValueRef[];
  readonly source: string;
}
export const readOutputPinned: Tagged<OutputPinned> = tagged<OutputPinned>("OutputPinned", {
  node_id: text,
  values: list(readValueRef),
  source: text,
});

export interface AttemptStarted {
  readonly kind: "AttemptStarted";
  readonly node_id: string;
  readonly attempt: number;
}
export const readAttemptStarted: Tagged<AttemptStarted> = tagged<AttemptStarted>("AttemptStarted", {
  node_id: text,
  attempt: number,
});

export interface AttemptSucceeded {
  readonly kind: "AttemptSucceeded";
  readonly node_id: string;
  readonly attempt: number;
  readonly values: readonly ValueRef[];
}
export const readAttemptSucceeded: Tagged<AttemptSucceeded> = tagged<AttemptSucceeded>("AttemptSucceeded", {
  node_id: text,
  attempt: number,
  values: or(list(readValueRef), []),
});

export interface AttemptFailed {
  readonly kind: "AttemptFailed";
  readonly node_id: string;
  readonly attempt: number;
  readonly error: ErrorInfo;
}
export const readAttemptFailed: Tagged<AttemptFailed> = tagged<AttemptFailed>("AttemptFailed", {
  node_id: text,
  attempt: number,
  error: readErrorInfo,
});

export interface AttemptLost {
  readonly kind: "AttemptLost";
  readonly node_id: string;
  readonly attempt: number;
  readonly reason: string;
}
export const readAttemptLost: Tagged<AttemptLost> = tagged<AttemptLost>("AttemptLost", {
  node_id: text,
  attempt: number,
  reason: text,
});

export interface RetryScheduled {
  readonly kind: "RetryScheduled";
  readonly node_id: string;
  readonly attempt: number;
  readonly due: number;
}
export const readRetryScheduled: Tagged<RetryScheduled> = tagged<RetryScheduled>("RetryScheduled", {
  node_id: text,
  attempt: number,
  due: number,
});

export interface WaitOpened {
  readonly kind: "WaitOpened";
  readonly node_id: string;
  readonly attempt: number;
  readonly wait: WaitInfo;
}
export const readWaitOpened: Tagged<WaitOpened> = tagged<WaitOpened>("WaitOpened", {
  node_id: text,
  attempt: number,
  wait: readWaitInfo,
});

export interface AnswerKept {
  readonly kind: "AnswerKept";
  readonly node_id: string;
  readonly answer: ValueRef;
  readonly name: string;
  readonly key: string;
  readonly by: string;
  readonly letter: number;
}
export const readAnswerKept: Tagged<AnswerKept> = tagged<AnswerKept>("AnswerKept", {
  node_id: text,
  answer: readValueRef,
  name: or(text, ""),
  key: or(text, ""),
  by: or(text, ""),
  letter: or(number, 0),
});

export interface WaitResolved {
  readonly kind: "WaitResolved";
  readonly node_id: string;
  readonly attempt: number;
  readonly no: number;
  readonly answer: ValueRef;
  readonly by: string;
}
export const readWaitResolved: Tagged<WaitResolved> = tagged<WaitResolved>("WaitResolved", {
  node_id: text,
  attempt: number,
  no: number,
  answer: readValueRef,
  by: text,
});

export interface WaitExpired {
  readonly kind: "WaitExpired";
  readonly node_id: string;
  readonly attempt: number;
  readonly no: number;
  readonly outcome: string;
}
export const readWaitExpired: Tagged<WaitExpired> = tagged<WaitExpired>("WaitExpired", {
  node_id: text,
  attempt: number,
  no: number,
  outcome: text,
});

export interface NodeSkipped {
  readonly kind: "NodeSkipped";
  readonly node_id: string;
  readonly because: string;
}
export const readNodeSkipped: Tagged<NodeSkipped> = tagged<NodeSkipped>("NodeSkipped", {
  node_id: text,
  because: or(text, ""),
});

export interface NodeCancelled {
  readonly kind: "NodeCancelled";
  readonly node_id: string;
  readonly because: string;
}
export const readNodeCancelled: Tagged<NodeCancelled> = tagged<NodeCancelled>("NodeCancelled", {
  node_id: text,
  because: or(text, ""),
});

export interface CancelRequested {
  readonly kind: "CancelRequested";
  readonly by: string;
}
export const readCancelRequested: Tagged<CancelRequested> = tagged<CancelRequested>("CancelRequested", {
  by: text,
});

export interface RunFinished {
  readonly kind: "RunFinished";
  readonly status: RunStatus;
  readonly outputs: readonly (readonly [string, ValueRef])[];
}
export const readRunFinished: Tagged<RunFinished> = tagged<RunFinished>("RunFinished", {
  status: readRunStatus,
  outputs: or(list(tuple<readonly [string, ValueRef]>(text, readValueRef)), []),
});

export type RunEvent =
  | RunStarted
  | RunResumed
  | RunForked
  | SpecAccepted
  | NodeAdded
  | NodeReset
  | OutputPinned
  | AttemptStarted
  | AttemptSucceeded
  | AttemptFailed
  | AttemptLost
  | RetryScheduled
  | WaitOpened
  | AnswerKept
  | WaitResolved
  | WaitExpired
  | NodeSkipped
  | NodeCancelled
  | CancelRequested
  | RunFinished;
export const readRunEvent: Reader<RunEvent> = union<RunEvent>(
  readRunStarted,
  readRunResumed,
  readRunForked,
  readSpecAccepted,
  readNodeAdded,
  readNodeReset,
  readOutputPinned,
  readAttemptStarted,
  readAttemptSucceeded,
  readAttemptFailed,
  readAttemptLost,
  readRetryScheduled,
  readWaitOpened,
  readAnswerKept,
  readWaitResolved,
  readWaitExpired,
  readNodeSkipped,
  readNodeCancelled,
  readCancelRequested,
  readRunFinished,
);

export interface EventsFrame {
  readonly kind: "events";
  readonly first: number;
  readonly at: readonly number[];
  readonly events: readonly RunEvent[];
}
export const readEventsFrame: Tagged<EventsFrame> = tagged<EventsFrame>("events", {
  first: number,
  at: list(number),
  events: list(readRunEvent),
});

export interface SnapshotFrame {
  readonly kind: "snapshot";
  readonly seq: number;
  readonly graph: string;
  readonly max_concurrency: number;
  readonly started_at: number;
  readonly ended_at: number;
  readonly cancelled_by: string;
  readonly finished: RunStatus | null;
  readonly nodes: readonly NodeInfo[];
  readonly status: string;
  readonly attempt: readonly number[];
  readonly failures: readonly number[];
  readonly lost: readonly number[];
  readonly started_ms: readonly number[];
  readonly ended_ms: readonly number[];
  readonly due: ReadonlyMap<string, number>;
  readonly waits: ReadonlyMap<string, readonly OpenWait[]>;
  readonly errors: ReadonlyMap<string, ErrorInfo>;
  readonly because: ReadonlyMap<string, string>;
}
export const readSnapshotFrame: Tagged<SnapshotFrame> = tagged<SnapshotFrame>("snapshot", {
  seq: number,
  graph: text,
  max_concurrency: number,
  started_at: number,
  ended_at: number,
  cancelled_by: text,
  finished: nullable(readRunStatus),
  nodes: list(readNodeInfo),
  status: text,
  attempt: list(number),
  failures: list(number),
  lost: list(number),
  started_ms: list(number),
  ended_ms: list(number),
  due: table(number),
  waits: table(list(readOpenWait)),
  errors: table(readErrorInfo),
  because: table(text),
});

export interface LayoutFrame {
  readonly kind: "layout";
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly bends: readonly (readonly number[])[];
  readonly width: number;
  readonly height: number;
  readonly inside: string;
}
export const readLayoutFrame: Tagged<LayoutFrame> = tagged<LayoutFrame>("layout", {
  x: list(number),
  y: list(number),
  bends: list(list(number)),
  width: number,
  height: number,
  inside: or(text, ""),
});

export interface SignalsFrame {
  readonly kind: "signals";
  readonly signals: readonly Signal[];
}
export const readSignalsFrame: Tagged<SignalsFrame> = tagged<SignalsFrame>("signals", {
  signals: list(readSignal),
});

export interface LoopFrame {
  readonly kind: "loop";
  readonly seq: number;
  readonly busy_s: number;
  readonly turns: boolean;
  readonly run_id: string;
  readonly node_id: string;
}
export const readLoopFrame: Tagged<LoopFrame> = tagged<LoopFrame>("loop", {
  seq: number,
  busy_s: or(number, 0.0),
  turns: or(flag, true),
  run_id: or(text, ""),
  node_id: or(text, ""),
});

export interface Reply {
  readonly kind: "reply";
  readonly id: number;
  readonly error: string;
  readonly hint: string;
  readonly errors: readonly (readonly [string, string])[];
  readonly data: JsonObject | null;
}
export const readReply: Tagged<Reply> = tagged<Reply>("reply", {
  id: number,
  error: or(text, ""),
  hint: or(text, ""),
  errors: or(list(tuple<readonly [string, string]>(text, text)), []),
  data: or(nullable(jsonObject), null),
});

export type Frame =
  | EventsFrame
  | SnapshotFrame
  | LayoutFrame
  | SignalsFrame
  | LoopFrame
  | Reply;
export const readFrame: Reader<Frame> = union<Frame>(
  readEventsFrame,
  readSnapshotFrame,
  readLayoutFrame,
  readSignalsFrame,
  readLoopFrame,
  readReply,
);

export interface Branch {
  readonly key: string;
  readonly text: string;
  readonly children: readonly Branch[];
  readonly more: number;
}
export const readBranch: Reader<Branch> = struct<Branch>({
  key: text,
  text: text,
  children: or(list(later(() => readBranch)), []),
  more: or(number, 0),
});

export interface TableLook {
  readonly kind: "table";
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly n_rows: number;
  readonly n_columns: number;
  readonly index: readonly string[];
  readonly numeric: readonly boolean[];
}
export const readTableLook: Tagged<TableLook> = tagged<TableLook>("table", {
  columns: list(text),
  rows: list(list(text)),
  n_rows: number,
  n_columns: number,
  index: or(list(text), []),
  numeric: or(list(flag), []),
});

export interface ArrayLook {
  readonly kind: "array";
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly rows: readonly (readonly string[])[];
  readonly line: readonly (number | null)[];
  readonly pixels: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly low: string;
  readonly high: string;
}
export const readArrayLook: Tagged<ArrayLook> = tagged<ArrayLook>("array", {
  shape: list(number),
  dtype: text,
  rows: or(list(list(text)), []),
  line: or(list(nullable(number)), []),
  pixels: or(text, ""),
  width: or(number, 0),
  height: or(number, 0),
  channels: or(number, 0),
  low: or(text, ""),
  high: or(text, ""),
});

export interface TreeLook {
  readonly kind: "tree";
  readonly root: Branch;
}
export const readTreeLook: Tagged<TreeLook> = tagged<TreeLook>("tree", {
  root: readBranch,
});

export interface ImageLook {
  readonly kind: "image";
  readonly mime: string;
  readonly data: string;
}
export const readImageLook: Tagged<ImageLook> = tagged<ImageLook>("image", {
  mime: text,
  data: text,
});

export interface HtmlLook {
  readonly kind: "html";
  readonly html: string;
}
export const readHtmlLook: Tagged<HtmlLook> = tagged<HtmlLook>("html", {
  html: text,
});

export type Look =
  | TableLook
  | ArrayLook
  | TreeLook
  | ImageLook
  | HtmlLook;
export const readLook: Reader<Look> = union<Look>(
  readTableLook,
  readArrayLook,
  readTreeLook,
  readImageLook,
  readHtmlLook,
);

export interface ValueView {
  readonly name: string;
  readonly type: string;
  readonly text: string;
  readonly truncated: boolean;
  readonly size: string;
  readonly look: Look | null;
  readonly is_rich: boolean;
}
export const readValueView: Reader<ValueView> = struct<ValueView>({
  name: text,
  type: text,
  text: text,
  truncated: or(flag, false),
  size: or(text, ""),
  look: or(nullable(readLook), null),
  is_rich: or(flag, false),
});

export interface ValueLook {
  readonly look: Look | null;
  readonly problem: string;
}
export const readValueLook: Reader<ValueLook> = struct<ValueLook>({
  look: or(nullable(readLook), null),
  problem: or(text, ""),
});

export interface ValueText {
  readonly text: string;
  readonly start: number;
  readonly total: number;
  readonly is_cut: boolean;
}
export const readValueText: Reader<ValueText> = struct<ValueText>({
  text: text,
  start: number,
  total: number,
  is_cut: or(flag, false),
});

export interface NodeDetail {
  readonly node_id: string;
  readonly inputs: readonly ValueView[];
  readonly outputs: readonly ValueView[];
  readonly logs: readonly (readonly [number, string, string])[];
  readonly source: string;
  readonly source_file: string;
  readonly source_line: number;
  readonly story: readonly (readonly [number, number, RunEvent])[];
}
export const readNodeDetail: Reader<NodeDetail> = struct<NodeDetail>({
  node_id: text,
  inputs: or(list(readValueView), []),
  outputs: or(list(readValueView), []),
  logs: or(list(tuple<readonly [number, string, string]>(number, text, text)), []),
  source: or(text, ""),
  source_file: or(text, ""),
  source_line: or(number, 0),
  story: or(list(tuple<readonly [number, number, RunEvent]>(number, number, readRunEvent)), []),
});

export interface Recording {
  readonly version: number;
  readonly run_id: string;
  readonly graph: string;
  readonly saved_at: number;
  readonly events: EventsFrame | null;
  readonly snapshot: SnapshotFrame | null;
  readonly layouts: readonly LayoutFrame[];
  readonly details: readonly NodeDetail[];
}
export const readRecording: Reader<Recording> = struct<Recording>({
  version: number,
  run_id: text,
  graph: text,
  saved_at: number,
  events: or(nullable(readEventsFrame), null),
  snapshot: or(nullable(readSnapshotFrame), null),
  layouts: or(list(readLayoutFrame), []),
  details: or(list(readNodeDetail), []),
});
