/** What a view knows of its run: the log, the state after any of its events, the layout, and bounded telemetry. */

import { type ReadonlySignal, signal } from "@preact/signals-core";
import { History, type Recorded, reshapes } from "./history";
import type { EventsFrame, LayoutFrame, Signal, SignalsFrame, SnapshotFrame } from "./protocol";
import { apply } from "./reducer";
import { partsOf } from "./select";
import { unpack } from "./snapshot";
import { copyOf, type NodeState, newRun, type RunState } from "./state";

/** How far an attempt says it is; `share` is between 0 and 1, or null where nobody knows the end. */
export interface Progress {
  readonly attempt: number;
  readonly share: number | null;
  readonly text: string;
}

const MAX_LINES = 500;
const PROGRESS = /^(\S+?)(?:\/(\S+))?(?: .*)?$/s;

/** Tells whether the next line of the same stream takes this one's place. */
export function isUnfinished(text: string): boolean {
  return text.startsWith("\r");
}

export class Store {
  /** How the run stands now. */
  live: RunState = newRun();
  history = new History();
  /** Rises with every change of the state that is shown; views read it to be told. */
  readonly version = signal(0);
  /** Rises when nodes or edges of the state that is shown came or went. */
  readonly topology = signal(0);
  /** Rises with everything that is heard of the run, whether it is shown or not. */
  readonly heard = signal(0);
  /** Rises when the kernel has laid the graph out. */
  readonly placed = signal(0);
  /** Rises with every line of output. */
  readonly telemetry = signal(0);
  /** Rises when an attempt says how far it is. */
  readonly progressed = signal(0);
  readonly #lines = new Map<string, Signal[]>();
  readonly #progress = new Map<string, Progress>();
  readonly #cursor = signal<number | null>(null);
  #past: RunState | null = null;
  /** By the container whose parts it places. */
  readonly #layouts = new Map<string, { readonly frame: LayoutFrame; readonly parts: readonly string[] }>();
  #story: { readonly id: string; readonly events: Recorded[]; upTo: number } | null = null;

  /** The state that is shown: the newest one, or the one after the event that the cursor is at. */
  get state(): RunState {
    return this.#past ?? this.live;
  }

  /** The number of the event after which the run is shown; null while it is shown as it is. */
  get cursor(): ReadonlySignal<number | null> {
    return this.#cursor;
  }

  /** The instant that is shown, or null for now. */
  get instant(): number | null {
    return this.#past === null ? null : this.#instantOf(this.#past);
  }

  /** When the run was last heard of. O(nodes) where its last event is not here. */
  get latest(): number {
    return this.#instantOf(this.live);
  }

  /** Where the parts of a container stand, unless others were placed than are shown. O(nodes) in the past. */
  layout(inside: string): LayoutFrame | null {
    const placed = this.#layouts.get(inside);
    if (placed === undefined) return null;
    const shown = this.#past === null ? [] : partsOf(this.#past, inside);
    return placed.parts.every((id, i) => shown[i] === undefined || shown[i] === id) ? placed.frame : null;
  }

  /** Shows the run as it was after event `seq`, or what is known next to it; as it is for null and for the last event. */
  show(seq: number | null): void {
    const from = this.#cursor.peek() ?? this.live.seq;
    const wanted = seq === null ? this.live.seq : Math.max(seq, this.history.forgotten + 1);
    const to = this.history.reachable(wanted, from);
    const before = this.state.seq;
    this.#past = to >= this.live.seq ? null : this.history.stateAt(to);
    this.#cursor.value = this.#past?.seq ?? null;
    if (this.history.reshapes(before, this.state.seq)) this.topology.value += 1;
    this.version.value += 1;
  }

  /** Takes events that follow on what is known, in any number, or that are missing in its history. */
  append(frame: EventsFrame): void {
    if (frame.events.length !== frame.at.length) throw new Error("events and instants differ in number");
    const wasWhole = this.history.gap() === null;
    const before = this.live.seq;
    let grown = false;
    let heard = false;
    try {
      for (const [i, event] of frame.events.entries()) {
        const [seq, at] = [frame.first + i, frame.at[i]];
        if (at === undefined) continue;
        if (seq > this.live.seq) {
          apply(this.live, event, at);
          grown ||= reshapes(event);
        }
        heard = this.history.add(seq, at, event) || heard;
      }
    } finally {
      if (!wasWhole && this.history.gap() === null) this.#completed();
      if (heard) this.heard.value += 1;
      if (this.live.seq > before) this.#changed(grown);
    }
  }

  /** Takes over a packed state; false if it leaves out definitions that are unknown here. */
  replace(frame: SnapshotFrame): boolean {
    const state = unpack(frame, this.live);
    if (state === null) return false;
    this.live = state;
    this.history.skip(state);
    this.heard.value += 1;
    this.#changed(frame.nodes.length > 0);
    return true;
  }

  place(frame: LayoutFrame): void {
    this.#layouts.set(frame.inside, { frame, parts: partsOf(this.live, frame.inside).slice(0, frame.x.length) });
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

  /** How far a node that is under way is, if it has said so; of the past that is not kept. */
  progress(node: NodeState): Progress | null {
    const said = this.#past === null ? this.#progress.get(node.info.node_id) : undefined;
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
    this.live = newRun();
    this.history = new History();
    this.#past = null;
    this.#cursor.value = null;
    this.#story = null;
    this.heard.value += 1;
    this.#changed(true);
  }

  /** The events of one node up to what is shown, or null if some are not here. O(events that are new since). */
  story(nodeId: string): readonly Recorded[] | null {
    const { seq } = this.state;
    if (this.history.forgotten > 0 || this.history.known < seq) return null;
    if (this.#story?.id !== nodeId) this.#story = { id: nodeId, events: [], upTo: 0 };
    const story = this.#story;
    for (; story.upTo < seq; story.upTo++) {
      const recorded = this.history.event(story.upTo + 1);
      if (recorded !== null && "node_id" in recorded.event && recorded.event.node_id === nodeId)
        story.events.push(recorded);
    }
    return story.upTo === seq ? [...story.events] : story.events.filter((each) => each.seq <= seq);
  }

  /** What a node has put out, up to the instant that is shown. */
  lines(nodeId: string): readonly Signal[] {
    const lines = this.#lines.get(nodeId) ?? [];
    const { instant } = this;
    return instant === null ? lines : lines.filter((line) => line.at <= instant);
  }

  /** All events are here: what came packed can be told exactly. */
  #completed(): void {
    this.live = copyOf(this.history.stateAt(this.live.seq) ?? this.live);
    if (this.#past !== null) this.#past = this.history.stateAt(this.#past.seq);
    this.topology.value += 1;
    this.version.value += 1;
  }

  #changed(grown: boolean): void {
    if (this.#past !== null) return;
    if (grown) this.topology.value += 1;
    this.version.value += 1;
  }

  #instantOf(state: RunState): number {
    return this.history.event(state.seq)?.at ?? latestInstant(state);
  }
}

/** When a packed state was, about: its last event is not here. O(nodes). */
function latestInstant(state: RunState): number {
  let latest = Math.max(state.started_at, state.ended_at);
  for (const node of state.nodes.values()) latest = Math.max(latest, node.started_at, node.ended_at);
  return latest;
}

function readProgress({ attempt, text }: Signal): Progress {
  const [, done = "", total = ""] = PROGRESS.exec(text) ?? [];
  const share = Number(done) / Number(total);
  return { attempt, text, share: total !== "" && Number.isFinite(share) ? Math.min(Math.max(share, 0), 1) : null };
}
