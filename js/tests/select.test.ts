import { expect, test } from "vitest";
import { clockTime, duration, ticking } from "../src/format";
import { readEventsFrame } from "../src/protocol";
import {
  attempts,
  counts,
  elapsed,
  firstProblem,
  headline,
  nextProblem,
  questions,
  runBadge,
  runStatus,
  subtitle,
} from "../src/select";
import type { NodeState, RunState } from "../src/state";
import { Store } from "../src/store";
import { answeredBy, answerText, tell } from "../src/story";
import { inWords, tallies } from "../src/tally";
import { topologyOf } from "../src/topology";
import { eventsFrame, log } from "./golden";

function stored(name: string, until?: number): Store {
  const store = new Store();
  store.append(readEventsFrame(eventsFrame(log(name), 1, until ?? log(name).length)));
  return store;
}

function node(state: RunState, id: string): NodeState {
  const found = state.nodes.get(id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

test("counts come in the order in which they are read out", () => {
  expect(counts(stored("failure").state)).toEqual([
    { status: "DONE", n: 1 },
    { status: "FAILED", n: 1 },
    { status: "SKIPPED", n: 3 },
  ]);
});

test("a mapped node says how far its elements are", () => {
  const { state } = stored("mapped");
  const topology = topologyOf(state);
  const said = tallies([...state.nodes.values()], topology);
  expect([...said].map(([node, tally]) => [topology.ids[node], inWords(tally)])).toEqual([
    ["work", "3/4 done, 1 failed"],
  ]);
  expect(tallies([...state.nodes.values()], topologyOf(state, "work")).size).toBe(0);
});

test("a run waits only when nothing else moves", () => {
  const { state } = stored("approval", 6);
  expect(runStatus(state, counts(state))).toBe("WAITING");
  const busy = stored("cancel", 5).state;
  expect(runStatus(busy, counts(busy))).toBe("RUNNING");
  expect(runStatus(new Store().state, [])).toBe("PENDING");
});

test("between request and end a run is cancelling", () => {
  const lines = log("cancel");
  const at = lines.findIndex((line) => line.event["kind"] === "CancelRequested") + 1;
  const { state } = stored("cancel", at);
  expect(runBadge(state, "RUNNING", counts(state)).word).toBe("cancelling");
});

test("a cancelled run does not keep quiet about what had failed", () => {
  const { state } = stored("cancel");
  expect(runBadge(state, "CANCELLED", counts(state)).word).toBe("cancelled");
  const failed = [{ status: "FAILED", n: 2 }] as const;
  expect(runBadge(state, "CANCELLED", failed)).toEqual({ like: "CANCELLED", word: "cancelled, 2 failed" });
  expect(runBadge(state, "FAILED", failed).word).toBe("failed");
});

test("a run that nobody drives is interrupted, whatever it was at, until it has ended", () => {
  const { state } = stored("approval", 6);
  const of = (run: RunState, driver: string | null) =>
    runBadge(run, runStatus(run, counts(run), driver), counts(run)).word;
  expect(of(state, null)).toBe("waiting");
  expect(of(state, "process 7 on here")).toBe("waiting");
  expect(of(state, "")).toBe("interrupted");
  expect(of(new Store().state, "")).toBe("pending");
  expect(of(stored("diamond").state, "")).toBe("done");
  const at = log("cancel").findIndex((line) => line.event["kind"] === "CancelRequested") + 1;
  expect(of(stored("cancel", at).state, "")).toBe("interrupted");
});

test("problems are found first, next, and round again", () => {
  const { state } = stored("failure");
  expect(firstProblem(state)).toBe("bad");
  expect(nextProblem(state, null)).toBe("bad");
  expect(nextProblem(state, "good")).toBe("bad");
  expect(nextProblem(state, "bad")).toBe("bad");
  expect(nextProblem(stored("diamond").state, null)).toBeNull();
});

test("the headline says what is wrong before anything else", () => {
  expect(headline(stored("failure").state)).toBe("Run failed. 1 failed: bad. 1 done, 3 skipped.");
  expect(headline(stored("approval", 6).state)).toBe("1 waiting: approve. 1 done, 1 pending.");
});

test("elapsed goes on until the end and then stands", () => {
  const { state } = stored("diamond", 5);
  expect(elapsed(state, state.started_at + 7)).toBe(7);
  const over = stored("diamond").state;
  expect(elapsed(over, 1e12)).toBe(over.ended_at - over.started_at);
});

test("a card says how long, until when, or what went wrong", () => {
  const retrying = node(stored("retry", 6).state, "flaky");
  expect(subtitle(retrying, retrying.due - 1.5)).toBe("retry in 2 s");
  expect(attempts(retrying)).toBe("1/3");
  const again = stored("retry").state;
  expect(subtitle(node(again, "flaky"), 0)).toBe("250 ms");
  expect(attempts(node(again, "flaky"))).toBe("3/3");
  expect(attempts(node(again, "aside"))).toBe("");
  expect(subtitle(node(stored("failure").state, "bad"), 0)).toBe("ValueError");
});

test("a story tells each attempt with its error and its end", () => {
  const store = stored("retry");
  const { attempts: told } = tell(store.story("flaky") ?? []);
  expect(told.map(({ no, status, note }) => [no, status, note])).toEqual([
    [1, "FAILED", "ValueError: bad value: -1"],
    [2, "FAILED", "ValueError: bad value: -1"],
    [3, "DONE", ""],
  ]);
  expect(told[0] && told[0].endedAt - told[0].startedAt).toBe(0.25);
});

test("a story tells answers, deadlines and losses", () => {
  const deadline = tell(stored("deadline").story("ask") ?? []);
  expect(deadline.answered.map((each) => [each.wait.prompt, answeredBy(each)])).toEqual([
    ["Name?", "the default, since nobody answered in time,"],
    ["City?", "by a cell"],
  ]);
  expect(tell(stored("lost").story("poison") ?? []).attempts[0]?.note).toBe("lost: process died");
  expect(tell(stored("failure").story("never") ?? []).because).toBe("its condition did not hold");
});

test.each([
  ['{"approved":true}', "Approve"],
  ["{'approved': False, 'choice': 'Reject'}", "Reject"],
  ["true", "Approve"],
  ["something else", "something else"],
])("the answer %s reads %s", (preview, text) => {
  const { wait } = questions(stored("approval", 6).state)[0] ?? {};
  if (wait === undefined) throw new Error("no question");
  expect(answerText(wait, { codec: "json", digest: "", size: 0, preview })).toBe(text);
});

test.each([
  [0.0123, "12 ms"],
  [0.9996, "1.0 s"],
  [59.94, "59.9 s"],
  [59.96, "1m 00s"],
  [3725, "1h 02m"],
])("%f s reads %s", (seconds, text) => expect(duration(seconds)).toBe(text));

test("what ticks shows whole seconds and never less than none", () => {
  expect([ticking(-3), ticking(1.9), ticking(61.5)]).toEqual(["0 s", "1 s", "1m 01s"]);
  expect(clockTime(0)).toMatch(/^\d\d:\d\d:\d\d$/);
});
