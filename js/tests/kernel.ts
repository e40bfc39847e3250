/** The other end of the wire: a model that keeps what a view sends and says what a test tells it to. */

import type { Channel, Command } from "../src/link";
import type { Json } from "../src/wire";
import { eventsFrame, type Line } from "./golden";

export type SentCommand = Command & { readonly id: number };

export class FakeKernel implements Channel {
  readonly sent: SentCommand[] = [];
  traits: Readonly<Record<string, Json>> = {};
  readonly #listeners = new Map<string, Set<(content: unknown) => void>>();

  send(content: SentCommand): void {
    this.sent.push(content);
  }

  on(name: string, callback: (content: unknown) => void): void {
    const known = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, known.add(callback));
  }

  off(name: string, callback: (content: unknown) => void): void {
    this.#listeners.get(name)?.delete(callback);
  }

  listeners(): number {
    return [...this.#listeners.values()].reduce((sum, each) => sum + each.size, 0);
  }

  say(content: Json): void {
    this.#tell("msg:custom", content);
  }

  change(name: string, value: Json): void {
    this.traits = { ...this.traits, [name]: value };
    this.#tell(`change:${name}`, undefined);
  }

  die(): void {
    this.#tell("comm_live_update", undefined);
  }

  last(kind: Command["kind"]): SentCommand {
    const found = this.sent.findLast((each) => each.kind === kind);
    if (found === undefined) throw new Error(`no ${kind} was sent`);
    return found;
  }

  count(kind: Command["kind"]): number {
    return this.sent.filter((each) => each.kind === kind).length;
  }

  reply(kind: Command["kind"], data: Json = null, error = ""): void {
    this.say({ kind: "reply", id: this.last(kind).id, data, error });
  }

  /** Answers the latest `sync` as the kernel does. */
  synchronise(lines: readonly Line[]): void {
    const { have } = this.last("sync") as Extract<SentCommand, { kind: "sync" }>;
    if (have < lines.length) this.say(eventsFrame(lines, have + 1, lines.length));
    this.reply("sync", { seq: lines.length });
  }

  #tell(name: string, content: unknown): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(content);
  }
}
