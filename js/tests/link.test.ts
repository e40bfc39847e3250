import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Command, Link } from "../src/link";
import { digest } from "../src/state";
import { Store } from "../src/store";
import type { Json } from "../src/wire";
import { digests, eventsFrame, log } from "./golden";
import { FakeKernel } from "./kernel";

const lines = log("retry");
const expected = digests("retry");

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function opened(): { kernel: FakeKernel; store: Store; link: Link } {
  const kernel = new FakeKernel();
  const store = new Store();
  return { kernel, store, link: new Link(kernel, store) };
}

test("a view asks for everything when it opens, and is live once it has it", async () => {
  const { kernel, store, link } = opened();
  expect(kernel.sent).toMatchObject([{ kind: "sync", have: 0, nodes: 0 }]);
  expect(link.contact.value).toBe("connecting");
  kernel.synchronise(lines);
  await vi.advanceTimersByTimeAsync(0);
  expect(link.contact.value).toBe("live");
  expect(digest(store.state)).toBe(expected.at(-1));
});

test("a gap is noticed, asked for and filled", async () => {
  const { kernel, store } = opened();
  kernel.synchronise(lines.slice(0, 4));
  await vi.advanceTimersByTimeAsync(0);
  kernel.say(eventsFrame(lines, 7, 8));
  expect(store.state.seq).toBe(4);
  expect(kernel.last("sync")).toMatchObject({ have: 4, nodes: 3 });
  kernel.synchronise(lines.slice(0, 8));
  expect(digest(store.state)).toBe(expected[7]);
});

test("frames that repeat or overlap what is known change nothing twice", () => {
  const { kernel, store } = opened();
  kernel.say(eventsFrame(lines, 1, 6));
  kernel.say(eventsFrame(lines, 1, 6));
  kernel.say(eventsFrame(lines, 4, 9));
  kernel.say(eventsFrame(lines, 2, 3));
  expect(digest(store.state)).toBe(expected[8]);
});

test("a heartbeat without events tells of a frame that was lost last of all", async () => {
  const { kernel, store } = opened();
  kernel.synchronise(lines.slice(0, 10));
  await vi.advanceTimersByTimeAsync(0);
  kernel.say({ kind: "events", first: 16, at: [], events: [] });
  kernel.synchronise(lines);
  expect(digest(store.state)).toBe(expected.at(-1));
});

test("a view that hears nothing for a while asks, and stops asking when the run is over", async () => {
  const { kernel, store } = opened();
  kernel.synchronise(lines.slice(0, 10));
  await vi.advanceTimersByTimeAsync(11_000);
  expect(kernel.count("sync")).toBeGreaterThan(1);
  kernel.synchronise(lines);
  await vi.advanceTimersByTimeAsync(0);
  expect(digest(store.state)).toBe(expected.at(-1));
  const before = kernel.count("sync");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(kernel.count("sync")).toBe(before);
});

test("every third frame lost in any order still ends in the kernel's state", async () => {
  const { kernel, store } = opened();
  kernel.synchronise(lines.slice(0, 2));
  await vi.advanceTimersByTimeAsync(0);
  for (let seq = 3; seq <= lines.length; seq++) {
    if (seq % 3 !== 0) kernel.say(eventsFrame(lines, seq, seq));
    if (seq % 5 === 0) kernel.synchronise(lines.slice(0, seq));
    await vi.advanceTimersByTimeAsync(20);
  }
  await vi.advanceTimersByTimeAsync(10_000);
  kernel.synchronise(lines);
  expect(digest(store.state)).toBe(expected.at(-1));
});

test("an answer that was itself lost is asked for again", async () => {
  const { kernel, store } = opened();
  kernel.reply("sync", { seq: lines.length });
  await vi.advanceTimersByTimeAsync(200);
  expect(kernel.count("sync")).toBe(2);
  kernel.synchronise(lines);
  expect(digest(store.state)).toBe(expected.at(-1));
});

test("an unanswered question is repeated ever more rarely", async () => {
  const { kernel } = opened();
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect(kernel.count("sync")).toBeLessThan(30);
});

test("replies to other views are not ours", async () => {
  const { kernel, link } = opened();
  kernel.say({ kind: "reply", id: kernel.last("sync").id + 1, data: { seq: 99 } });
  await vi.advanceTimersByTimeAsync(0);
  expect(link.contact.value).toBe("connecting");
});

test("two views do not number their commands alike", () => {
  expect(opened().kernel.last("sync").id).not.toBe(opened().kernel.last("sync").id);
});

test("a command is busy after a second, and answered when the kernel comes round to it", async () => {
  const { kernel, link } = opened();
  kernel.synchronise(lines.slice(0, 3));
  const { phase, reply } = link.send({ kind: "cancel" });
  expect(phase.value).toBe("sending");
  await vi.advanceTimersByTimeAsync(1000);
  expect(phase.value).toBe("busy");
  expect(link.slow.value).toBe(1);
  kernel.reply("cancel", null, "too late");
  expect(phase.value).toBe("answered");
  expect(link.slow.value).toBe(0);
  expect(await reply).toMatchObject({ error: "too late" });
});

test("when the kernel is gone commands end in an error and nothing is asked any more", async () => {
  const { kernel, link } = opened();
  kernel.synchronise(lines.slice(0, 3));
  const under = link.send({ kind: "cancel" });
  kernel.die();
  expect(link.contact.value).toBe("lost");
  expect((await under.reply).error).toContain("gone");
  expect((await link.send({ kind: "tidy", inside: "" }).reply).error).toContain("gone");
  const before = kernel.sent.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(kernel.sent).toHaveLength(before);
});

test("an event that does not fit makes the view forget and ask for everything", () => {
  const { kernel, store } = opened();
  kernel.say(eventsFrame(lines, 1, 4));
  const wrong = { kind: "AttemptSucceeded", node_id: "after", attempt: 1 };
  kernel.say({ kind: "events", first: 5, at: [0], events: [wrong] });
  expect(kernel.last("sync")).toMatchObject({ have: 0, nodes: 0 });
  kernel.synchronise(lines);
  expect(digest(store.state)).toBe(expected.at(-1));
});

test("a kernel that keeps sending what cannot be read is given up on, with the reason", () => {
  const { kernel, link } = opened();
  for (let i = 0; i < 5; i++) kernel.say({ kind: "events", first: 1, at: [0], events: [{ kind: "Surprise" }] });
  expect(link.trouble.value).toContain('unknown kind "Surprise"');
});

test("messages of others on the same model are left alone", () => {
  const { kernel, link } = opened();
  kernel.say({ kind: "anywidget-command-response", id: 1 });
  kernel.say("hello");
  kernel.say(null);
  expect(link.trouble.value).toBe("");
  expect(kernel.count("sync")).toBe(1);
});

test("closing takes every listener and timer away", () => {
  const { kernel, link } = opened();
  link.send({ kind: "tidy", inside: "" });
  link.close();
  expect(kernel.listeners()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

/** A packed state of which the history is missing, as far as event `seq`. */
function packed(seq: number): Json {
  const nodes = lines[1]?.event["nodes"] as readonly Json[];
  const state = { seq, graph: "g", max_concurrency: 4, started_at: 1, ended_at: 0, cancelled_by: "", finished: null };
  const columns = {
    attempt: [0, 0, 0],
    failures: [0, 0, 0],
    lost: [0, 0, 0],
    started_ms: [-1, -1, -1],
    ended_ms: [-1, -1, -1],
  };
  return { kind: "snapshot", ...state, nodes, status: "ppp", ...columns, due: {}, waits: {}, errors: {}, because: {} };
}

test("the history of what came packed is asked for piece by piece until it is whole", async () => {
  const { kernel, store } = opened();
  kernel.say(packed(lines.length));
  kernel.reply("sync", { seq: lines.length });
  await vi.advanceTimersByTimeAsync(0);
  expect(kernel.last("history")).toMatchObject({ first: 1, until: lines.length });
  kernel.say(eventsFrame(lines, 1, 5));
  expect(kernel.last("history")).toMatchObject({ first: 6, until: lines.length });
  kernel.say(eventsFrame(lines, 6, lines.length));
  expect(kernel.count("history")).toBe(2);
  expect(digest(store.live)).toBe(expected.at(-1));
});

test("a piece of history that was lost is asked for again, also while other things are heard", async () => {
  const { kernel } = opened();
  kernel.say(packed(lines.length));
  kernel.reply("sync", { seq: lines.length });
  for (let i = 0; i < 12; i++) {
    await vi.advanceTimersByTimeAsync(1000);
    kernel.say({ kind: "signals", signals: [] });
  }
  expect(kernel.count("history")).toBeGreaterThan(1);
});

test.each(["cancel", "retry", "tidy"] as const)(
  "while the run is shown as it was, %s changes nothing",
  async (kind) => {
    const { kernel, store, link } = opened();
    kernel.synchronise(lines);
    store.show(3);
    const commands = { cancel: { kind }, retry: { kind, node_id: "" }, tidy: { kind, inside: "" } };
    const { reply } = link.send(commands[kind] as Command);
    expect(kernel.count(kind)).toBe(kind === "tidy" ? 1 : 0);
    if (kind !== "tidy") expect(await reply).toMatchObject({ error: "This is the run as it was." });
  },
);

test("a pulse of the loop tells of events that were lost last of all", async () => {
  const { kernel, store, link } = opened();
  kernel.synchronise(lines.slice(0, 10));
  await vi.advanceTimersByTimeAsync(0);
  kernel.say({ kind: "loop", seq: lines.length });
  expect(link.pulses.value?.latest.frame.seq).toBe(lines.length);
  kernel.synchronise(lines);
  expect(digest(store.live)).toBe(expected.at(-1));
});
