/** A saved run: stands in for the kernel towards a link, from a recording. It tells, and can start nothing. */

import type { Channel, Command } from "./link";
import { inflateText } from "./packing";
import { type NodeDetail, type Recording, readRecording } from "./protocol";
import type { Json } from "./wire";

const RECORDING = 1;
export const NOT_HERE = "This is a saved run without a kernel: nothing can be started from here.";

/** Where there is no kernel to begin with. */
export const SILENCE: Channel = { send: () => undefined, on: () => undefined, off: () => undefined };

export class Replay implements Channel {
  readonly #listeners = new Set<(content: unknown) => void>();
  readonly #details: ReadonlyMap<string, NodeDetail>;

  constructor(readonly recording: Recording) {
    this.#details = new Map(recording.details.map((each) => [each.node_id, each]));
  }

  on(name: string, callback: (content: unknown) => void): void {
    if (name === "msg:custom") this.#listeners.add(callback);
  }

  off(_name: string, callback: (content: unknown) => void): void {
    this.#listeners.delete(callback);
  }

  send(command: Command & { readonly id: number }): void {
    queueMicrotask(() => this.#obey(command));
  }

  #obey(command: Command & { readonly id: number }): void {
    const { events, snapshot, layouts, saved_at } = this.recording;
    if (command.kind === "sync") {
      for (const frame of [events, snapshot, ...layouts]) if (frame !== null) this.#tell(plain(frame));
      const seq = events === null ? (snapshot?.seq ?? 0) : events.events.length;
      this.#tell({ kind: "reply", id: command.id, data: { seq, at: saved_at, saved: true } });
    } else if (command.kind === "detail") {
      const known = this.#details.get(command.node_id);
      const data = known === undefined ? { node_id: command.node_id } : (plain(known) as { [name: string]: Json });
      this.#tell({ kind: "reply", id: command.id, data });
    } else this.#tell({ kind: "reply", id: command.id, error: NOT_HERE });
  }

  #tell(content: Json): void {
    for (const listener of [...this.#listeners]) listener(content);
  }
}

/** Returns the recording in what a page or the state of a widget holds; throws if that is not one. */
export async function unpack(packed: string): Promise<Recording> {
  const recording = readRecording(JSON.parse(await inflateText(packed)));
  if (recording.version !== RECORDING) throw new Error(`a recording of version ${recording.version} cannot be played`);
  return recording;
}

/** As JSON has it: what is read becomes maps in places, and readers take objects. */
function plain(value: unknown): Json {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, plain(each)]));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  return value as Json;
}
