// Made by js/generate.py from graphrun_nb/core/events.py, core/state.py, protocols.py, view/frames.py and view/recording.py. Do not edit: run `npm run generate`.
import { type JsonObject, fields, flag, jsonObject, list, nullable, number, or, table, text, tuple, union, type Reader } from "./wire";
import { type RunStatus, readRunStatus } from "./status";

export const PROTOCOL = 1;

export interface ValueRef {
  readonly codec: string;
  readonly digest: string;
  readonly size: number;
  readonly preview: string;
}
export function readValueRef(value: unknown): ValueRef {
  const from = fields(value) as Partial<Record<keyof ValueRef, unknown>>;
  return {
    codec: or(text, "memory")(from.codec),
    digest: or(text, "")(from.digest),
    size: or(number, 0)(from.size),
    preview: or(text, "")(from.preview),
  };
}

export interface FrameInfo {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  readonly source: string;
  readonly user: boolean;
}
export function readFrameInfo(value: unknown): FrameInfo {
  const from = fields(value) as Partial<Record<keyof FrameInfo, unknown>>;
  return {
    file: text(from.file),
    line: number(from.line),
    function: text(from.function),
    source: or(text, "")(from.source),
    user: or(flag, false)(from.user),
  };
}

export interface ErrorInfo {
  readonly types: readonly string[];
  readonly message: string;
  readonly frames: readonly FrameInfo[];
  readonly notes: readonly string[];
  readonly cause: string;
}
export function readErrorInfo(value: unknown): ErrorInfo {
  const from = fields(value) as Partial<Record<keyof ErrorInfo, unknown>>;
  return {
    types: list(text)(from.types),
    message: or(text, "")(from.message),
    frames: or(list(readFrameInfo), [])(from.frames),
    notes: or(list(text), [])(from.notes),
    cause: or(text, "")(from.cause),
  };
}

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
export function readNodeInfo(value: unknown): NodeInfo {
  const from = fields(value) as Partial<Record<keyof NodeInfo, unknown>>;
  return {
    node_id: text(from.node_id),
    name: text(from.name),
    kind: or(text, "tool")(from.kind),
    needs: or(list(text), [])(from.needs),
    after: or(list(text), [])(from.after),
    outputs: or(list(text), [])(from.outputs),
    labels: or(list(text), [])(from.labels),
    group: or(text, "")(from.group),
    parent: or(text, "")(from.parent),
    max_attempts: or(number, 1)(from.max_attempts),
    conditional: or(flag, false)(from.conditional),
    fingerprint: or(text, "")(from.fingerprint),
  };
}

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
export function readWaitInfo(value: unknown): WaitInfo {
  const from = fields(value) as Partial<Record<keyof WaitInfo, unknown>>;
  return {
    no: number(from.no),
    kind: text(from.kind),
    prompt: or(text, "")(from.prompt),
    schema: or(nullable(jsonObject), null)(from.schema),
    options: or(list(text), [])(from.options),
    token_digest: or(text, "")(from.token_digest),
    deadline: or(nullable(number), null)(from.deadline),
    on_deadline: or(text, "fail")(from.on_deadline),
    default: or(nullable(readValueRef), null)(from.default),
    name: or(text, "")(from.name),
  };
}

export interface OpenWait {
  readonly wait: WaitInfo;
  readonly attempt: number;
  readonly at: number;
}
export function readOpenWait(value: unknown): OpenWait {
  const from = fields(value) as Partial<Record<keyof OpenWait, unknown>>;
  return {
    wait: readWaitInfo(from.wait),
    attempt: number(from.attempt),
    at: number(from.at),
  };
}

export interface Signal {
  readonly node_id: string;
  readonly attempt: number;
  readonly stream: string;
  readonly text: string;
  readonly at: number;
}
export function readSignal(value: unknown): Signal {
  const from = fields(value) as Partial<Record<keyof Signal, unknown>>;
  return {
    node_id: text(from.node_id),
    attempt: number(from.attempt),
    stream: text(from.stream),
    text: text(from.text),
    at: number(from.at),
  };
}

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
export function readRunStarted(value: unknown): RunStarted {
  const from = fields(value) as Partial<Record<keyof RunStarted, unknown>>;
  return {
    kind: "RunStarted",
    graph: text(from.graph),
    inputs: or(list(tuple<readonly [string, ValueRef]>(text, readValueRef)), [])(from.inputs),
    max_concurrency: or(number, 4)(from.max_concurrency),
    session_id: or(text, "")(from.session_id),
    agent_id: or(text, "")(from.agent_id),
    app_id: or(text, "")(from.app_id),
    parent: or(nullable(tuple<readonly [string, string]>(text, text)), null)(from.parent),
  };
}

export interface RunResumed {
  readonly kind: "RunResumed";
  readonly reason: string;
  readonly inputs: readonly (readonly [string, ValueRef])[];
}
export function readRunResumed(value: unknown): RunResumed {
  const from = fields(value) as Partial<Record<keyof RunResumed, unknown>>;
  return {
    kind: "RunResumed",
    reason: text(from.reason),
    inputs: or(list(tuple<readonly [string, ValueRef]>(text, readValueRef)), [])(from.inputs),
  };
}

export interface RunForked {
  readonly kind: "RunForked";
  readonly source_run_id: string;
  readonly at_seq: number;
}
export function readRunForked(value: unknown): RunForked {
  const from = fields(value) as Partial<Record<keyof RunForked, unknown>>;
  return {
    kind: "RunForked",
    source_run_id: text(from.source_run_id),
    at_seq: number(from.at_seq),
  };
}

export interface SpecAccepted {
  readonly kind: "SpecAccepted";
  readonly fingerprint: string;
  readonly nodes: readonly NodeInfo[];
}
export function readSpecAccepted(value: unknown): SpecAccepted {
  const from = fields(value) as Partial<Record<keyof SpecAccepted, unknown>>;
  return {
    kind: "SpecAccepted",
    fingerprint: text(from.fingerprint),
    nodes: list(readNodeInfo)(from.nodes),
  };
}

export interface NodeAdded {
  readonly kind: "NodeAdded";
  readonly node: NodeInfo;
}
export function readNodeAdded(value: unknown): NodeAdded {
  const from = fields(value) as Partial<Record<keyof NodeAdded, unknown>>;
  return {
    kind: "NodeAdded",
    node: readNodeInfo(from.node),
  };
}

export interface NodeReset {
  readonly kind: "NodeReset";
  readonly node_id: string;
  readonly reason: string;
}
export function readNodeReset(value: unknown): NodeReset {
  const from = fields(value) as Partial<Record<keyof NodeReset, unknown>>;
  return {
    kind: "NodeReset",
    node_id: text(from.node_id),
    reason: text(from.reason),
  };
}

export interface OutputPinned {
  readonly kind: "OutputPinned";
  readonly node_id: string;
  readonly values: readonly ValueRef[];
  readonly source: string;
}
export function readOutputPinned(value: unknown): OutputPinned {
  const from = fields(value) as Partial<Record<keyof OutputPinned, unknown>>;
  return {
    kind: "OutputPinned",
    node_id: text(from.node_id),
    values: list(readValueRef)(from.values),
    source: text(from.source),
  };
}

export interface AttemptStarted {
  readonly kind: "AttemptStarted";
  readonly node_id: string;
  readonly attempt: number;
}
export function readAttemptStarted(value: unknown): AttemptStarted {
  const from = fields(value) as Partial<Record<keyof AttemptStarted, unknown>>;
  return {
    kind: "AttemptStarted",
    node_id: text(from.node_id),
    attempt: number(from.attempt),
  };
}

export interface AttemptSucceeded {
  readonly kind: "AttemptSucceeded";
  readonly node_id: string;
  readonly attempt: number;
  readonly values: readonly ValueRef[];
}
export function readAttemptSucceeded(value: unknown): AttemptSucceeded {
  const from = fields(value) as Partial<Record<keyof AttemptSucceeded, unknown>>;
  return {
    kind: "AttemptSucceeded",
    node_id: text(from.node_id),
    attempt: number(from.attempt),
    values: or(list(readValueRef), [])(from.values),
  };
}

export interface AttemptFailed {
  readonly kind: "AttemptFailed";
  readonly node_id: string;
  readonly attempt: number;
  readonly error: ErrorInfo;
}
export function readAttemptFailed(value: unknown): AttemptFailed {
  const from = fields(value) as Partial<Record<keyof AttemptFailed, unknown>>;
  return {
    kind: "AttemptFailed",
    node_id: text(from.node_id),
    attempt: number(from.attempt),
    error: readErrorInfo(from.error),
  };
}

export interface AttemptLost {
  readonly kind: "AttemptLost";
  readonly node_id: string;
  readonly attempt: number;
  readonly reason: string;
}
export function readAttemptLost(value: unknown): AttemptLost {
  const from = fields(value) as Partial<Record<keyof AttemptLost, unknown>>;
  return {
    kind: "AttemptLost",
    node_id: text(from.node_id),
    attempt: number(from.attempt),
    reason: text(from.reason),
  };
}

export interface RetryScheduled {
  readonly kind: "RetryScheduled";
  readonly node_id: string;
  readonly attempt: number;
  readonly due: number;
}
export function readRetryScheduled(value: unknown): RetryScheduled {
  const from = fields(value) as Partial<Record<keyof RetryScheduled, unknown>>;
  return {
    kind: "RetryScheduled",
    node_id: text(from.node_id),
    attempt: number(from.attempt),
    due: number(from.due),
  };
}

export interface WaitOpened {
  readonly kind: "WaitOpened";
  readonly node_id: string;
  readonly attempt: number;
  readonly wait: WaitInfo;
}
export function readWaitOpened(value: unknown): WaitOpened {
  const from = fields(value) as Partial<Record<keyof WaitOpened, unknown>>;
  return {
    kind: "WaitOpened",
    node_id: text(from.node_id),
    attempt: number(from.attempt),
    wait: readWaitInfo(from.wait),
  };
}

export interface AnswerKept {
  readonly kind: "AnswerKept";
  readonly node_id: string;
  readonly answer: ValueRef;
  readonly name: string;
  readonly key: string;
  readonly by: string;
  readonly letter: number;
}
export function readAnswerKept(value: unknown): AnswerKept {
  const from = fields(value) as Partial<Record<keyof AnswerKept, unknown>>;
  return {
    kind: "AnswerKept",
    node_id: text(from.node_id),
    answer: readValueRef(from.answer),
    name: or(text, "")(from.name),
    key: or(text, "")(from.key),
    by: or(text, "")(from.by),
    letter: or(number, 0)(from.letter),
  };
}

export interface WaitResolved {
  readonly kind: "WaitResolved";
  readonly node_id: string;
  readonly attempt: number;
  readonly no: number;
  readonly answer: ValueRef;
  readonly by: string;
}
export function readWaitResolved(value: unknown): WaitResolved {
  const from = fields(value) as Partial<Record<keyof WaitResolved, unknown>>;
  return {
    kind: "WaitResolved",
    node_id: text(from.node_id),
    attempt: number(from.attempt),
    no: number(from.no),
    answer: readValueRef(from.answer),
    by: text(from.by),
  };
}

export interface WaitExpired {
  readonly kind: "WaitExpired";
  readonly node_id: string;
  readonly attempt: number;
  readonly no: number;
  readonly outcome: string;
}
export function readWaitExpired(value: unknown): WaitExpired {
  const from = fields(value) as Partial<Record<keyof WaitExpired, unknown>>;
  return {
    kind: "WaitExpired",
    node_id: text(from.node_id),
    attempt: number(from.attempt),
    no: number(from.no),
    outcome: text(from.outcome),
  };
}

export interface NodeSkipped {
  readonly kind: "NodeSkipped";
  readonly node_id: string;
  readonly because: string;
}
export function readNodeSkipped(value: unknown): NodeSkipped {
  const from = fields(value) as Partial<Record<keyof NodeSkipped, unknown>>;
  return {
    kind: "NodeSkipped",
    node_id: text(from.node_id),
    because: or(text, "")(from.because),
  };
}

export interface NodeCancelled {
  readonly kind: "NodeCancelled";
  readonly node_id: string;
  readonly because: string;
}
export function readNodeCancelled(value: unknown): NodeCancelled {
  const from = fields(value) as Partial<Record<keyof NodeCancelled, unknown>>;
  return {
    kind: "NodeCancelled",
    node_id: text(from.node_id),
    because: or(text, "")(from.because),
  };
}

export interface CancelRequested {
  readonly kind: "CancelRequested";
  readonly by: string;
}
export function readCancelRequested(value: unknown): CancelRequested {
  const from = fields(value) as Partial<Record<keyof CancelRequested, unknown>>;
  return {
    kind: "CancelRequested",
    by: text(from.by),
  };
}

export interface RunFinished {
  readonly kind: "RunFinished";
  readonly status: RunStatus;
  readonly outputs: readonly (readonly [string, ValueRef])[];
}
export function readRunFinished(value: unknown): RunFinished {
  const from = fields(value) as Partial<Record<keyof RunFinished, unknown>>;
  return {
    kind: "RunFinished",
    status: readRunStatus(from.status),
    outputs: or(list(tuple<readonly [string, ValueRef]>(text, readValueRef)), [])(from.outputs),
  };
}

export interface EventsFrame {
  readonly kind: "events";
  readonly first: number;
  readonly at: readonly number[];
  readonly events: readonly RunEvent[];
}
export function readEventsFrame(value: unknown): EventsFrame {
  const from = fields(value) as Partial<Record<keyof EventsFrame, unknown>>;
  return {
    kind: "events",
    first: number(from.first),
    at: list(number)(from.at),
    events: list(readRunEvent)(from.events),
  };
}

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
export function readSnapshotFrame(value: unknown): SnapshotFrame {
  const from = fields(value) as Partial<Record<keyof SnapshotFrame, unknown>>;
  return {
    kind: "snapshot",
    seq: number(from.seq),
    graph: text(from.graph),
    max_concurrency: number(from.max_concurrency),
    started_at: number(from.started_at),
    ended_at: number(from.ended_at),
    cancelled_by: text(from.cancelled_by),
    finished: nullable(readRunStatus)(from.finished),
    nodes: list(readNodeInfo)(from.nodes),
    status: text(from.status),
    attempt: list(number)(from.attempt),
    failures: list(number)(from.failures),
    lost: list(number)(from.lost),
    started_ms: list(number)(from.started_ms),
    ended_ms: list(number)(from.ended_ms),
    due: table(number)(from.due),
    waits: table(list(readOpenWait))(from.waits),
    errors: table(readErrorInfo)(from.errors),
    because: table(text)(from.because),
  };
}

export interface LayoutFrame {
  readonly kind: "layout";
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly bends: readonly (readonly number[])[];
  readonly width: number;
  readonly height: number;
  readonly inside: string;
}
export function readLayoutFrame(value: unknown): LayoutFrame {
  const from = fields(value) as Partial<Record<keyof LayoutFrame, unknown>>;
  return {
    kind: "layout",
    x: list(number)(from.x),
    y: list(number)(from.y),
    bends: list(list(number))(from.bends),
    width: number(from.width),
    height: number(from.height),
    inside: or(text, "")(from.inside),
  };
}

export interface SignalsFrame {
  readonly kind: "signals";
  readonly signals: readonly Signal[];
}
export function readSignalsFrame(value: unknown): SignalsFrame {
  const from = fields(value) as Partial<Record<keyof SignalsFrame, unknown>>;
  return {
    kind: "signals",
    signals: list(readSignal)(from.signals),
  };
}

export interface LoopFrame {
  readonly kind: "loop";
  readonly seq: number;
  readonly busy_s: number;
  readonly turns: boolean;
  readonly run_id: string;
  readonly node_id: string;
}
export function readLoopFrame(value: unknown): LoopFrame {
  const from = fields(value) as Partial<Record<keyof LoopFrame, unknown>>;
  return {
    kind: "loop",
    seq: number(from.seq),
    busy_s: or(number, 0.0)(from.busy_s),
    turns: or(flag, true)(from.turns),
    run_id: or(text, "")(from.run_id),
    node_id: or(text, "")(from.node_id),
  };
}

export interface Reply {
  readonly kind: "reply";
  readonly id: number;
  readonly error: string;
  readonly hint: string;
  readonly errors: readonly (readonly [string, string])[];
  readonly data: JsonObject | null;
}
export function readReply(value: unknown): Reply {
  const from = fields(value) as Partial<Record<keyof Reply, unknown>>;
  return {
    kind: "reply",
    id: number(from.id),
    error: or(text, "")(from.error),
    hint: or(text, "")(from.hint),
    errors: or(list(tuple<readonly [string, string]>(text, text)), [])(from.errors),
    data: or(nullable(jsonObject), null)(from.data),
  };
}

export interface Branch {
  readonly key: string;
  readonly text: string;
  readonly children: readonly Branch[];
  readonly more: number;
}
export function readBranch(value: unknown): Branch {
  const from = fields(value) as Partial<Record<keyof Branch, unknown>>;
  return {
    key: text(from.key),
    text: text(from.text),
    children: or(list(readBranch), [])(from.children),
    more: or(number, 0)(from.more),
  };
}

export interface TableLook {
  readonly kind: "table";
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly n_rows: number;
  readonly n_columns: number;
  readonly index: readonly string[];
  readonly numeric: readonly boolean[];
}
export function readTableLook(value: unknown): TableLook {
  const from = fields(value) as Partial<Record<keyof TableLook, unknown>>;
  return {
    kind: "table",
    columns: list(text)(from.columns),
    rows: list(list(text))(from.rows),
    n_rows: number(from.n_rows),
    n_columns: number(from.n_columns),
    index: or(list(text), [])(from.index),
    numeric: or(list(flag), [])(from.numeric),
  };
}

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
export function readArrayLook(value: unknown): ArrayLook {
  const from = fields(value) as Partial<Record<keyof ArrayLook, unknown>>;
  return {
    kind: "array",
    shape: list(number)(from.shape),
    dtype: text(from.dtype),
    rows: or(list(list(text)), [])(from.rows),
    line: or(list(nullable(number)), [])(from.line),
    pixels: or(text, "")(from.pixels),
    width: or(number, 0)(from.width),
    height: or(number, 0)(from.height),
    channels: or(number, 0)(from.channels),
    low: or(text, "")(from.low),
    high: or(text, "")(from.high),
  };
}

export interface TreeLook {
  readonly kind: "tree";
  readonly root: Branch;
}
export function readTreeLook(value: unknown): TreeLook {
  const from = fields(value) as Partial<Record<keyof TreeLook, unknown>>;
  return {
    kind: "tree",
    root: readBranch(from.root),
  };
}

export interface ImageLook {
  readonly kind: "image";
  readonly mime: string;
  readonly data: string;
}
export function readImageLook(value: unknown): ImageLook {
  const from = fields(value) as Partial<Record<keyof ImageLook, unknown>>;
  return {
    kind: "image",
    mime: text(from.mime),
    data: text(from.data),
  };
}

export interface HtmlLook {
  readonly kind: "html";
  readonly html: string;
}
export function readHtmlLook(value: unknown): HtmlLook {
  const from = fields(value) as Partial<Record<keyof HtmlLook, unknown>>;
  return {
    kind: "html",
    html: text(from.html),
  };
}

export interface ValueView {
  readonly name: string;
  readonly type: string;
  readonly text: string;
  readonly truncated: boolean;
  readonly size: string;
  readonly look: Look | null;
  readonly is_rich: boolean;
}
export function readValueView(value: unknown): ValueView {
  const from = fields(value) as Partial<Record<keyof ValueView, unknown>>;
  return {
    name: text(from.name),
    type: text(from.type),
    text: text(from.text),
    truncated: or(flag, false)(from.truncated),
    size: or(text, "")(from.size),
    look: or(nullable(readLook), null)(from.look),
    is_rich: or(flag, false)(from.is_rich),
  };
}

export interface ValueLook {
  readonly look: Look | null;
  readonly problem: string;
}
export function readValueLook(value: unknown): ValueLook {
  const from = fields(value) as Partial<Record<keyof ValueLook, unknown>>;
  return {
    look: or(nullable(readLook), null)(from.look),
    problem: or(text, "")(from.problem),
  };
}

export interface ValueText {
  readonly text: string;
  readonly start: number;
  readonly total: number;
  readonly is_cut: boolean;
}
export function readValueText(value: unknown): ValueText {
  const from = fields(value) as Partial<Record<keyof ValueText, unknown>>;
  return {
    text: text(from.text),
    start: number(from.start),
    total: number(from.total),
    is_cut: or(flag, false)(from.is_cut),
  };
}

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
export function readNodeDetail(value: unknown): NodeDetail {
  const from = fields(value) as Partial<Record<keyof NodeDetail, unknown>>;
  return {
    node_id: text(from.node_id),
    inputs: or(list(readValueView), [])(from.inputs),
    outputs: or(list(readValueView), [])(from.outputs),
    logs: or(list(tuple<readonly [number, string, string]>(number, text, text)), [])(from.logs),
    source: or(text, "")(from.source),
    source_file: or(text, "")(from.source_file),
    source_line: or(number, 0)(from.source_line),
    story: or(list(tuple<readonly [number, number, RunEvent]>(number, number, readRunEvent)), [])(from.story),
  };
}

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
export function readRecording(value: unknown): Recording {
  const from = fields(value) as Partial<Record<keyof Recording, unknown>>;
  return {
    version: number(from.version),
    run_id: text(from.run_id),
    graph: text(from.graph),
    saved_at: number(from.saved_at),
    events: or(nullable(readEventsFrame), null)(from.events),
    snapshot: or(nullable(readSnapshotFrame), null)(from.snapshot),
    layouts: or(list(readLayoutFrame), [])(from.layouts),
    details: or(list(readNodeDetail), [])(from.details),
  };
}

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
const runEventReaders = new Map<string, Reader<RunEvent>>([
  ["RunStarted", readRunStarted],
  ["RunResumed", readRunResumed],
  ["RunForked", readRunForked],
  ["SpecAccepted", readSpecAccepted],
  ["NodeAdded", readNodeAdded],
  ["NodeReset", readNodeReset],
  ["OutputPinned", readOutputPinned],
  ["AttemptStarted", readAttemptStarted],
  ["AttemptSucceeded", readAttemptSucceeded],
  ["AttemptFailed", readAttemptFailed],
  ["AttemptLost", readAttemptLost],
  ["RetryScheduled", readRetryScheduled],
  ["WaitOpened", readWaitOpened],
  ["AnswerKept", readAnswerKept],
  ["WaitResolved", readWaitResolved],
  ["WaitExpired", readWaitExpired],
  ["NodeSkipped", readNodeSkipped],
  ["NodeCancelled", readNodeCancelled],
  ["CancelRequested", readCancelRequested],
  ["RunFinished", readRunFinished],
]);
export const readRunEvent: Reader<RunEvent> = (value) => union(runEventReaders)(value);

export type Frame =
  | EventsFrame
  | SnapshotFrame
  | LayoutFrame
  | SignalsFrame
  | LoopFrame
  | Reply;
const frameReaders = new Map<string, Reader<Frame>>([
  ["events", readEventsFrame],
  ["snapshot", readSnapshotFrame],
  ["layout", readLayoutFrame],
  ["signals", readSignalsFrame],
  ["loop", readLoopFrame],
  ["reply", readReply],
]);
export const readFrame: Reader<Frame> = (value) => union(frameReaders)(value);

export type Look =
  | TableLook
  | ArrayLook
  | TreeLook
  | ImageLook
  | HtmlLook;
const lookReaders = new Map<string, Reader<Look>>([
  ["table", readTableLook],
  ["array", readArrayLook],
  ["tree", readTreeLook],
  ["image", readImageLook],
  ["html", readHtmlLook],
]);
export const readLook: Reader<Look> = (value) => union(lookReaders)(value);
