import { expect, test } from "vitest";
import { readEventsFrame, readSnapshotFrame } from "../src/protocol";
import { digest, type NodeState, type RunState } from "../src/state";
import { NODE_STATUS, STATUS_CODES } from "../src/status";
import { Store } from "../src/store";
import type { Json } from "../src/wire";
import { digests, eventsFrame, log, names } from "./golden";

const CODES = new Map(Object.entries(STATUS_CODES).map(([code, status]) => [status, code]));

/** As view.frames.snapshot_frame in Python. */
function packed(state: RunState, withNodes = true): Json {
  const nodes = [...state.nodes.values()];
  const ms = (at: number): number => (at > 0 ? Math.round((at - state.started_at) * 1000) : -1);
  const some = (pick: (node: NodeState) => unknown): Json =>
    Object.fromEntries(nodes.map((node, i) => [i, pick(node)]).filter(([, value]) => value !== undefined)) as Json;
  return JSON.parse(
    JSON.stringify({
      kind: "snapshot",
      seq: state.seq,
      graph: state.graph,
      max_concurrency: state.max_concurrency,
      started_at: state.started_at,
      ended_at: state.ended_at,
      cancelled_by: state.cancelled_by,
      finished: state.finished,
      nodes: withNodes ? nodes.map((node) => node.info) : [],
      status: nodes.map((node) => CODES.get(node.status)).join(""),
      attempt: nodes.map((node) => node.attempt),
      failures: nodes.map((node) => node.failures),
      lost: nodes.map((node) => node.lost),
      started_ms: nodes.map((node) => ms(node.started_at)),
      ended_ms: nodes.map((node) => ms(node.ended_at)),
      due: some((node) => (node.status === "RETRYING" ? node.due : undefined)),
      waits: some((node) => (node.waits.length > 0 ? node.waits : undefined)),
      errors: some((node) => node.error ?? undefined),
      because: some((node) => node.because || undefined),
    }),
  ) as Json;
}

function folded(name: string, until: number): Store {
  const store = new Store();
  store.append(readEventsFrame(eventsFrame(log(name), 1, until)));
  return store;
}

test.each(names)("%s: a snapshot at any event, and the events after it, give Python's digests", (name) => {
  const expected = digests(name);
  for (let at = 1; at <= expected.length; at++) {
    const store = new Store();
    expect(store.replace(readSnapshotFrame(packed(folded(name, at).state)))).toBe(true);
    expect(digest(store.state)).toBe(expected[at - 1]);
    for (let seq = at + 1; seq <= expected.length; seq++) {
      store.append(readEventsFrame(eventsFrame(log(name), seq, seq)));
      expect(digest(store.state)).toBe(expected[seq - 1]);
    }
  }
});

test("a snapshot without definitions uses those that are known", () => {
  const store = folded("retry", 6);
  expect(store.replace(readSnapshotFrame(packed(folded("retry", 9).state, false)))).toBe(true);
  expect(digest(store.state)).toBe(digests("retry")[8]);
  expect(store.state.nodes.get("flaky")?.info.max_attempts).toBe(3);
});

test("a snapshot whose definitions are unknown is refused and changes nothing", () => {
  const store = new Store();
  expect(store.replace(readSnapshotFrame(packed(folded("retry", 9).state, false)))).toBe(false);
  expect(store.state.seq).toBe(0);
});

test("after a snapshot the story before it is said to be unknown, not empty", () => {
  const store = folded("retry", 3);
  expect(store.story("flaky")).toHaveLength(1);
  store.replace(readSnapshotFrame(packed(folded("retry", 9).state)));
  expect(store.story("flaky")).toBeNull();
});

test("every status has a code and a word of its own", () => {
  expect(CODES.size).toBe(Object.keys(NODE_STATUS).length);
  expect(new Set(Object.values(NODE_STATUS).map((row) => row.word)).size).toBe(CODES.size);
});
