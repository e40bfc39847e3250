/** The wire to the kernel: sees that no event is missing, and follows commands until they are answered. */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { heard, type Pulses } from "./lamp";
import { type EventsFrame, type Frame, type Reply, readFrame } from "./protocol";
import { assertNever } from "./reducer";
import type { Replay } from "./replay";
import type { Store } from "./store";
import type { Json, JsonObject } from "./wire";

export type Command =
  | { readonly kind: "sync"; readonly have: number; readonly nodes: number }
  | { readonly kind: "history"; readonly first: number; readonly until: number }
  | { readonly kind: "cancel" | "inputs" | "digest" }
  | { readonly kind: "retry"; readonly node_id: string }
  | { readonly kind: "again"; readonly values: JsonObject }
  | { readonly kind: "fork"; readonly at: number }
  | { readonly kind: "show"; readonly run_id: string }
  | { readonly kind: "place" | "tidy"; readonly inside: string }
  | { readonly kind: "detail"; readonly node_id: string }
  | { readonly kind: "export"; readonly format: string; readonly part: number }
  | { readonly kind: "look"; readonly node_id: string; readonly side: string; readonly name: string }
  | {
      readonly kind: "value";
      readonly node_id: string;
      readonly side: string;
      readonly name: string;
      readonly start: number;
    }
  | {
      readonly kind: "resume";
      readonly node_id: string;
      readonly attempt: number;
      readonly no: number;
      readonly payload: Json;
    };

/** What the link needs of an anywidget model. */
export interface Channel {
  send(content: Command & { readonly id: number }): void;
  on(name: string, callback: (content: unknown) => void): void;
  off(name: string, callback: (content: unknown) => void): void;
}

/** `saved`: nobody answers but a recording. */
export type Contact = "connecting" | "live" | "lost" | "saved";
export type Phase = "sending" | "busy" | "answered";

/** A command under way: `reply` never rejects, an error is a part of it. */
export interface Sent {
  readonly phase: ReadonlySignal<Phase>;
  readonly reply: Promise<Reply>;
}

interface Waiting {
  readonly phase: Signal<Phase>;
  readonly resolve: (reply: Reply) => void;
  readonly slow: ReturnType<typeof setTimeout>;
}

/** What changes a run, and so is refused while the run is shown as it was. */
const ACTING: ReadonlySet<Command["kind"]> = new Set(["cancel", "retry", "again", "show", "resume"]);
const GONE = "The kernel that ran this is gone.";
const FRAME_KINDS = new Set(["events", "snapshot", "layout", "signals", "loop", "reply"]);
const ENDINGS = ["comm:close", "destroy"];
const BUSY_MS = 1000;
const UNANSWERED_MS = 1000;
const DROPPED_MS = 50;
const MAX_RETRY_MS = 30_000;
const QUIET_MS = 5000;
const MAX_REPAIRS = 3;

export class Link {
  readonly contact = signal<Contact>("connecting");
  /** Commands that have been unanswered for a second. */
  readonly slow = signal(0);
  /** Why the run cannot be shown, or empty. */
  readonly trouble = signal("");
  /** What was heard of the kernel's event loop, or null. */
  readonly pulses = signal<Pulses | null>(null);
  /** Seconds by which this computer's clock is ahead of the kernel's. */
  skew = 0;

  readonly #saved = signal<Replay | null>(null);
  readonly #waiting = new Map<number, Waiting>();
  // Every view of a model hears all replies: a start of its own tells whose they are.
  #nextId = Math.floor(Math.random() * 2 ** 31);
  #wanted = 0;
  #synced = false;
  #syncing = false;
  #tries = 0;
  #repairs = 0;
  #heardAt = 0;
  /** The first event of the history that was asked for last, and when. */
  #filling = 0;
  #filledAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #quiet: ReturnType<typeof setInterval>;

  constructor(
    private readonly channel: Channel,
    private readonly store: Store,
  ) {
    channel.on("msg:custom", this.#receive);
    for (const name of ENDINGS) channel.on(name, this.#lose);
    channel.on("comm_live_update", this.#turn);
    this.#quiet = setInterval(() => this.#askIfQuiet(), QUIET_MS);
    this.#sync();
  }

  send(command: Command): Sent {
    const id = this.#nextId++;
    const phase = signal<Phase>("sending");
    const reply = new Promise<Reply>((resolve) => {
      const slow = setTimeout(() => {
        phase.value = "busy";
        this.#countSlow();
      }, BUSY_MS);
      this.#waiting.set(id, { phase, resolve, slow });
    });
    const saved = this.#saved.peek();
    if (ACTING.has(command.kind) && this.store.cursor.peek() !== null)
      this.#answer(failed(id, "This is the run as it was.", "Press Live, then act."));
    else if (command.kind === "sync" || this.#isReached()) this.channel.send({ id, ...command });
    else if (saved !== null) saved.send({ id, ...command });
    else this.#answer(failed(id, GONE));
    return { phase, reply };
  }

  /** Takes over a recording: for where there is no kernel, and for when it goes. */
  adopt(saved: Replay): void {
    this.#saved.peek()?.off("msg:custom", this.#replay);
    this.#saved.value = saved;
    saved.on("msg:custom", this.#replay);
    if (this.contact.peek() === "connecting") this.contact.value = "saved";
    if (this.store.live.seq === 0) saved.send({ kind: "sync", id: this.#nextId++, have: 0, nodes: 0 });
  }

  /** Whether what is not in the log can be asked for; read in an effect, it says so anew. */
  get answers(): boolean {
    return this.contact.value === "live" || this.#saved.value !== null;
  }

  #isReached(): boolean {
    const contact = this.contact.peek();
    return contact === "live" || contact === "connecting";
  }

  readonly #replay = (content: unknown): void => {
    try {
      this.#take(readFrame(content));
    } catch (error) {
      this.trouble.value = error instanceof Error ? error.message : String(error);
    }
  };

  close(): void {
    this.channel.off("msg:custom", this.#receive);
    this.#saved.peek()?.off("msg:custom", this.#replay);
    for (const name of ENDINGS) this.channel.off(name, this.#lose);
    this.channel.off("comm_live_update", this.#turn);
    clearInterval(this.#quiet);
    clearTimeout(this.#retry);
    for (const each of this.#waiting.values()) clearTimeout(each.slow);
    this.#waiting.clear();
  }

  readonly #receive = (content: unknown): void => {
    if (typeof content !== "object" || content === null || !FRAME_KINDS.has((content as Reply).kind)) return;
    this.#heardAt = Date.now();
    if (this.contact.peek() === "lost") this.contact.value = "live";
    try {
      this.#take(readFrame(content));
    } catch (error) {
      this.#repair(error);
    }
  };

  #take(frame: Frame): void {
    switch (frame.kind) {
      case "events":
        this.#takeEvents(frame);
        break;
      case "snapshot":
        this.#wanted = Math.max(this.#wanted, frame.seq);
        if (frame.seq >= this.store.live.seq && !this.store.replace(frame)) this.#sync(0);
        break;
      case "layout":
        this.store.place(frame);
        break;
      case "signals":
        this.store.hear(frame);
        break;
      case "loop":
        this.pulses.value = heard(this.pulses.peek(), frame, Date.now());
        this.#wanted = Math.max(this.#wanted, frame.seq);
        if (this.#missing()) this.#sync();
        break;
      case "reply":
        this.#answer(frame);
        break;
      default:
        assertNever(frame);
    }
  }

  /** An empty frame is a heartbeat: it says which event comes next. */
  #takeEvents(frame: EventsFrame): void {
    this.#wanted = Math.max(this.#wanted, frame.first + frame.events.length - 1);
    const last = frame.at.at(-1);
    if (last !== undefined) this.skew = Math.min(this.skew, Date.now() / 1000 - last);
    if (frame.first > this.store.live.seq + 1) {
      this.#sync();
    } else {
      this.store.append(frame);
      this.#repairs = 0;
    }
    this.#fillHistory();
  }

  /** What came packed is asked for event by event, one piece at a time; the kernel sends it when it has nothing else. */
  #fillHistory(): void {
    const gap = this.#synced && this.contact.peek() === "live" ? this.store.history.gap() : null;
    if (gap === null || (gap.first === this.#filling && Date.now() - this.#filledAt < QUIET_MS)) return;
    this.#filling = gap.first;
    this.#filledAt = Date.now();
    this.send({ kind: "history", ...gap });
  }

  #sync(nodes = this.store.live.nodes.size): void {
    if (this.#syncing) return;
    this.#syncing = true;
    const { reply } = this.send({ kind: "sync", have: nodes === 0 ? 0 : this.store.live.seq, nodes });
    this.#resyncIn(UNANSWERED_MS);
    void reply.then((answer) => this.#synchronised(answer));
  }

  #synchronised(answer: Reply): void {
    if (this.contact.peek() === "lost") return;
    if (answer.error !== "") {
      this.trouble.value = [answer.error, answer.hint].join(" ");
      return;
    }
    const { seq, at } = answer.data ?? {};
    if (typeof at === "number") this.skew = Date.now() / 1000 - at;
    if (typeof seq === "number") this.#wanted = Math.max(this.#wanted, seq);
    this.#synced = true;
    this.contact.value = "live";
    if (this.#missing()) {
      this.#resyncIn(DROPPED_MS);
      return;
    }
    this.#syncing = false;
    this.#tries = 0;
    clearTimeout(this.#retry);
    this.#fillHistory();
  }

  #resyncIn(first: number): void {
    clearTimeout(this.#retry);
    const wait = Math.min(first * 2 ** this.#tries++, MAX_RETRY_MS);
    this.#retry = setTimeout(() => {
      this.#syncing = false;
      if (this.#missing()) this.#sync();
    }, wait);
  }

  #missing(): boolean {
    return this.contact.peek() !== "lost" && (!this.#synced || this.#wanted > this.store.live.seq);
  }

  #askIfQuiet(): void {
    this.#fillHistory();
    const over = this.store.live.finished !== null && !this.#missing();
    if (!over && this.contact.peek() === "live" && Date.now() - this.#heardAt >= QUIET_MS) this.#sync();
  }

  /** A message that does not fit: forget everything and ask anew, but not for ever. */
  #repair(error: unknown): void {
    this.#repairs += 1;
    if (this.#repairs > MAX_REPAIRS) {
      this.trouble.value = error instanceof Error ? error.message : String(error);
      return;
    }
    this.store.reset();
    this.#syncing = false;
    this.#sync(0);
  }

  #answer(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.slow);
    waiting.phase.value = "answered";
    this.#countSlow();
    waiting.resolve(reply);
  }

  #countSlow(): void {
    this.slow.value = [...this.#waiting.values()].filter((each) => each.phase.peek() === "busy").length;
  }

  /** The comm was lost, or is there again: who answers then is live. */
  readonly #turn = (): void => {
    if (this.contact.peek() !== "lost") {
      this.lose();
      return;
    }
    this.#syncing = false;
    this.#sync();
  };

  /** The comm is gone: the kernel died, was restarted, or the widget was closed. */
  readonly #lose = (): void => this.lose();

  /** Takes the kernel for gone. */
  lose(): void {
    this.contact.value = "lost";
    for (const id of [...this.#waiting.keys()]) this.#answer(failed(id, GONE));
  }
}

function failed(id: number, error: string, hint = ""): Reply {
  return { kind: "reply", id, error, hint, errors: [], data: null };
}
