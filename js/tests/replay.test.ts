// @vitest-environment jsdom
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { unpack } from "../src/replay";
import type { Json } from "../src/wire";
import { digests, eventsFrame, log } from "./golden";
import { open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

function packed(value: Json): string {
  return gzipSync(JSON.stringify(value)).toString("base64");
}

function recording(name: string, more: { readonly [key: string]: Json } = {}): string {
  const lines = log(name);
  const at = lines.at(-1)?.at ?? 0;
  const events = eventsFrame(lines, 1, lines.length);
  return packed({ version: 1, run_id: "run-1", graph: "golden graph", saved_at: at, events, ...more });
}

/** Unpacking is the platform's own work, which no fake timer turns. */
async function played(page: Page, text: string): Promise<Page> {
  page.kernel.change("replay", text);
  await vi.waitFor(() => expect(page.root.dataset["seq"]).not.toBe("0"), { interval: 1 });
  await page.settle();
  return page;
}

test("a recording shows the run as it ended, says that there is no kernel, and offers nothing that would need one", async () => {
  const page = await played(await open(), recording("failure"));
  expect(page.root.dataset["digest"]).toBe(digests("failure").at(-1));
  expect(page.names("treeitem")).toContain("bad: failed");
  expect(page.root.textContent).toContain("Saved run, no kernel");
  expect(page.root.textContent).not.toContain("Live");
  expect(page.names("button").filter((name) => /Cancel|Retry|Tidy|Approve/.test(name))).toEqual([]);
});

test("what was recorded of a node is told when it is selected", async () => {
  const details = [{ node_id: "bad", inputs: [{ name: "x", type: "int", text: "-1" }], source: "def bad(x): ..." }];
  const page = await played(await open(), recording("failure", { details }));
  page.get("treeitem", "bad: failed").click();
  await page.settle();
  expect(page.filled()).toEqual(["Overview", "Inputs", "Error", "Source"]);
  expect(page.kernel.count("detail")).toBe(0);
});

test("a run that was recorded under way stands still, and its question cannot be answered", async () => {
  const lines = log("approval");
  const until = lines.findIndex((line) => line.event["kind"] === "WaitOpened") + 1;
  const events = eventsFrame(lines, 1, until);
  const page = await played(await open(), recording("approval", { events }));
  const before = page.root.querySelector(".gr-elapsed")?.textContent;
  await page.settle(60_000);
  expect(page.root.querySelector(".gr-elapsed")?.textContent).toBe(before);
  expect(page.kernel.count("resume")).toBe(0);
});

test("a kernel that answers after all makes it live", async () => {
  const page = await played(await open(), recording("failure"));
  page.kernel.synchronise(log("failure"));
  await page.settle();
  expect(page.root.textContent).not.toContain("Saved run");
  expect(page.get("button", "Retry failed")).toBeTruthy();
  expect(page.root.dataset["digest"]).toBe(digests("failure").at(-1));
});

test("when the kernel goes, what it had saved is still told", async () => {
  const page = await open();
  page.kernel.synchronise(log("failure"));
  await page.settle();
  page.kernel.change("replay", recording("failure", { details: [{ node_id: "bad", source: "def bad(x): ..." }] }));
  await vi.waitFor(() => expect(page.kernel.traits["replay"]).not.toBe(""));
  await new Promise((resolve) => setImmediate(resolve));
  page.kernel.die();
  await page.settle();
  page.get("treeitem", "bad: failed").click();
  await page.settle();
  await vi.waitFor(() => expect(page.filled()).toContain("Source"));
});

test.each([
  ["no text that was packed", "%%%"],
  ["no JSON", gzipSync("{").toString("base64")],
  ["no recording", packed([1, 2])],
  ["a newer one", recording("failure", { version: 99 })],
  [
    "events that do not fit",
    recording("failure", { events: { kind: "events", first: 1, at: [1], events: [{ kind: "X" }] } }),
  ],
])("%s is refused", async (_, text) => {
  await expect(unpack(text)).rejects.toThrow();
});

test("what is not a recording shows nothing and breaks nothing", async () => {
  const page = await open();
  page.kernel.change("replay", packed({ version: 1 }));
  page.kernel.change("replay", 7);
  page.kernel.synchronise(log("diamond"));
  await page.settle();
  expect(page.root.dataset["digest"]).toBe(digests("diamond").at(-1));
});

test("a comm that is there again is asked anew, and who answers then is live", async () => {
  const page = await open();
  page.kernel.synchronise(log("diamond").slice(0, 4));
  await page.settle();
  page.kernel.die();
  await page.settle();
  expect(page.root.textContent).toContain("The kernel is gone.");
  page.kernel.die(); // the same message tells both
  page.kernel.synchronise(log("diamond"));
  await page.settle();
  expect(page.root.textContent).not.toContain("The kernel is gone.");
  expect(page.root.dataset["digest"]).toBe(digests("diamond").at(-1));
});

test.each([
  [null, "The kernel was shut down."],
  [{ status: "dead" }, "The kernel is dead."],
  [{ status: "autorestarting" }, "The kernel is being restarted."],
  [{ status: "idle", connectionStatus: "connected" }, "The kernel was restarted."],
  [{ status: "busy", connectionStatus: "connecting" }, "The connection to the kernel is broken."],
])("a lost kernel of which the host says %j: %s", async (kernel, text) => {
  const page = await open("golden graph", { kernel });
  page.kernel.synchronise(log("approval").slice(0, 4));
  await page.settle();
  page.kernel.die();
  await page.settle();
  expect(page.get("alert", new RegExp(`^${text}`)).textContent).toContain(
    "To go on, run the cells that load graphrun_nb and define golden graph, then:",
  );
  expect(page.get("button", "Copy %graphrun attach run-1")).toBeTruthy();
  expect(page.root.querySelector(".gr-badge")?.textContent).toMatch(/^was /);
  const elapsed = page.root.querySelector(".gr-elapsed")?.textContent;
  await page.settle(60_000);
  expect(page.root.querySelector(".gr-elapsed")?.textContent).toBe(elapsed);
  expect(page.names("button").filter((name) => /Cancel|Retry|Export|Tidy/.test(name))).toEqual([]);
});

test("an exported page plays the run, says what is asked, and has nothing to answer with", async () => {
  const lines = log("approval").slice(0, 6);
  const held = document.createElement("script");
  held.id = "graphrun-recording";
  held.type = "text/plain";
  held.textContent = recording("approval", { events: eventsFrame(lines, 1, lines.length) });
  const view = document.createElement("div");
  view.id = "graphrun-view";
  document.body.append(held, view);
  await import("../src/page");
  await vi.waitFor(() => expect(view.querySelector(".gr-ask")).not.toBeNull(), { interval: 1 });
  expect(view.querySelector(".gr-prompt")?.textContent).toBe("Publish?");
  expect(view.querySelectorAll("form, .gr-answers")).toHaveLength(0);
});
