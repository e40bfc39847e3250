// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ErrorInfo, FrameInfo } from "../src/protocol";
import { errorPanel, placeOf } from "../src/views/panels";
import type { Json } from "../src/wire";
import { open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

async function shown(events: readonly Json[]): Promise<Page> {
  const page = await open();
  page.kernel.say({ kind: "events", first: 1, at: events.map((_, i) => 1700000000 + i), events });
  page.kernel.reply("sync", { seq: events.length });
  await page.settle();
  return page;
}

function begun(...ids: string[]): Json[] {
  return [
    { kind: "RunStarted", graph: "golden graph" },
    { kind: "SpecAccepted", fingerprint: "f", nodes: ids.map((node_id) => ({ node_id, name: node_id })) },
    ...ids.map((node_id) => ({ kind: "AttemptStarted", node_id, attempt: 1 })),
  ];
}

function failed(node_id: string): Json {
  const frames = [{ file: "/home/me/src/fit/model.py", line: 7, function: "fit", source: "fit(x)", user: true }];
  return { kind: "AttemptFailed", node_id, attempt: 1, error: { types: ["ValueError"], message: "bad", frames } };
}

function opened(node_id: string, kind: string, schema: Json = null): Json {
  return { kind: "WaitOpened", node_id, attempt: 1, wait: { no: 0, kind, prompt: `${node_id}?`, schema } };
}

function told(page: Page): string | null | undefined {
  return page.root.querySelector("[aria-label='First failure']:not([hidden])")?.textContent;
}

test("the first failure stands there in a line: which node, on which line of which file, and why", async () => {
  const page = await shown([...begun("a", "b"), failed("b")]);
  expect(told(page)).toBe("b fit/model.py:7 ValueError: bad");
  page.get("link", "b").click();
  await page.settle();
  expect(told(page)).toBeUndefined();
  expect(page.all("tabpanel")[0]?.textContent).toContain("ValueError: bad");
});

test("further failures are counted, and the count leads to the next of them", async () => {
  const page = await shown([...begun("a", "b", "c"), failed("c"), failed("a"), failed("b")]);
  expect(told(page)).toContain("a fit/model.py:7");
  page.get("link", "and 2 more").click();
  await page.settle();
  expect(page.get("treeitem", "b: failed").getAttribute("aria-selected")).toBe("true");
});

/** A node of `n` parts, all of which failed but the first. */
async function mapped(n: number): Promise<Page> {
  const parts = Array.from({ length: n }, (_, i) => `visit[${i}]`);
  const [, spec] = begun("visit") as [Json, { readonly nodes: readonly { readonly node_id: string }[] }];
  const message = `${n - 1} of ${n} parts of 'visit' failed: visit[1], visit[2], visit[3], …`;
  const page = await shown([
    ...begun(),
    { ...spec, nodes: spec.nodes.map((node) => ({ ...node, kind: "map" })) },
    { kind: "AttemptStarted", node_id: "visit", attempt: 1 },
    ...parts.map((node_id) => ({ kind: "NodeAdded", node: { node_id, name: node_id, parent: "visit" } })),
    ...parts.map((node_id) => ({ kind: "AttemptStarted", node_id, attempt: 1 })),
    ...parts.slice(1).map(failed),
    { kind: "AttemptFailed", node_id: "visit", attempt: 1, error: { types: ["PartsFailed"], message } },
  ]);
  page.get("treeitem", "visit: failed").click();
  await page.settle();
  return page;
}

function linked(page: Page): (string | null)[] {
  return [...page.root.querySelectorAll("[role=tabpanel] a")].map((each) => each.textContent);
}

test("the parts that failed are links to them, the first of many, once each", async () => {
  const page = await mapped(15);
  expect(linked(page)).toEqual(Array.from({ length: 12 }, (_, i) => `visit[${i + 1}]`));
  const panel = page.all("tabpanel")[0];
  expect(panel?.textContent).toContain("PartsFailed: 14 of 15 parts of 'visit' failed");
  expect(panel?.textContent).toContain("visit[12] and 2 more");
  page.get("link", "visit[2]").click();
  await page.settle();
  expect(page.get("treeitem", "visit[2]: failed").getAttribute("aria-selected")).toBe("true");
  expect(page.get("treeitem", "visit[2]: failed").dataset["drawn"]).toBe("true");
});

test("a part that a link leads to is in view also when the layout of its container comes later", async () => {
  const page = await mapped(4);
  page.get("link", "visit[2]").click();
  await page.settle();
  const [x, y] = [[100, 1500, 3000, 4500], Array(4).fill(2000)];
  page.kernel.say({ kind: "layout", inside: "visit", x, y, bends: [], width: 4600, height: 4000 });
  await page.settle();
  const part = page.get("treeitem", "visit[2]: failed");
  const [, dx, dy, k] =
    /translate\((.+)px, (.+)px\) scale\((.+)\)/.exec(
      part.closest<HTMLElement>("[style*=scale]")?.style.transform ?? "",
    ) ?? [];
  const at = [3000 * Number(k) + Number(dx), 2000 * Number(k) + Number(dy)];
  expect(at).toEqual([450, 200]);
});

test("the error of a container shows the first failed part's own, and a button looks inside", async () => {
  const page = await mapped(4);
  page.get("tab", "Error").click();
  await page.settle();
  expect(page.all("tabpanel")[0]?.textContent).toContain("visit[1] fit/model.py:7 ValueError: bad");
  expect(linked(page)).toEqual(["visit[1]", "visit[2]", "visit[3]"]);
  page.get("button", "Look inside").click();
  await page.settle();
  expect(page.get("treeitem", "visit[0]: running").dataset["drawn"]).toBe("true");
  expect(page.all("tabpanel")).toEqual([]);
  expect(document.activeElement).toBe(page.get("tree", "Nodes"));
});

test("large forms stand below what is answered at once, and further questions are on further pages", async () => {
  const form = { type: "object", properties: { n: { type: "integer" } } };
  const asked = [opened("a", "approval"), opened("b", "form", form), opened("c", "text"), opened("d", "approval")];
  const page = await shown([...begun("a", "b", "c", "d"), ...asked]);
  const questions = (): (string | null)[] =>
    [...page.root.querySelectorAll(".gr-ask .gr-prompt")].map((each) => each.textContent);
  expect(questions()).toEqual(["a?", "c?", "b?"]);
  page.get("button", "Later questions").click();
  await page.settle();
  expect(questions()).toEqual(["d?"]);
  page.get("button", "Earlier questions").click();
  await page.settle();
  expect(questions()).toEqual(["a?", "c?", "b?"]);
});

test("the letter a leads to what the first question is answered with, but is a letter in a field", async () => {
  const page = await shown([...begun("a", "b"), opened("a", "approval"), opened("b", "text")]);
  const press = (element: Element): KeyboardEvent => {
    const event = new KeyboardEvent("keydown", { key: "a", bubbles: true, cancelable: true });
    element.dispatchEvent(event);
    return event;
  };
  press(page.get("tree", "Nodes"));
  expect(document.activeElement?.textContent).toBe("Approve");
  expect(press(page.get("form", "b?").querySelector("textarea") as Element).defaultPrevented).toBe(false);
});

const frame = (name: string, user: boolean, file = "In[3]"): FrameInfo => ({
  file,
  line: 4,
  function: name,
  source: `${name}()`,
  user,
});

test("the user's frames come first, the one that raised above its callers; all are behind a fold", () => {
  const frames = [frame("outer", true), frame("wrapper", false, "/usr/lib/x.py"), frame("inner", true)];
  const error: ErrorInfo = { types: ["ValueError"], message: "bad", frames, notes: ["Hint: mend it."], cause: "" };
  const panel = errorPanel(error);
  const names = (of: ParentNode): (string | null)[] =>
    [...of.querySelectorAll(":scope > .gr-frame .gr-frame-name")].map((each) => each.textContent);
  expect(names(panel)).toEqual(["inner", "outer"]);
  const fold = panel.querySelector("details");
  expect(fold?.querySelector("summary")?.textContent).toBe("All 3 frames, the last one raised");
  expect(names(fold as HTMLElement)).toEqual(["outer", "wrapper", "inner"]);
  expect(errorPanel({ ...error, frames: frames.slice(2) }).querySelector("details")).toBeNull();
});

test("an error from a library alone shows where it came out", () => {
  const frames = [frame("one", false), frame("two", false)];
  const panel = errorPanel({ types: ["OSError"], message: "", frames, notes: [], cause: "" });
  expect(panel.querySelector(":scope > .gr-frame")?.textContent).toContain("two In[3]:4two()");
});

test.each([
  ["/home/me/src/fit/model.py", "fit/model.py:4"],
  ["C:\\work\\fit\\model.py", "fit/model.py:4"],
  ["In[3]", "In[3]:4"],
])("%s is told as %s", (file, place) => {
  expect(placeOf(frame("f", true, file))).toBe(place);
});
