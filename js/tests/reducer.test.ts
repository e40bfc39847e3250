import { expect, test } from "vitest";
import { readRunEvent } from "../src/protocol";
import { apply, IllegalTransition } from "../src/reducer";
import { digest, newRun } from "../src/state";
import { ProtocolError } from "../src/wire";
import { digests, log, names } from "./golden";

test("there are golden logs", () => expect(names).toContain("diamond"));

test.each(names)("replaying %s gives Python's digest after every event", (name) => {
  const state = newRun();
  const lines = log(name);
  const expected = digests(name);
  expect(lines).toHaveLength(expected.length);
  for (const [i, line] of lines.entries()) {
    apply(state, readRunEvent(line.event), line.at);
    expect(digest(state)).toBe(expected[i]);
  }
});

test("an event that does not fit names the node and leaves the state alone", () => {
  const state = newRun();
  const lines = log("diamond");
  for (const line of lines) apply(state, readRunEvent(line.event), line.at);
  const before = digest(state);
  const started = lines[2];
  if (started === undefined) throw new Error("diamond is too short");
  expect(() => apply(state, readRunEvent(started.event), 0)).toThrow(IllegalTransition);
  expect(() => apply(state, readRunEvent(started.event), 0)).toThrow("node load is DONE, attempt 1");
  expect(digest(state)).toBe(before);
});

test("an outcome of an attempt that is no longer current does not fit", () => {
  const state = newRun();
  for (const line of log("retry").slice(0, 8)) apply(state, readRunEvent(line.event), line.at);
  const late = readRunEvent({ kind: "AttemptSucceeded", node_id: "flaky", attempt: 1 });
  expect(() => apply(state, late, 0)).toThrow("node flaky is RUNNING, attempt 2");
});

test.each([
  [{ kind: "Surprise" }, 'unknown kind "Surprise"'],
  [{ kind: "constructor" }, 'unknown kind "constructor"'],
  [{ kind: "AttemptStarted", node_id: 7, attempt: 1 }, "expected text, got number"],
  [{ kind: "RunFinished", status: "FINE" }, "expected PENDING | RUNNING"],
  [null, "expected an object, got null"],
])("%j is refused", (value, message) => {
  expect(() => readRunEvent(value)).toThrow(ProtocolError);
  expect(() => readRunEvent(value)).toThrow(message);
});
