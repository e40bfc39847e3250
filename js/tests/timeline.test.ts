import { expect, test } from "vitest";
import { criticalPath, type Ran } from "../src/critical";
import { History } from "../src/history";
import { type NodeInfo, readNodeInfo, readRunEvent } from "../src/protocol";
import { apply } from "../src/reducer";
import { newRun } from "../src/state";
import { type Row, rowsOf, shownBar, Timeline } from "../src/timeline";
import { log, names } from "./golden";

function told(name: string, until = Number.POSITIVE_INFINITY): Timeline {
  const history = new History();
  for (const line of log(name)) if (line.seq <= until) history.add(line.seq, line.at, readRunEvent(line.event));
  const timeline = new Timeline();
  timeline.advance(history);
  return timeline;
}

function row(timeline: Timeline, id: string): Row {
  const found = timeline.rows().find((each) => each.id === id);
  if (found === undefined) throw new Error(`no row ${id}`);
  return found;
}

function at(name: string, kind: string, nodeId: string, n = 0): number {
  const found = log(name).filter((line) => line.event["kind"] === kind && line.event["node_id"] === nodeId)[n];
  if (found === undefined) throw new Error(`no ${kind} of ${nodeId}`);
  return found.at;
}

test("one row a node that began, in order of start, with one bar an attempt", () => {
  const timeline = told("retry");
  expect(timeline.rows().map(({ id, bars }) => [id, bars.map((bar) => `${bar.attempt} ${bar.status}`)])).toEqual([
    ["flaky", ["1 FAILED", "2 FAILED", "3 DONE"]],
    ["aside", ["1 DONE"]],
    ["after", ["1 DONE"]],
  ]);
});

test("a bar is ready when the last of what it needs has ended, and a retry when it is due", () => {
  const timeline = told("retry");
  const [, second] = row(timeline, "flaky").bars;
  const [first] = row(timeline, "flaky").bars;
  expect(first?.dueAt).toBeGreaterThan(0);
  expect(second?.readyAt).toBe(first?.dueAt);
  expect(row(timeline, "after").bars[0]?.readyAt).toBe(at("retry", "AttemptSucceeded", "flaky"));
});

test("what has no free slot is ready before it starts", () => {
  const failure = told("failure")
    .rows()
    .flatMap(({ bars }) => bars);
  const retry = told("events")
    .rows()
    .flatMap(({ bars }) => bars);
  for (const bar of [...failure, ...retry]) expect(bar.readyAt).toBeLessThanOrEqual(bar.startedAt);
});

test("a wait lies inside its bar, from the question to the answer", () => {
  const [bar] = row(told("approval"), "approve").bars;
  expect(bar?.pauses).toMatchObject([
    { from: at("approval", "WaitOpened", "approve"), to: at("approval", "WaitResolved", "approve") },
  ]);
});

test("parts stand below their container, indented", () => {
  const rows = told("mapped").rows();
  const container = rows.find((each) => each.container);
  expect(container?.depth).toBe(0);
  const i = rows.findIndex((each) => each.container);
  expect(rows[i + 1]?.depth).toBe(1);
  expect(rows[i + 1]?.id.startsWith(`${container?.id}[`)).toBe(true);
});

test.each(names)(
  "%s: told step by step or at once, the rows are the same, and each open bar is a node that is open",
  (name) => {
    const history = new History();
    const timeline = new Timeline();
    const state = newRun();
    for (const line of log(name)) {
      history.add(line.seq, line.at, readRunEvent(line.event));
      apply(state, readRunEvent(line.event), line.at);
      timeline.advance(history);
      const open = timeline.rows().flatMap(({ id, bars }) => {
        const shown = bars.flatMap((bar) => shownBar(bar, line.seq, line.at) ?? []).filter((each) => each.open);
        return shown.map(({ status }) => `${id} ${status}`);
      });
      const running = [...state.nodes]
        .filter(([, node]) => node.status === "RUNNING" || node.status === "WAITING")
        .map(([id, node]) => `${id} ${node.status}`);
      expect(open.sort()).toEqual(running.sort());
      const now = timeline.rows().flatMap(({ bars }) => bars.map((bar) => shownBar(bar, Infinity, line.at)));
      expect(now.filter((each) => each?.open).map((each) => each?.status)).toHaveLength(running.length);
      expect(now.filter((each) => each?.status === "WAITING")).toHaveLength(
        running.filter((each) => each.endsWith("WAITING")).length,
      );
    }
    expect(timeline.rows()).toEqual(told(name).rows());
  },
);

test.each(names)("%s: cut off at an event, the whole log shows what the log up to there would", (name) => {
  const all = told(name);
  for (const { seq, at: now } of log(name)) {
    const cut = (rows: readonly Row[]) =>
      rows.flatMap(({ id, bars }) =>
        bars.flatMap((bar) => {
          const shown = shownBar(bar, seq, now);
          return shown === null ? [] : [[id, bar.attempt, shown.endedAt, shown.status, shown.open]];
        }),
      );
    expect(cut(all.rows()).sort()).toEqual(cut(told(name, seq).rows()).sort());
  }
});

test("without events a state tells of the latest attempts", () => {
  const state = newRun();
  for (const line of log("retry")) apply(state, readRunEvent(line.event), line.at);
  expect(rowsOf(state).map(({ id, bars }) => [id, bars.map((bar) => bar.attempt)])).toEqual([
    ["aside", [1]],
    ["flaky", [3]],
    ["after", [1]],
  ]);
});

function info(id: string, needs: readonly string[] = [], more: Partial<NodeInfo> = {}): NodeInfo {
  return { ...readNodeInfo({ node_id: id, name: id, needs }), ...more };
}

function ran(id: string, from: number, to: number, ...needs: string[]): Ran {
  return { info: info(id, needs), from, to };
}

test("the longest chain counts the time in its nodes, not the time between them", () => {
  const all = [ran("a", 0, 4), ran("b", 0, 1), ran("c", 4, 6, "a"), ran("d", 9, 10, "b"), ran("e", 10, 12, "d", "b")];
  expect(criticalPath(all)).toEqual({ ids: ["a", "c"], seconds: 6 });
});

test("an edge that was not followed, since its end began first, joins nothing", () => {
  expect(criticalPath([ran("a", 5, 9), ran("b", 0, 3, "a")]).ids).toEqual(["a"]);
  expect(criticalPath([ran("a", 0, 9), ran("b", 3, 5, "a")])).toEqual({ ids: ["a"], seconds: 9 });
});

test("a chain leads through the parts of containers", () => {
  const all = [
    ran("load", 0, 2),
    { info: info("each", ["load"], { kind: "map" }), from: 2, to: 9 },
    { info: info("each[0]", [], { parent: "each" }), from: 2, to: 4 },
    { info: info("each[1]", [], { parent: "each" }), from: 2, to: 9 },
    ran("sum", 9, 10, "each"),
  ];
  expect(criticalPath(all)).toEqual({ ids: ["load", "each[1]", "sum"], seconds: 10 });
});

test("nothing ran, nothing is critical", () => {
  expect(criticalPath([])).toEqual({ ids: [], seconds: 0 });
});

test("on random graphs no chain is longer than the one that is found", () => {
  let seed = 7;
  const random = (n: number): number => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed % n;
  };
  for (let round = 0; round < 60; round++) {
    const all: Ran[] = [];
    for (let i = 0; i < 9; i++) {
      const needs = all.filter(() => random(3) === 0);
      const from = Math.max(0, ...needs.map(({ to }) => to)) + random(3);
      all.push(ran(`n${i}`, from, from + random(9), ...needs.map((each) => each.info.node_id)));
    }
    const longest = (id: string): number => {
      const found = all.find((each) => each.info.node_id === id);
      if (found === undefined) throw new Error(id);
      return found.to - found.from + Math.max(0, ...found.info.needs.map(longest));
    };
    expect(criticalPath(all).seconds).toBe(Math.max(...all.map((each) => longest(each.info.node_id))));
  }
});
