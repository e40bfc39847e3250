import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../src/wire";

const GOLDEN = join(import.meta.dirname, "../../tests/golden");

export interface Line {
  readonly run_id: string;
  readonly seq: number;
  readonly at: number;
  readonly event: { readonly [key: string]: Json };
}

export const names = readdirSync(GOLDEN)
  .filter((name) => name.endsWith(".jsonl"))
  .map((name) => name.slice(0, -".jsonl".length));

export function log(name: string): Line[] {
  const lines = readFileSync(join(GOLDEN, `${name}.jsonl`), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}

export function digests(name: string): string[] {
  return JSON.parse(readFileSync(join(GOLDEN, `${name}.digests.json`), "utf8")) as string[];
}

/** Events `first` to `last` of a log, as the kernel would send them. */
export function eventsFrame(lines: readonly Line[], first: number, last: number): Json {
  const part = lines.slice(first - 1, last);
  return { kind: "events", first, at: part.map((line) => line.at), events: part.map((line) => line.event) };
}
