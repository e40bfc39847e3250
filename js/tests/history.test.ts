import { expect, test } from "vitest";
import { History } from "../src/history";
import { readEventsFrame, readRunEvent } from "../src/protocol";
import { apply } from "../src/reducer";
import { copyOf, digest, newRun, type RunState } from "../src/state";
import { Store } from "../src/store";
import { digests, eventsFrame, log, names } from "./golden";

/** The state after each event of a golden log, each folded from scratch. */
function prefixes(name: string): RunState[] {
  return log(name).map((_, n) => folded(name, n + 1));
}

function folded(name: string, until: number): RunState {
  const state = newRun();
  for (const line of log(name).slice(0, until)) apply(state, readRunEvent(line.event), line.at);
  return state;
}

/** What comes of a state on its way in a packed frame: no values, and instants to the millisecond. */
function packed(state: RunState): RunState {
  for (const node of state.nodes.values()) Object.assign(node, { values: [], started_at: node.started_at + 0.0004 });
  return state;
}

function kept(name: string, history: History, ...seqs: number[]): History {
  const lines = log(name);
  for (const seq of seqs.length > 0 ? seqs : lines.map((line) => line.seq)) {
    const line = lines[seq - 1];
    if (line !== undefined) history.add(seq, line.at, readRunEvent(line.event));
  }
  return history;
}

function whole(name: string): Store {
  const store = new Store();
  store.append(readEventsFrame(eventsFrame(log(name), 1, log(name).length)));
  return store;
}

/** All numbers up to `n`, each once, in no order. */
function shuffled(n: number): number[] {
  const step = [7, 11, 13, 17].find((each) => n % each !== 0) ?? 1;
  return Array.from({ length: n }, (_, i) => ((i * step) % n) + 1);
}

test.each(names)(
  "%s: from anchors the state after any event is the fold from scratch, whatever the way there",
  (name) => {
    const expected = prefixes(name);
    for (const every of [1, 3, 2000]) {
      const history = kept(name, new History(1e6, every));
      const ups = Array.from(expected, (_, i) => i + 1);
      for (const seq of [...ups, ...ups.toReversed(), ...shuffled(ups.length), 1, 1]) {
        expect(history.stateAt(seq)).toEqual(expected[seq - 1]);
      }
    }
  },
);

test.each(names)("%s: a store shows the run as it was after any event, and goes back to how it is", (name) => {
  const store = whole(name);
  const expected = digests(name);
  for (const seq of shuffled(expected.length)) {
    store.show(seq);
    expect(digest(store.state)).toBe(expected[seq - 1]);
    expect(store.cursor.value).toBe(seq === expected.length ? null : seq);
    expect(store.instant).toBe(seq === expected.length ? null : log(name)[seq - 1]?.at);
  }
  store.show(null);
  expect(store.state).toBe(store.live);
});

test("what happens meanwhile does not move what is shown, and is there on the way back", () => {
  const lines = log("retry");
  const store = new Store();
  store.append(readEventsFrame(eventsFrame(lines, 1, 8)));
  store.show(5);
  const [version, heard] = [store.version.value, store.heard.value];
  store.append(readEventsFrame(eventsFrame(lines, 9, lines.length)));
  expect(digest(store.state)).toBe(digests("retry")[4]);
  expect(store.version.value).toBe(version);
  expect(store.heard.value).toBeGreaterThan(heard);
  store.show(null);
  expect(digest(store.state)).toBe(digests("retry").at(-1));
});

test("the graph is told to have changed when the cursor passes a node that appeared, and not otherwise", () => {
  const store = whole("growing");
  const appeared = log("growing").findIndex((line) => line.event["kind"] === "NodeAdded") + 1;
  store.show(appeared);
  const before = store.topology.value;
  store.show(appeared + 1);
  expect(store.topology.value).toBe(before);
  store.show(appeared - 1);
  expect(store.topology.value).toBe(before + 1);
});

test("a packed state leaves a gap, which pieces in any order close, and then all is as if nothing had been packed", () => {
  const lines = log("retry");
  const store = new Store();
  store.append(readEventsFrame(eventsFrame(lines, 1, 3)));
  store.live = packed(folded("retry", 12));
  store.history.skip(store.live);
  store.append(readEventsFrame(eventsFrame(lines, 13, 15)));
  expect(store.history.gap()).toEqual({ first: 4, until: 12 });
  expect(store.story("flaky")).toBeNull();
  store.append(readEventsFrame(eventsFrame(lines, 8, 12)));
  expect(store.history.gap()).toEqual({ first: 4, until: 7 });
  store.append(readEventsFrame(eventsFrame(lines, 2, 9)));
  expect(store.history.gap()).toBeNull();
  expect(store.live).toEqual(folded("retry", 15));
  expect(store.story("flaky")?.length).toBeGreaterThan(3);
  for (const seq of [7, 12, 14]) {
    store.show(seq);
    expect(store.state).toEqual(folded("retry", seq));
  }
});

test("over a gap the cursor goes on to the nearest event after which the state is known", () => {
  const history = kept("retry", new History(), 1, 2, 3);
  history.skip(folded("retry", 9));
  for (const [wanted, from, to] of [
    [2, 15, 2],
    [3, 15, 3],
    [5, 15, 3],
    [5, 2, 9],
    [9, 3, 9],
  ] as const)
    expect(history.reachable(wanted, from)).toBe(to);
  expect(digest(history.stateAt(9) as RunState)).toBe(digests("retry")[8]);
  expect(history.stateAt(6)).toBeNull();
});

test("of a log that is too long the oldest part is forgotten, and the rest stays exact", () => {
  const expected = prefixes("retry");
  const history = kept("retry", new History(8, 2));
  expect(history.forgotten).toBeGreaterThan(0);
  expect(history.last - history.forgotten).toBeLessThanOrEqual(8);
  expect(history.event(history.forgotten)).toBeNull();
  for (let seq = history.forgotten; seq <= history.last; seq++) expect(history.stateAt(seq)).toEqual(expected[seq - 1]);
});

test("a packed state too far on begins the history anew instead of asking for more than can be kept", () => {
  const history = kept("retry", new History(8), 1, 2, 3);
  history.skip(folded("retry", 14));
  expect([history.gap(), history.forgotten, history.known]).toEqual([null, 14, 14]);
  kept("retry", history, 15, 16);
  expect(digest(history.stateAt(15) as RunState)).toBe(digests("retry")[14]);
});

test("a copy of a state does not follow the original", () => {
  const state = folded("retry", 6);
  const copy = copyOf(state);
  const line = log("retry")[6];
  if (line !== undefined) apply(state, readRunEvent(line.event), line.at);
  expect(copy).toEqual(folded("retry", 6));
});

test("a node's story and its output end at the instant that is shown", () => {
  const store = whole("retry");
  const all = store.story("flaky") ?? [];
  const third = all[2];
  if (third === undefined) throw new Error("too short");
  const line = (at: number) => ({ node_id: "flaky", attempt: 1, stream: "stdout", text: `${at}`, at });
  store.hear({ kind: "signals", signals: [line(third.at - 0.1), line(third.at + 0.1)] });
  store.show(third.seq);
  expect(store.story("flaky")).toEqual(all.slice(0, 3));
  expect(store.lines("flaky")).toHaveLength(1);
  store.show(null);
  expect(store.story("flaky")).toEqual(all);
  expect(store.lines("flaky")).toHaveLength(2);
});
