// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import { History } from "../src/history";
import { Marks, playedOn } from "../src/moments";
import { readRunEvent } from "../src/protocol";
import type { Json } from "../src/wire";
import { eventsFrame, log, names } from "./golden";
import { open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

async function shown(name: string, until?: number): Promise<Page> {
  const page = await open();
  page.kernel.synchronise(log(name).slice(0, until));
  await page.settle();
  return page;
}

function slider(page: Page): HTMLElement {
  return page.get("slider", "Run history");
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) {
    const shiftKey = key.startsWith("Shift+");
    const event = new KeyboardEvent("keydown", {
      key: key.replace("Shift+", ""),
      shiftKey,
      bubbles: true,
      cancelable: true,
    });
    slider(page).dispatchEvent(event);
  }
  await page.settle(50);
}

function said(page: Page): string | null {
  return slider(page).getAttribute("aria-valuetext");
}

function kept(name: string): History {
  const history = new History();
  for (const line of log(name)) history.add(line.seq, line.at, readRunEvent(line.event));
  return history;
}

test("what nobody drives any more is interrupted now, and was not in its past", async () => {
  const page = await shown("approval", 6);
  page.kernel.change("driver", "");
  const badge = () => page.root.querySelector(".gr-badge")?.textContent;
  expect(badge()).toBe("interrupted");
  await press(page, "Home");
  expect(badge()).toBe("running");
  await press(page, "End");
  expect(badge()).toBe("interrupted");
});

test("the slider tells where it is in words, and arrows, pages, Home and End move it", async () => {
  const page = await shown("failure");
  const n = log("failure").length;
  expect(said(page)).toMatch(new RegExp(`^live, event ${n} of ${n}: run failed, \\d\\d:\\d\\d:\\d\\d$`));
  await press(page, "Home");
  expect(said(page)).toMatch(/^event 1 of \d+: run started, /);
  await press(page, "ArrowRight", "ArrowRight", "ArrowUp");
  expect(said(page)).toMatch(/^event 4 of /);
  await press(page, "ArrowLeft", "ArrowDown");
  expect(slider(page).getAttribute("aria-valuenow")).toBe("2");
  await press(page, "PageUp");
  expect(slider(page).getAttribute("aria-valuenow")).toBe(String(Math.min(12, n)));
  await press(page, "End");
  expect(said(page)).toMatch(/^live, /);
});

test("with Shift the arrows go from one failure, wait or answer to the next", async () => {
  const page = await shown("retry");
  const failures = log("retry").flatMap((line) => (line.event["kind"] === "AttemptFailed" ? [String(line.seq)] : []));
  await press(page, "Home");
  const seen: (string | null)[] = [];
  for (let i = 0; i < failures.length; i++) {
    await press(page, "Shift+ArrowRight");
    seen.push(slider(page).getAttribute("aria-valuenow"));
  }
  expect(seen).toEqual(failures);
  await press(page, "Shift+ArrowRight");
  expect(said(page)).toMatch(/^live, /);
  await press(page, "Shift+ArrowLeft");
  expect(slider(page).getAttribute("aria-valuenow")).toBe(failures.at(-1));
});

test("the whole widget shows the run as it was, says so, and Live brings it back", async () => {
  const page = await shown("failure");
  expect(page.names("treeitem")).toContain("bad: failed");
  await press(page, "Home", "ArrowRight", "ArrowRight");
  expect(page.names("treeitem")).toContain("bad: running");
  expect(page.all("status")[0]?.textContent).toContain("running");
  expect(page.root.textContent).toMatch(/As it was at \d\d:\d\d:\d\d, event 3 of \d+/);
  page.get("button", "Live").click();
  await page.settle();
  expect(page.names("treeitem")).toContain("bad: failed");
  expect(page.root.textContent).not.toContain("As it was");
});

test("a run can be begun where this one stood, and a refusal is said", async () => {
  const page = await shown("failure");
  const forks = () => page.names("button").includes("Fork here");
  page.kernel.change("offers", ["fork"]);
  expect(forks()).toBe(false);
  await press(page, "Home");
  expect(forks()).toBe(false);
  await press(page, "ArrowRight", "ArrowRight");
  expect(forks()).toBe(true);
  page.get("button", "Fork here").click();
  expect(page.kernel.last("fork")).toMatchObject({ at: 3 });
  page.kernel.reply("fork", null, "its values are gone");
  await page.settle();
  expect(page.root.textContent).toContain("its values are gone");
  await press(page, "ArrowLeft");
  expect(page.root.textContent).not.toContain("its values are gone");
  page.kernel.change("offers", []);
  await page.settle();
  expect(forks()).toBe(false);
});

test("the node that the shown event is about is a link to it", async () => {
  const page = await shown("failure");
  await press(page, "Home", "ArrowRight", "ArrowRight");
  page.get("link", "bad").click();
  await page.settle(50);
  expect(page.get("treeitem", "bad: running").getAttribute("aria-selected")).toBe("true");
  expect(said(page)).toMatch(/^event 3 of /);
});

test("what arrives meanwhile does not move the view, and the digest is that of the newest state", async () => {
  const lines = log("diamond");
  const page = await shown("diamond", 6);
  await press(page, "Home", "ArrowRight");
  const before = page.names("treeitem");
  page.kernel.say(eventsFrame(lines, 7, lines.length));
  await page.settle();
  expect(page.names("treeitem")).toEqual(before);
  expect(said(page)).toMatch(new RegExp(`^event 2 of ${lines.length}: `));
  expect(page.root.dataset["seq"]).toBe(String(lines.length));
  expect(page.root.dataset["digest"]).toBeDefined();
});

test("in the past questions and actions rest, and nothing is sent", async () => {
  const asked = log("approval").findIndex((line) => line.event["kind"] === "WaitOpened") + 1;
  const page = await shown("approval", asked);
  await press(page, "ArrowLeft");
  expect(page.root.querySelector(".gr-asks")?.hasAttribute("inert")).toBe(true);
  expect((page.get("button", "Cancel run") as HTMLButtonElement).disabled).toBe(true);
  await press(page, "End");
  expect(page.root.querySelector(".gr-asks")?.hasAttribute("inert")).toBe(false);
  expect((page.get("button", "Cancel run") as HTMLButtonElement).disabled).toBe(false);
});

test("what was typed into a question survives a look at the time before it was asked", async () => {
  const asked = log("deadline").findIndex((line) => line.event["kind"] === "WaitOpened") + 1;
  const page = await shown("deadline", asked);
  const field = () => page.root.querySelector<HTMLTextAreaElement>(".gr-ask textarea, .gr-ask input");
  const input = field();
  if (input === null) throw new Error("nothing to type into");
  input.value = "Ada";
  await press(page, "Home");
  expect(field()).toBeNull();
  await press(page, "End");
  expect(field()?.value).toBe("Ada");
});

test("a question that was answered meanwhile is concluded once one is back, and only once", async () => {
  const page = await shown("approval");
  const asked = log("approval").findIndex((line) => line.event["kind"] === "WaitOpened") + 1;
  await press(page, "Home", ...new Array(asked - 1).fill("ArrowRight"));
  expect(page.find("button", "Approve")).toBeDefined();
  await press(page, "End", "Home", "End");
  expect(page.find("button", "Approve")).toBeUndefined();
  expect(page.root.querySelectorAll(".gr-answered-line")).toHaveLength(0);
});

test("a node's panel shows no outputs and no lines from later on", async () => {
  const page = await shown("diamond");
  page.get("treeitem", "load: done").click();
  await page.settle();
  const [first, last] = [log("diamond")[2]?.at ?? 0, log("diamond").at(-1)?.at ?? 0];
  const detail = {
    node_id: "load",
    outputs: [{ name: "out", type: "int", text: "42" }],
    logs: [
      [first, "stdout", "early"],
      [last, "stdout", "late"],
    ],
  };
  page.kernel.reply("detail", detail as unknown as Json);
  await page.settle();
  expect(page.filled()).toEqual(["Overview", "Outputs", "Logs"]);
  await press(page, "Home", "ArrowRight", "ArrowRight");
  page.kernel.reply("detail", detail as unknown as Json);
  await page.settle();
  expect(page.filled()).toEqual(["Overview", "Logs"]);
  page.get("tab", "Logs").click();
  await page.settle();
  expect(page.all("tabpanel")[0]?.textContent).toContain("early");
  expect(page.all("tabpanel")[0]?.textContent).not.toContain("late");
});

test("it works without a kernel", async () => {
  const page = await shown("retry", 9);
  page.kernel.die();
  await page.settle();
  await press(page, "Home", "ArrowRight", "ArrowRight");
  expect(page.names("treeitem")).toContain("flaky: running");
});

test("playing starts at the beginning, cuts long pauses, and ends live", async () => {
  const page = await shown("deadline");
  page.get("button", "Play history").click();
  await page.settle(100);
  expect(said(page)).toMatch(/^event \d+ of /);
  await page.settle(60_000);
  expect(said(page)).toMatch(/^live, /);
  expect(page.find("button", "Pause")).toBeUndefined();
});

test("nothing happens any more after a view was taken away while it plays", async () => {
  const page = await shown("retry");
  page.get("button", "Play history").click();
  page.cleanup();
  await page.settle(10_000);
  expect(page.kernel.listeners()).toBe(0);
});

test.each(names)("%s: played at any speed, every event is passed in order and the end is reached", (name) => {
  const history = kept(name);
  for (const speed of [1, 64]) {
    let at = { seq: 1, instant: history.event(1)?.at ?? 0 };
    for (let i = 0; i < 100_000 && at.seq < history.last; i++) {
      const next = playedOn(history, at, 0.05, speed);
      expect(next.seq).toBeGreaterThanOrEqual(at.seq);
      at = next;
    }
    expect(at.seq).toBe(history.last);
  }
});

test("marks are found as the history grows, each once", () => {
  const marks = new Marks();
  const history = new History();
  const n: number[] = [];
  for (const line of log("retry")) {
    history.add(line.seq, line.at, readRunEvent(line.event));
    n.push(marks.advance(history).length);
  }
  expect(n.at(-1)).toBe(log("retry").filter((line) => line.event["kind"] === "AttemptFailed").length);
  expect(n).toEqual([...n].sort((a, b) => a - b));
});
