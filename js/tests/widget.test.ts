// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ticking } from "../src/format";
import type { Json } from "../src/wire";
import { digests, eventsFrame, type Line, log } from "./golden";
import { type NoSheet, open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

async function shown(name: string, until?: number): Promise<Page> {
  const page = await open();
  page.kernel.synchronise(log(name).slice(0, until));
  await page.settle();
  return page;
}

function press(element: Element, key: string): void {
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

/** A frame with one line of the node `load`; one that begins with a carriage return is not finished. */
function printed(text: string, at: number, stream = "stdout"): Json {
  return { kind: "signals", signals: [{ node_id: "load", attempt: 1, stream, text, at }] };
}

function selected(page: Page): string[] {
  return page
    .all("treeitem")
    .flatMap((each) => (each.getAttribute("aria-selected") === "true" ? [each.getAttribute("aria-label") ?? ""] : []));
}

test("the root is a region named after the graph and says which events it has", async () => {
  const page = await shown("diamond");
  expect(page.root.getAttribute("role")).toBe("region");
  expect(page.root.getAttribute("aria-label")).toBe("Run golden graph");
  expect(page.root.dataset).toMatchObject({
    run: "run-1",
    seq: String(log("diamond").length),
    digest: digests("diamond").at(-1),
  });
});

test("the mirror names every node with its status word", async () => {
  const page = await shown("failure");
  expect(page.get("tree", "Nodes")).toBeTruthy();
  expect(page.names("treeitem")).toEqual([
    "bad: failed",
    "good: done",
    "below: skipped",
    "deeper: skipped",
    "never: skipped",
  ]);
  expect(
    page.all("treeitem").map((each) => `${each.getAttribute("aria-posinset")}/${each.getAttribute("aria-setsize")}`),
  ).toEqual(["1/5", "2/5", "3/5", "4/5", "5/5"]);
});

test("the counts strip is one sentence of plain digits", async () => {
  const page = await shown("failure");
  expect(page.all("status").map((each) => each.textContent)).toEqual(["1 done · 1 failed · 3 skipped"]);
});

test("clicking a treeitem selects its node and opens its panel", async () => {
  const page = await shown("diamond");
  expect(page.all("tabpanel")).toEqual([]);
  page.get("treeitem", "left: done").click();
  await page.settle();
  expect(selected(page)).toEqual(["left: done"]);
  expect(page.filled()).toEqual(["Overview"]);
  expect(page.get("tabpanel", /Attempt 1/).textContent).toContain("done");
});

test("every node has all six tabs, and one with nothing to show says so when it is chosen", async () => {
  const page = await shown("failure");
  page.get("treeitem", "bad: failed").click();
  await page.settle();
  expect(page.names("tab")).toEqual(["Overview", "Inputs", "Outputs", "Logs", "Error", "Source"]);
  page.get("tab", "Logs").click();
  await page.settle();
  expect(page.get("tab", "Logs").getAttribute("aria-selected")).toBe("true");
  expect(page.all("tabpanel")[0]?.textContent).toBe("Nothing was printed or logged.");
});

test("a tab with nothing to show for the next node gives way to its overview", async () => {
  const page = await shown("failure");
  page.get("treeitem", "bad: failed").click();
  await page.settle();
  page.get("tab", "Error").click();
  await page.settle();
  page
    .all("treeitem")
    .find((each) => each.getAttribute("aria-label")?.endsWith(": done"))
    ?.click();
  await page.settle();
  expect(page.get("tab", "Overview").getAttribute("aria-selected")).toBe("true");
});

test("arrows follow edges, Escape lets go, and Enter leads into the detail", async () => {
  const page = await shown("diamond");
  const tree = page.get("tree", "Nodes");
  tree.focus();
  press(tree, "ArrowRight");
  press(tree, "ArrowRight");
  await page.settle();
  expect(selected(page)).toEqual(["left: done"]);
  press(tree, "ArrowDown");
  await page.settle();
  expect(selected(page)).toEqual(["right: done"]);
  expect(tree.getAttribute("aria-activedescendant")).toBe(page.get("treeitem", "right: done").id);
  press(tree, "Enter");
  expect(document.activeElement).toBe(page.get("tab", "Overview"));
  press(page.get("tab", "Overview"), "Escape");
  await page.settle();
  expect(selected(page)).toEqual([]);
  expect(page.all("tabpanel")).toEqual([]);
  expect(document.activeElement).toBe(tree);
});

test("the full stop leads to the next problem", async () => {
  const page = await shown("failure");
  press(page.get("tree", "Nodes"), ".");
  await page.settle();
  expect(selected(page)).toEqual(["bad: failed"]);
});

test("a failed node shows each attempt, the user's line, and a traceback", async () => {
  const page = await shown("failure");
  page.get("treeitem", "bad: failed").click();
  await page.settle();
  expect(page.filled()).toEqual(["Overview", "Error"]);
  const panel = page.get("tabpanel", /Attempt 1/);
  expect(panel.textContent).toContain("ValueError: bad value: -1");
  expect(panel.textContent).toContain("raise ValueError(f'bad value: {x}')");
  page.get("tab", "Error").click();
  await page.settle();
  expect(page.get("tabpanel", /fit/).textContent).toContain("<ipython-input-3>:4");
  expect(page.get("button", "Copy traceback")).toBeTruthy();
});

test("what the kernel knows of a node is asked for, and asked again when the node moves on", async () => {
  const page = await open();
  const lines = log("diamond");
  page.kernel.synchronise(lines.slice(0, 3));
  await page.settle();
  page.get("treeitem", "load: running").click();
  await page.settle(200);
  expect(page.kernel.last("detail")).toMatchObject({ node_id: "load" });
  page.kernel.reply("detail", {
    node_id: "load",
    inputs: [{ name: "x", type: "int", text: "1" }],
    logs: [[1, "stdout", "hello"]],
    source: "def load(): ...",
    source_line: 3,
  });
  await page.settle(200);
  expect(page.filled()).toEqual(["Overview", "Inputs", "Logs", "Source"]);
  page.get("tab", "Inputs").click();
  await page.settle(200);
  expect(page.get("tabpanel", /int/).textContent).toContain("1");
  page.kernel.say(eventsFrame(lines, 4, 4));
  await page.settle(200);
  expect(page.kernel.count("detail")).toBe(2);
  page.kernel.say(printed("again", 2));
  page.get("tab", "Logs").click();
  await page.settle(200);
  expect(page.get("tabpanel", /hello/).textContent).toContain("again");
});

async function running(logs: Json = []): Promise<Page> {
  const page = await shown("diamond", 3);
  page.get("treeitem", "load: running").click();
  await page.settle(200);
  page.kernel.reply("detail", { node_id: "load", logs });
  await page.settle(200);
  return page;
}

function logTexts(page: Page): readonly (string | null)[] {
  return [...page.root.querySelectorAll(".gr-log-text")].map((each) => each.textContent);
}

test("the logs tab comes with the first line, and lines follow as they are printed", async () => {
  const page = await running();
  expect(page.filled()).toEqual(["Overview"]);
  page.kernel.say(printed("epoch 1", 5));
  await page.settle();
  expect(page.filled()).toEqual(["Overview", "Logs"]);
  page.get("tab", "Logs").click();
  page.kernel.say(printed("careful", 6, "stderr"));
  page.kernel.say(printed("50 %", 7, "progress"));
  await page.settle();
  expect(logTexts(page)).toEqual(["epoch 1", "stderr careful"]);
});

test("a line that the kernel has kept is not shown again when it is heard", async () => {
  const page = await running([
    [1, "stdout", "one"],
    [2, "stdout", "two"],
  ]);
  page.get("tab", "Logs").click();
  for (const [text, at] of [
    ["one", 1],
    ["two", 2],
    ["three", 3],
  ] as const)
    page.kernel.say(printed(text, at));
  await page.settle();
  expect(logTexts(page)).toEqual(["one", "two", "three"]);
});

test("a line that is not finished is shown as it stands, once", async () => {
  const page = await running([[1, "stderr", "\r10%"]]);
  page.get("tab", "Logs").click();
  await page.settle();
  expect(logTexts(page)).toEqual(["stderr 10%"]);
  page.kernel.say(printed("\r20%", 2, "stderr"));
  page.kernel.say(printed("saved", 3));
  page.kernel.say(printed("\r30%", 4, "stderr"));
  page.kernel.say(printed("\r40%", 5, "stderr"));
  await page.settle();
  expect(logTexts(page)).toEqual(["saved", "stderr 40%"]);
  page.kernel.say(printed("100%", 6, "stderr"));
  page.kernel.say(printed("\r0%", 7, "stderr"));
  await page.settle();
  expect(logTexts(page)).toEqual(["saved", "stderr 100%", "stderr 0%"]);
});

test("an open approval stands there with its options, unselected, and shows who answered what", async () => {
  const page = await open();
  const lines = log("approval");
  page.kernel.synchronise(lines.slice(0, 6));
  await page.settle();
  expect(page.root.querySelector(".gr-ask")?.textContent).toContain("approve: Publish?");
  page.get("button", "Approve").click();
  page.get("button", "Approve").click();
  expect(page.kernel.count("resume")).toBe(1);
  expect(page.kernel.last("resume")).toMatchObject({
    node_id: "approve",
    attempt: 1,
    no: 0,
    payload: { choice: "Approve" },
  });
  expect(page.root.textContent).toContain("Sending…");
  expect(page.get("treeitem", "approve: waiting")).toBeTruthy();
  await page.settle(1000);
  expect(page.root.textContent).toContain("Kernel busy: will act when it is free");
  page.kernel.reply("resume");
  page.kernel.say(eventsFrame(lines, 7, lines.length));
  await page.settle();
  expect(page.find("button", "Approve")).toBeUndefined();
  expect(page.root.querySelector(".gr-answered")?.textContent).toMatch(/^approve: Publish\? → Approve, by a click at /);
});

test("a refused answer is said beside its question, which stays", async () => {
  const page = await shown("approval", 6);
  page.get("button", "Reject").click();
  expect(page.kernel.last("resume")).toMatchObject({ payload: { choice: "Reject" } });
  page.kernel.reply("resume", null, "approved: not a bool");
  await page.settle();
  expect(page.get("alert", "approved: not a bool")).toBeTruthy();
  expect(page.get("button", "Reject")).toBeTruthy();
  expect(page.root.textContent).not.toContain("Sending…");
});

test("each option of an approval is answered as itself", async () => {
  const page = await open();
  page.kernel.synchronise([
    event(1, "RunStarted", { graph: "three" }),
    event(2, "SpecAccepted", { fingerprint: "f", nodes: [{ node_id: "ask", name: "ask" }] }),
    event(3, "AttemptStarted", { node_id: "ask", attempt: 1 }),
    event(4, "WaitOpened", {
      node_id: "ask",
      attempt: 1,
      wait: { no: 0, kind: "approval", prompt: "Pay?", options: ["Yes", "No", "Later"] },
    }),
  ]);
  await page.settle();
  page.get("button", "Later").click();
  expect(page.kernel.last("resume")).toMatchObject({ payload: { choice: "Later" } });
});

test("a text question is a form named after its prompt", async () => {
  const page = await shown("deadline", 4);
  const form = page.get("form", "Name?") as HTMLFormElement;
  const input = form.querySelector("textarea");
  if (input === null) throw new Error("no field");
  input.value = "Ada";
  form.querySelector<HTMLButtonElement>("button")?.click();
  expect(page.kernel.last("resume")).toMatchObject({ node_id: "ask", no: 0, payload: { text: "Ada" } });
  expect(form.querySelector("button")?.textContent).toBe("Send answer");
});

test("cancelling shows only what was recorded", async () => {
  const page = await open();
  const lines = log("cancel");
  page.kernel.synchronise(lines.slice(0, 5));
  await page.settle();
  page.get("button", "Cancel run").click();
  await page.settle();
  expect(page.root.querySelector(".gr-badge")?.textContent).not.toBe("cancelling");
  page.kernel.say(eventsFrame(lines, 6, lines.length));
  await page.settle();
  expect(page.root.querySelector(".gr-badge")?.textContent).toBe("cancelled");
  expect(page.find("button", "Cancel run")).toBeUndefined();
});

test("what failed can be retried, and the run then goes on in the same view", async () => {
  const page = await shown("failure");
  expect(page.root.querySelector(".gr-badge")?.textContent).toBe("failed");
  page.get("button", "Retry failed").click();
  expect(page.kernel.last("retry")).toBeTruthy();
  const lines = log("failure");
  page.kernel.say({
    kind: "events",
    first: lines.length + 1,
    at: [2e9],
    events: [{ kind: "RunResumed", reason: "it was retried" }],
  });
  await page.settle();
  expect(page.find("button", "Retry failed")).toBeUndefined();
  expect(page.get("button", "Cancel run")).toBeTruthy();
});

test("a lost kernel is said, with the way on, and nothing can be sent any more", async () => {
  const page = await shown("approval", 6);
  page.kernel.die();
  await page.settle();
  expect(page.root.textContent).toContain("The kernel is gone.");
  expect(page.get("button", "Copy %graphrun attach run-1")).toBeTruthy();
  const before = page.kernel.sent.length;
  page.get("button", "Approve").click();
  await page.settle();
  expect(page.kernel.sent).toHaveLength(before);
  expect(page.get("alert", /kernel that ran this is gone/)).toBeTruthy();
});

test("other runs of the cell are said, with the way to them, until they have ended", async () => {
  const page = await shown("approval", 6);
  expect(page.root.textContent).not.toContain("alive");
  page.kernel.change("others", ["run-0", "<b>run</b>", 7]);
  expect(page.root.textContent).toContain("Other runs of this graph are alive");
  expect(page.get("button", "Copy %graphrun show run-0")).toBeTruthy();
  expect(page.get("button", "Copy %graphrun show <b>run</b>")).toBeTruthy();
  page.kernel.change("others", ["run-0"]);
  expect(page.root.textContent).toContain("Another run of this graph is alive");
  expect(page.find("button", /<b>/)).toBeUndefined();
  page.kernel.change("others", []);
  expect(page.find("button", /Copy %graphrun show/)).toBeUndefined();
  page.cleanup();
  expect(page.kernel.listeners()).toBe(0);
});

test("it says which other process drives the run, and how to go on with it when none does", async () => {
  const page = await shown("approval", 6);
  const badge = () => page.root.querySelector(".gr-badge")?.textContent;
  expect(page.root.textContent).not.toContain("Driven by");
  page.kernel.change("driver", "process 7 on <b>here</b>");
  expect(page.root.textContent).toContain("Driven by process 7 on <b>here</b>. Answers and Cancel run reach it");
  expect(badge()).toBe("waiting");
  page.kernel.change("others", ["run-0"]);
  expect(page.root.textContent).not.toContain("Another run");
  page.kernel.change("driver", "");
  expect(page.root.textContent).toContain("No process goes on with this run");
  expect(badge()).toBe("interrupted");
  expect(page.get("button", "Copy %graphrun attach run-1")).toBeTruthy();
  page.kernel.change("driver", null);
  expect(page.root.textContent).toContain("Another run of this graph is alive");
  expect(badge()).toBe("waiting");
  page.cleanup();
  expect(page.kernel.listeners()).toBe(0);
});

test("the clock of a run that nobody drives stands where its log ends, and goes on with the run", async () => {
  const page = await shown("approval", 6);
  const elapsed = () => page.root.querySelector(".gr-elapsed")?.textContent;
  const lines = log("approval");
  page.kernel.change("driver", "");
  await page.settle(5000);
  const stood = elapsed();
  expect(stood).toBe(ticking((lines[5]?.at ?? 0) - (lines[0]?.at ?? 0)));
  await page.settle(5000);
  expect(elapsed()).toBe(stood);
  page.kernel.change("driver", "process 7 on here");
  expect(elapsed()).not.toBe(stood);
});

test("a saved view of a run that ended says nothing of other runs", async () => {
  const page = await shown("diamond");
  page.kernel.change("others", ["run-0"]);
  expect(page.find("button", "Copy %graphrun show run-0")).toBeDefined();
  page.kernel.die();
  expect(page.find("button", "Copy %graphrun show run-0")).toBeUndefined();
});

test("the still picture is hidden while the live view is there", async () => {
  const rules = (): string => document.adoptedStyleSheets.map((each) => (each as unknown as NoSheet).text).join("");
  const page = await open();
  expect(rules()).toBe("");
  page.kernel.synchronise(log("diamond"));
  await page.settle();
  expect(rules()).toMatch(/^\[data-graphrun-static="run-1"\].* \{ display: none !important; \}$/);
  page.cleanup();
  expect(rules()).toBe("");
});

test("cleaning up leaves neither elements nor listeners", async () => {
  const page = await shown("retry", 6);
  page.cleanup();
  expect(page.root.isConnected).toBe(false);
  expect(page.kernel.listeners()).toBe(0);
  const before = page.kernel.sent.length;
  await page.settle(60_000);
  expect(page.kernel.sent).toHaveLength(before);
});

test("the digest can be asked for while the run is under way", async () => {
  const page = await shown("retry", 6);
  expect(page.root.dataset["digest"]).toBeUndefined();
  page.root.dispatchEvent(new CustomEvent("graphrun:digest"));
  expect(page.root.dataset["digest"]).toBe(digests("retry")[5]);
});

const HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>";

function event(seq: number, kind: string, rest: { readonly [key: string]: Json }): Line {
  return { run_id: "r", seq, at: seq, event: { kind, ...rest } };
}

test("text from a graph is text, wherever it stands", async () => {
  const page = await open(HOSTILE);
  const error = {
    types: [HOSTILE],
    message: HOSTILE,
    notes: [HOSTILE],
    frames: [{ file: HOSTILE, line: 1, function: HOSTILE, source: HOSTILE, user: true }],
  };
  const lines = [
    event(1, "RunStarted", { graph: HOSTILE }),
    event(2, "SpecAccepted", {
      fingerprint: "f",
      nodes: [
        { node_id: HOSTILE, name: HOSTILE, labels: [HOSTILE] },
        { node_id: "b", name: "b", needs: [HOSTILE] },
      ],
    }),
    event(3, "AttemptStarted", { node_id: HOSTILE, attempt: 1 }),
    event(4, "AttemptStarted", { node_id: "b", attempt: 1 }),
    event(5, "AttemptFailed", { node_id: HOSTILE, attempt: 1, error }),
    event(6, "WaitOpened", {
      node_id: "b",
      attempt: 1,
      wait: { no: 0, kind: "approval", prompt: HOSTILE, options: [HOSTILE, "no"] },
    }),
  ];
  page.kernel.synchronise(lines);
  await page.settle();
  page.get("treeitem", `${HOSTILE}: failed`).click();
  await page.settle(200);
  page.kernel.reply("detail", {
    node_id: HOSTILE,
    inputs: [{ name: HOSTILE, type: HOSTILE, text: HOSTILE }],
    outputs: [{ name: HOSTILE, type: HOSTILE, text: HOSTILE }],
    logs: [[1, "stderr", HOSTILE]],
    source: HOSTILE,
    source_file: HOSTILE,
  });
  await page.settle(200);
  expect(page.get("button", HOSTILE)).toBeTruthy();
  for (const tab of ["Overview", "Error", "Inputs", "Outputs", "Logs", "Source"]) {
    page.get("tab", tab).click();
    await page.settle(200);
    expect(page.all("tabpanel")[0]?.textContent).toContain(HOSTILE);
    expect(document.querySelectorAll("img, script")).toHaveLength(0);
  }
});

test("how far a node is stands in its overview, as long as it runs", async () => {
  const page = await shown("diamond", 3);
  page.get("treeitem", "load: running").click();
  page.kernel.say({
    kind: "signals",
    signals: [{ node_id: "load", attempt: 1, stream: "progress", text: "3/12 rows", at: 1700000001 }],
  });
  await page.settle();
  expect(page.root.textContent).toContain("3/12 rows");
  expect(page.root.querySelector<HTMLProgressElement>("progress")?.value).toBe(0.25);
  page.kernel.say({
    kind: "signals",
    signals: [{ node_id: "load", attempt: 7, stream: "progress", text: "9/12 rows", at: 1700000001 }],
  });
  await page.settle();
  expect(page.root.textContent).not.toContain("9/12");
  page.kernel.say(eventsFrame(log("diamond"), 4, 4));
  await page.settle();
  expect(page.root.querySelector("progress")).toBeNull();
});

async function type(page: Page, text: string): Promise<HTMLInputElement> {
  press(page.get("tree", "Nodes"), "/");
  const field = page.get("searchbox", "Search nodes") as HTMLInputElement;
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await page.settle();
  return field;
}

function found(page: Page): string | null | undefined {
  return page.root.querySelector(".gr-found")?.textContent;
}

test("a slash opens the search, Enter leads from match to match, and Escape ends it", async () => {
  const page = await shown("failure");
  expect(page.find("searchbox", "Search nodes")).toBeUndefined();
  const field = await type(page, "status:skipped");
  expect(document.activeElement).toBe(field);
  expect(found(page)).toBe("3 matches");
  press(field, "Enter");
  await page.settle();
  expect(selected(page)).toEqual(["below: skipped"]);
  expect(found(page)).toBe("1 of 3");
  press(field, "Enter");
  press(field, "Enter");
  press(field, "Enter");
  await page.settle();
  expect(selected(page)).toEqual(["below: skipped"]);
  press(field, "Escape");
  await page.settle();
  expect(page.find("searchbox", "Search nodes")).toBeUndefined();
  expect(document.activeElement).toBe(page.get("tree", "Nodes"));
});

test("a query that fits nothing says so, and a slash in a text field is a slash", async () => {
  const page = await shown("failure");
  const field = await type(page, "nothing like it");
  expect(found(page)).toBe("no match");
  expect((page.get("button", "Next match") as HTMLButtonElement).disabled).toBe(true);
  const slash = new KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true });
  field.dispatchEvent(slash);
  expect(slash.defaultPrevented).toBe(false);
});

test("a count is a filter that is written into the search", async () => {
  const page = await shown("failure");
  page.get("button", "1 failed").click();
  await page.settle();
  expect(page.get("button", "1 failed").getAttribute("aria-pressed")).toBe("true");
  expect((page.get("searchbox", "Search nodes") as HTMLInputElement).value).toBe("status:failed");
  expect(found(page)).toBe("1 match");
  page.get("button", "1 failed").click();
  await page.settle();
  expect(page.find("searchbox", "Search nodes")).toBeUndefined();
});

test("Enter looks into a container, breadcrumbs and Backspace lead back out", async () => {
  const page = await shown("nested");
  const tree = page.get("tree", "Nodes");
  expect(
    page.all("treeitem").map((each) => [each.getAttribute("aria-level"), each.getAttribute("data-drawn")]),
  ).toEqual([
    ["1", "true"],
    ["2", "false"],
    ["2", "false"],
    ["1", "true"],
  ]);
  expect(page.get("treeitem", "outer: done").getAttribute("aria-expanded")).toBe("true");
  tree.focus();
  press(tree, "Home");
  press(tree, "Enter");
  await page.settle();
  expect(page.kernel.last("place")).toMatchObject({ inside: "outer" });
  expect(page.names("navigation").length).toBe(1);
  expect(page.get("treeitem", "outer/a: done").dataset["drawn"]).toBe("true");
  expect(page.get("treeitem", "last: done").dataset["drawn"]).toBe("false");
  press(tree, "ArrowRight");
  await page.settle();
  expect(selected(page)).toEqual(["outer/a: done"]);
  press(tree, "ArrowRight");
  await page.settle();
  expect(selected(page)).toEqual(["outer/b: done"]);
  press(tree, "Escape");
  press(tree, "Backspace");
  await page.settle();
  expect(selected(page)).toEqual(["outer: done"]);
  expect(page.names("navigation")).toEqual([]);
  press(tree, "Escape");
  page.get("treeitem", "outer: done").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
  await page.settle();
  page.get("button", "golden graph").click();
  await page.settle();
  expect(page.get("treeitem", "last: done").dataset["drawn"]).toBe("true");
});

test("selecting a part, from wherever, looks to where it is drawn", async () => {
  const page = await shown("mapped");
  press(page.get("tree", "Nodes"), ".");
  await page.settle();
  expect(selected(page)).toEqual(["work[1]: failed"]);
  expect(page.get("treeitem", "work[1]: failed").dataset["drawn"]).toBe("true");
  expect(page.get("navigation", "Inside").textContent).toBe("golden graphwork");
});

test("a run that is nothing but a body is shown from inside", async () => {
  const page = await shown("growing");
  expect(page.get("treeitem", "call 1: done").dataset["drawn"]).toBe("true");
  expect(page.get("treeitem", "agent: done").getAttribute("aria-level")).toBe("1");
  expect(page.kernel.last("place")).toMatchObject({ inside: "agent" });
  press(page.get("tree", "Nodes"), "Backspace");
  await page.settle();
  expect(page.get("treeitem", "call 1: done").dataset["drawn"]).toBe("true");
  page.get("button", "agent").click();
  await page.settle();
  expect(selected(page)).toEqual(["agent: done"]);
  expect(page.get("treeitem", "call 1: done").dataset["drawn"]).toBe("true");
});

test("the arrow keys move the lower edge, within bounds that are told", async () => {
  const page = await shown("diamond");
  vi.spyOn(page.root, "getBoundingClientRect").mockImplementation(
    () => ({ height: Number.parseInt(page.root.style.height || "420", 10) }) as DOMRect,
  );
  const edge = page.get("separator", "Height of the view");
  expect(edge.getAttribute("aria-valuenow")).toBe("420");
  press(edge, "ArrowDown");
  expect([page.root.style.height, edge.getAttribute("aria-valuenow")]).toEqual(["440px", "440"]);
  press(edge, "Home");
  press(edge, "ArrowUp");
  expect(page.root.style.height).toBe("240px");
  press(edge, "End");
  expect(page.root.style.height).toBe(`${edge.getAttribute("aria-valuemax")}px`);
});

test("a small map is there when a large graph is not all in view", async () => {
  const page = await open();
  const nodes = Array.from({ length: 90 }, (_, i) => ({
    node_id: `n${i}`,
    name: `n${i}`,
    needs: i === 0 ? [] : [`n${i - 1}`],
  }));
  page.kernel.say({
    kind: "events",
    first: 1,
    at: [1, 1],
    events: [
      { kind: "RunStarted", graph: "g" },
      { kind: "SpecAccepted", fingerprint: "", nodes },
    ],
  });
  page.kernel.reply("sync", { seq: 2 });
  await page.settle();
  const map = page.root.querySelector<HTMLElement>(".gr-minimap");
  expect(map?.hidden).toBe(true);
  const tree = page.get("tree", "Nodes");
  for (let i = 0; i < 8; i++) press(tree, "+");
  await page.settle();
  expect(map?.hidden).toBe(false);
  press(tree, "0");
  await page.settle();
  expect(map?.hidden).toBe(true);
});

test("a question mark shows the keys, and takes them away again", async () => {
  const page = await shown("diamond");
  expect(page.names("note")).toEqual([]);
  press(page.get("tree", "Nodes"), "?");
  expect(page.get("note", "Keys of the graph").textContent).toContain("next failed or waiting node");
  expect(page.get("button", "Keys").getAttribute("aria-expanded")).toBe("true");
  press(page.get("note", "Keys of the graph"), "Escape");
  expect(page.names("note")).toEqual([]);
  expect(document.activeElement).toBe(page.get("tree", "Nodes"));
});
