/** Attempts over time, told by the log: when each could start, started, waited and ended. Pure. */

import type { Ran } from "./critical";
import { duration } from "./format";
import type { History } from "./history";
import type { NodeInfo, RunEvent } from "./protocol";
import { CONTAINERS } from "./select";
import type { RunState } from "./state";
import { NODE_STATUS, type NodeStatus } from "./status";

/** Shorter than this nobody calls it waiting for a slot. */
const SHORTEST_S = 0.0005;

/** An open wait has no end yet: `to` is infinite, as is the number of the event that ends it. */
export interface Pause {
  readonly no: number;
  readonly from: number;
  readonly fromSeq: number;
  to: number;
  toSeq: number;
}

/** One attempt; instants in Unix seconds. While it goes on `endedAt` and `endedSeq` are infinite. */
export interface Bar {
  readonly attempt: number;
  /** When nothing but a free slot was missing any more. */
  readonly readyAt: number;
  readonly startedAt: number;
  readonly startedSeq: number;
  endedAt: number;
  endedSeq: number;
  /** How it ended. */
  status: NodeStatus;
  readonly pauses: Pause[];
  /** When the next attempt is due, or 0. */
  dueAt: number;
}

export interface Row {
  readonly id: string;
  readonly name: string;
  readonly container: boolean;
  /** How many containers it is inside of. */
  readonly depth: number;
  readonly bars: readonly Bar[];
}

interface Node {
  info: NodeInfo;
  readonly bars: Bar[];
  /** The number of bars from before it was last reset. */
  before: number;
  /** Since when it has been there to be run. */
  since: number;
  /** When it last ended, or 0 while it is open. */
  endedAt: number;
  dueAt: number;
}

export class Timeline {
  readonly #nodes = new Map<string, Node>();
  /** Ids in order of their first attempt. */
  readonly #started: string[] = [];
  #upTo = 0;
  #rows: readonly Row[] = [];
  #n = 0;

  /** Takes in what is new. O(events that are new). */
  advance(history: History): void {
    for (; this.#upTo < history.known; this.#upTo++) {
      const recorded = history.event(this.#upTo + 1);
      if (recorded !== null) this.#take(recorded.event, recorded.at, recorded.seq);
    }
  }

  /** All nodes that have begun, by their first start, each container followed by its parts. O(rows) if there are new ones. */
  rows(): readonly Row[] {
    if (this.#n === this.#started.length) return this.#rows;
    this.#n = this.#started.length;
    const inside = new Map<string, string[]>();
    for (const id of this.#started) {
      const parent = this.#nodes.get(id)?.info.parent ?? "";
      const container = this.#nodes.has(parent) ? parent : "";
      const known = inside.get(container);
      if (known === undefined) inside.set(container, [id]);
      else known.push(id);
    }
    const rows: Row[] = [];
    const visit = (container: string, depth: number): void => {
      for (const id of inside.get(container) ?? []) {
        const node = this.#nodes.get(id);
        if (node === undefined) continue;
        rows.push({ id, name: node.info.name, container: CONTAINERS.has(node.info.kind), depth, bars: node.bars });
        visit(id, depth + 1);
      }
    };
    visit("", 0);
    this.#rows = rows;
    return rows;
  }

  /** What ran since it was last reset, up to event `seq`, for `criticalPath`. O(nodes). */
  ran(seq: number, now: number): Ran[] {
    const found: Ran[] = [];
    for (const { info, bars, before } of this.#nodes.values()) {
      const shown = bars.slice(before).flatMap((bar) => shownBar(bar, seq, now) ?? []);
      const last = shown.at(-1);
      if (last !== undefined) found.push({ info, from: shown[0]?.bar.startedAt ?? 0, to: last.endedAt });
    }
    return found;
  }

  #take(event: RunEvent, at: number, seq: number): void {
    switch (event.kind) {
      case "SpecAccepted":
        for (const info of event.nodes) this.#define(info, at);
        break;
      case "NodeAdded":
        this.#define(event.node, at);
        break;
      case "RunResumed":
        for (const node of this.#nodes.values()) node.since = Math.max(node.since, at);
        break;
      default:
        if (!("node_id" in event)) return;
        this.#takeOf(this.#nodes.get(event.node_id), event, at, seq);
    }
  }

  #takeOf(node: Node | undefined, event: Extract<RunEvent, { node_id: string }>, at: number, seq: number): void {
    if (node === undefined) return;
    const bar = node.bars.at(-1);
    switch (event.kind) {
      case "AttemptStarted":
        node.endedAt = 0;
        this.#begin(node, event.attempt, at, seq);
        break;
      case "AttemptSucceeded":
        end(node, "DONE", at, seq);
        break;
      case "AttemptFailed":
        if (event.attempt === 0) this.#begin(node, 0, at, seq);
        end(node, "FAILED", at, seq);
        break;
      case "AttemptLost":
        end(node, "CANCELLED", at, seq);
        node.endedAt = 0;
        break;
      case "NodeCancelled":
        end(node, "CANCELLED", at, seq);
        break;
      case "NodeSkipped":
      case "OutputPinned":
        node.endedAt = at;
        break;
      case "NodeReset":
        node.endedAt = 0;
        node.dueAt = 0;
        node.since = at;
        node.before = node.bars.length;
        break;
      case "RetryScheduled":
        node.endedAt = 0;
        node.dueAt = event.due;
        if (bar !== undefined) bar.dueAt = event.due;
        break;
      case "WaitOpened":
        bar?.pauses.push({ no: event.wait.no, from: at, fromSeq: seq, to: Infinity, toSeq: Infinity });
        break;
      case "WaitResolved":
      case "WaitExpired": {
        const pause = bar?.pauses.find((each) => each.no === event.no && each.to === Infinity);
        if (pause !== undefined) [pause.to, pause.toSeq] = [at, seq];
        break;
      }
      default:
        break;
    }
  }

  #define(info: NodeInfo, at: number): void {
    const known = this.#nodes.get(info.node_id);
    if (known !== undefined) known.info = info;
    else this.#nodes.set(info.node_id, { info, bars: [], before: 0, since: at, endedAt: 0, dueAt: 0 });
  }

  #begin(node: Node, attempt: number, at: number, seq: number): void {
    const { info } = node;
    let readyAt = Math.max(node.since, node.dueAt, this.#nodes.get(info.parent)?.bars.at(-1)?.startedAt ?? 0);
    for (const id of info.needs) readyAt = Math.max(readyAt, this.#nodes.get(id)?.endedAt ?? 0);
    for (const id of info.after) readyAt = Math.max(readyAt, this.#nodes.get(id)?.endedAt ?? 0);
    if (node.bars.length === 0) this.#started.push(info.node_id);
    node.dueAt = 0;
    node.bars.push({
      attempt,
      readyAt: Math.min(readyAt, at),
      startedAt: at,
      startedSeq: seq,
      endedAt: Infinity,
      endedSeq: Infinity,
      status: "RUNNING",
      pauses: [],
      dueAt: 0,
    });
  }
}

function end(node: Node, status: NodeStatus, at: number, seq: number): void {
  node.endedAt = at;
  node.dueAt = 0;
  const bar = node.bars.at(-1);
  if (bar === undefined || bar.endedSeq < Infinity) return;
  bar.endedAt = at;
  bar.endedSeq = seq;
  bar.status = status;
  for (const pause of bar.pauses) if (pause.to === Infinity) [pause.to, pause.toSeq] = [at, seq];
}

/** The latest attempt of each node is all that a state tells: for as long as its events are not here. O(nodes). */
export function rowsOf(state: RunState): readonly Row[] {
  const rows: Row[] = [];
  for (const [id, node] of state.nodes) {
    if (node.attempt === 0 || node.started_at === 0) continue;
    const endedAt = node.ended_at > 0 ? node.ended_at : Infinity;
    const bar: Bar = {
      attempt: node.attempt,
      readyAt: node.started_at,
      startedAt: node.started_at,
      startedSeq: 0,
      endedAt,
      endedSeq: endedAt,
      status: node.status,
      pauses: node.waits.map(({ wait, at }) => ({ no: wait.no, from: at, fromSeq: 0, to: Infinity, toSeq: Infinity })),
      dueAt: node.due,
    };
    rows.push({ id, name: node.info.name, container: CONTAINERS.has(node.info.kind), depth: 0, bars: [bar] });
  }
  return rows.sort((a, b) => (a.bars[0]?.startedAt ?? 0) - (b.bars[0]?.startedAt ?? 0));
}

/** A bar as it stood at an event: what came later is cut off. Null if it had not begun. */
export interface Shown {
  readonly bar: Bar;
  readonly endedAt: number;
  readonly status: NodeStatus;
  readonly open: boolean;
}

/** Tells whether something that event `endSeq` ends, or none yet, is still going on at event `seq`, or now. */
export function isAfter(endSeq: number, seq: number): boolean {
  return endSeq > seq || endSeq === Infinity;
}

/** `seq`: the event that is shown, infinite for now; `now`: its instant. */
export function shownBar(bar: Bar, seq: number, now: number): Shown | null {
  if (bar.startedSeq > seq) return null;
  const open = isAfter(bar.endedSeq, seq);
  const waits = bar.pauses.some((pause) => pause.fromSeq <= seq && isAfter(pause.toSeq, seq));
  const status = open ? (waits ? "WAITING" : "RUNNING") : bar.status;
  return { bar, endedAt: open ? Math.max(now, bar.startedAt) : bar.endedAt, status, open };
}

/** `fit: failed, 2 attempts, queued 0.2 s, ran 3.1 s`. */
export function rowText({ id, bars }: Row, seq: number, now: number): string {
  const seen = bars.flatMap((bar) => shownBar(bar, seq, now) ?? []);
  const last = seen.at(-1);
  const tries = seen.length > 1 ? [`${seen.length} attempts`] : [];
  return last === undefined ? id : [`${id}: ${NODE_STATUS[last.status].word}`, ...tries, ...times(last)].join(", ");
}

/** The same of one attempt. */
export function barText({ name, bars }: Row, shown: Shown): string {
  const attempt = bars.length > 1 ? [`attempt ${shown.bar.attempt}`] : [];
  return [name, ...attempt, NODE_STATUS[shown.status].word, ...times(shown)].join(" · ");
}

/** How long it was ready without running, and how long it ran. */
function times({ bar, endedAt }: Shown): readonly string[] {
  const queued = bar.startedAt - bar.readyAt;
  const ran = `ran ${duration(endedAt - bar.startedAt)}`;
  return queued < SHORTEST_S ? [ran] : [`queued ${duration(queued)}`, ran];
}
