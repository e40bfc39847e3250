/** The log as far as this view has it, and the run as it was after any of its events. */

import type { RunEvent } from "./protocol";
import { apply } from "./reducer";
import { copyOf, newRun, type RunState, sharing } from "./state";

export interface Recorded {
  readonly seq: number;
  readonly at: number;
  readonly event: RunEvent;
}

export interface Gap {
  readonly first: number;
  readonly until: number;
}

interface Anchor {
  readonly state: RunState;
  /** Folded from events; a state that came packed lacks values, and its instants are rounded. */
  readonly folded: boolean;
}

/** About 50 MB; what is older is forgotten, and said to be. */
export const MAX_KEPT = 250_000;
/** A state is kept each so many events, or each so many as there are nodes: keeping one then costs less than folding. */
const ANCHOR_EVERY = 2000;
/** So many steps back cost no more than steps forward. */
const MAX_STEPS = 4000;

export class History {
  readonly #events: (RunEvent | undefined)[] = [];
  readonly #at: number[] = [];
  #anchors: Anchor[] = [{ state: newRun(), folded: true }];
  #forgotten = 0;
  #known = 0;
  /** The latest event at which a packed state stands in for the events up to it, or 0. */
  #packed = 0;
  /** The state that was asked for last, and how to go back from it. */
  #moved: RunState | null = null;
  readonly #steps: ((state: RunState) => void)[] = [];

  constructor(
    private readonly maxKept = MAX_KEPT,
    private readonly anchorEvery = ANCHOR_EVERY,
  ) {}

  /** The number of the latest event. */
  get last(): number {
    return this.#forgotten + this.#events.length;
  }

  /** Events `forgotten + 1` to `known` are here without a gap. */
  get known(): number {
    return this.#known;
  }

  /** How many of the first events are not kept any more. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Keeps one event; false if it is here already, or is not kept. */
  add(seq: number, at: number, event: RunEvent): boolean {
    const i = seq - 1 - this.#forgotten;
    if (i < 0 || this.#events[i] !== undefined) return false;
    this.#extend(i);
    this.#events[i] = event;
    this.#at[i] = at;
    if (seq === this.#known + 1) this.#advance();
    return true;
  }

  /** A packed state stands in for the events up to it, until they are here as well. */
  skip(state: RunState): void {
    if (state.seq <= this.#known) return;
    if (state.seq - this.#known > this.maxKept) this.#beginAfter(state.seq);
    this.#extend(state.seq - this.#forgotten);
    this.#anchor(copyOf(state), false);
    this.#packed = state.seq;
  }

  /** The first events that are missing, or null. O(length of the gap). */
  gap(): Gap | null {
    if (this.#known >= this.last) return null;
    let until = this.#known + 1;
    while (until < this.last && this.#events[until - this.#forgotten] === undefined) until += 1;
    return { first: this.#known + 1, until };
  }

  event(seq: number): Recorded | null {
    const i = seq - 1 - this.#forgotten;
    const [event, at] = [this.#events[i], this.#at[i]];
    return event === undefined || at === undefined ? null : { seq, at, event };
  }

  /** Whether nodes came or went between the states after two events, as far as that is known. O(events in between). */
  reshapes(one: number, other: number): boolean {
    for (let i = Math.min(one, other) - this.#forgotten; i < Math.max(one, other) - this.#forgotten; i++) {
      const event = this.#events[i];
      if (event === undefined || reshapes(event)) return true;
    }
    return false;
  }

  /** The event nearest to `seq` after which the state is known, on the side towards `from` if it is in a gap. */
  reachable(seq: number, from: number): number {
    if (this.#reaches(seq)) return seq;
    if (from > seq) return Math.max(this.#known, this.#anchors[0]?.state.seq ?? 0);
    const next = this.#anchors.find(({ state }) => state.seq > seq);
    return next?.state.seq ?? this.last;
  }

  /**
   * The state after event `seq`, or null if it is not known. To be read only, and only until this is called again.
   * O(events in between) from the one before, O(nodes + events since the last anchor) from elsewhere.
   */
  stateAt(seq: number): RunState | null {
    const anchor = this.#anchorBefore(seq);
    if (anchor === undefined || !this.#reaches(seq)) return null;
    if (this.#moved !== null && this.#moved.seq > seq) this.#stepBack(this.#moved, seq);
    if (this.#moved === null || this.#moved.seq > seq || this.#moved.seq < anchor.state.seq) {
      this.#moved = sharing(anchor.state);
      this.#steps.length = 0;
    }
    this.#stepOn(this.#moved, seq, anchor);
    return this.#moved;
  }

  #stepOn(state: RunState, seq: number, anchor: Anchor): void {
    let anchored = anchor.state.seq;
    while (state.seq < seq) {
      const recorded = this.event(state.seq + 1);
      if (recorded === null) return;
      const { event, at } = recorded;
      this.#steps.push(stepOf(state, event));
      apply(state, event, at);
      if (state.seq - anchored < Math.max(this.anchorEvery, state.nodes.size)) continue;
      this.#anchor(sharing(state), anchor.folded);
      anchored = state.seq;
    }
    if (this.#steps.length > MAX_STEPS) this.#steps.splice(0, this.#steps.length - MAX_STEPS);
  }

  #stepBack(state: RunState, seq: number): void {
    if (state.seq - seq > this.#steps.length) return;
    while (state.seq > seq) this.#steps.pop()?.(state);
  }

  #reaches(seq: number): boolean {
    const anchor = this.#anchorBefore(seq);
    if (anchor === undefined || seq > this.last) return false;
    for (let next = Math.max(anchor.state.seq, this.#known); next < seq; next++) {
      if (this.#events[next - this.#forgotten] === undefined) return false;
    }
    return true;
  }

  #anchorBefore(seq: number): Anchor | undefined {
    return this.#anchors.findLast(({ state }) => state.seq <= seq);
  }

  #anchor(state: RunState, folded: boolean): void {
    const at = this.#anchors.findIndex((each) => each.state.seq >= state.seq);
    const i = at < 0 ? this.#anchors.length : at;
    const replaced = this.#anchors[i]?.state.seq === state.seq ? 1 : 0;
    this.#anchors.splice(i, replaced, { state, folded });
  }

  #extend(length: number): void {
    while (this.#events.length < length) {
      this.#events.push(undefined);
      this.#at.push(0);
    }
  }

  #advance(): void {
    while (this.#events[this.#known - this.#forgotten] !== undefined) this.#known += 1;
    if (this.#packed > 0 && this.#packed <= this.#known) this.#unpack();
    if (this.#known - this.#forgotten > this.maxKept) this.#forget(Math.ceil(this.maxKept / 4));
  }

  /** The events behind all packed states are here: from now on states are folded from them. */
  #unpack(): void {
    this.#packed = 0;
    this.#moved = null;
    this.#anchors = this.#anchors.filter(({ state, folded }) => folded || state.seq === this.#forgotten);
  }

  #beginAfter(seq: number): void {
    this.#events.length = this.#at.length = 0;
    this.#anchors = [];
    this.#moved = null;
    this.#packed = 0;
    this.#forgotten = this.#known = seq;
  }

  /** Lets the oldest `n` events go; the state that they led to stays. */
  #forget(n: number): void {
    const base = this.stateAt(this.#forgotten + n);
    if (base === null) return;
    this.#anchor(sharing(base), this.#anchorBefore(base.seq)?.folded ?? true);
    this.#anchors = this.#anchors.filter(({ state }) => state.seq >= base.seq);
    this.#events.splice(0, n);
    this.#at.splice(0, n);
    this.#forgotten += n;
  }
}

export function reshapes(event: RunEvent): boolean {
  return event.kind === "SpecAccepted" || event.kind === "NodeAdded";
}

/** What undoes `event`; gives `state` nodes of its own where it is about to change them, since anchors share those it has. */
function stepOf(state: RunState, event: RunEvent): (state: RunState) => void {
  const { nodes, ...run } = state;
  if (event.kind === "SpecAccepted") {
    state.nodes = copyOf(state).nodes;
    return (later) => void Object.assign(later, run, { nodes });
  }
  if (event.kind === "NodeAdded") {
    return (later) => {
      Object.assign(later, run);
      later.nodes.delete(event.node.node_id);
    };
  }
  const node = "node_id" in event ? nodes.get(event.node_id) : undefined;
  if (node !== undefined) nodes.set(node.info.node_id, { ...node });
  return (later) => {
    Object.assign(later, run);
    if (node !== undefined) later.nodes.set(node.info.node_id, node);
  };
}
