/** What a view knows of its run: the state, the events that led to it, the layout, and bounded telemetry. */

import { signal } from "@preact/signals-core";
import type { EventsFrame, LayoutFrame, RunEvent, Signal, SignalsFrame, SnapshotFrame } from "./protocol";
import { apply } from "./reducer";
import { unpack } from "./snapshot";
import { type NodeState, newRun, type RunState } from "./state";

export interface Recorded {
  readonly seq: number;
  readonly at: number;
  readonly event: RunEvent;
}

/** How far an attempt says it is; `share` is between 0 and 1, or null where nobody knows the end. */
export interface Progress {
  readonly attempt: number;
  readonly share: number | null;
  readonly text: string;
}

const MAX_LINES = 500;
const PROGRESS = /^(\S+?)(?:\/(\S+))?(?: .*)?$/s;
const TOPOLOGY = new Set(["SpecAccepted", "NodeAdded"]);

/** Tells whether the next line of the same stream takes this one's place. */
export function isUnfinished(text: string): boolean {
  return text.startsWith("\r");
}

export class Store {
  state: RunState = newRun();
  /** By the container whose parts it places. */
  readonly layouts = new Map<string, LayoutFrame>();
  /** Rises with every change of the state; views read it to be told. */
  readonly version = signal(0);
  /** Rises when nodes or edges came or went. */
  readonly topology = signal(0);
  /** Rises when the kernel has laid the graph out. */
  readonly placed = signal(0);
  /** Rises with every line of output. */
  readonly telemetry = signal(0);
  /** Rises when an attempt says how far it is. */
  readonly progressed = signal(0);
  readonly #stories = new Map<string, Recorded[]>();
  readonly #lines = new Map<string, Signal[]>();
  readonly #progress = new Map<string, Progress>();
  #historyFrom = 1;

  /** Appends the events that are new; the caller has made sure that none is missing before them. */
  append(frame: EventsFrame): void {
    if (frame.events.length !== frame.at.length) throw new Error("events and instants differ in number");
    let grown = false;
    try {
      for (let i = this.state.seq + 1 - frame.first; i < frame.events.length; i++) {
        const event = frame.events[i];
        const at = frame.at[i];
        if (event === undefined || at === undefined) continue;
        apply(this.state, event, at);
        this.#remember({ seq: this.state.seq, at, event });
        grown ||= TOPOLOGY.has(event.kind);
      }
    } finally {
      if (grown) this.topology.value += 1;
      this.version.value += 1;
    }
  }

  /** Takes over a packed state; false if it leaves out definitions that are unknown here. */
  replace(frame: SnapshotFrame): boolean {
    const state = unpack(frame, this.state);
    if (state === null) return false;
    if (frame.seq > this.state.seq) {
      this.#stories.clear();
      this.#historyFrom = frame.seq + 1;
    }
    this.state = state;
    if (frame.nodes.length > 0) this.topology.value += 1;
    this.version.value += 1;
    return true;
  }

  place(frame: LayoutFrame): void {
    this.layouts.set(frame.inside, frame);
    this.placed.value += 1;
  }

  hear({ signals }: SignalsFrame): void {
    let moved = false;
    for (const heard of signals) {
      if (heard.stream === "progress") {
        this.#progress.set(heard.node_id, readProgress(heard));
        moved = true;
        continue;
      }
      const lines = this.#lines.get(heard.node_id) ?? [];
      const last = lines.at(-1);
      if (
        last !== undefined &&
        isUnfinished(last.text) &&
        last.stream === heard.stream &&
        last.attempt === heard.attempt
      )
        lines.pop();
      lines.push(heard);
      if (lines.length > MAX_LINES) lines.splice(0, lines.length - MAX_LINES);
      this.#lines.set(heard.node_id, lines);
    }
    this.telemetry.value += 1;
    if (moved) this.progressed.value += 1;
  }

  /** How far a node that is under way is, if it has said so. */
  progress(node: NodeState): Progress | null {
    const said = this.#progress.get(node.info.node_id);
    const goesOn = node.status === "RUNNING" || node.status === "WAITING";
    return said !== undefined && goesOn && said.attempt === node.attempt ? said : null;
  }

  /** The nodes that have said how far they are. O(those that ever did). */
  moving(): ReadonlyMap<NodeState, Progress> {
    const moving = new Map<NodeState, Progress>();
    for (const id of this.#progress.keys()) {
      const node = this.state.nodes.get(id);
      const said = node === undefined ? null : this.progress(node);
      if (node !== undefined && said !== null) moving.set(node, said);
    }
    return moving;
  }

  reset(): void {
    this.state = newRun();
    this.#stories.clear();
    this.#historyFrom = 1;
    this.version.value += 1;
  }

  /** The events of one node, or null if they began before this view's history. */
  story(nodeId: string): readonly Recorded[] | null {
    return this.#historyFrom === 1 ? (this.#stories.get(nodeId) ?? []) : null;
  }

  lines(nodeId: string): readonly Signal[] {
    return this.#lines.get(nodeId) ?? [];
  }

  #remember(recorded: Recorded): void {
    if (!("node_id" in recorded.event)) return;
    const story = this.#stories.get(recorded.event.node_id);
    if (story === undefined) this.#stories.set(recorded.event.node_id, [recorded]);
    else story.push(recorded);
  }
}

function readProgress({ attempt, text }: Signal): Progress {
  const [, done = "", total = ""] = PROGRESS.exec(text) ?? [];
  const share = Number(done) / Number(total);
  return { attempt, text, share: total !== "" && Number.isFinite(share) ? Math.min(Math.max(share, 0), 1) : null };
}
