// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import { calledId, groupId, withGroups } from "../src/groups";
import { placementOf } from "../src/placement";
import { readEventsFrame } from "../src/protocol";
import { Store } from "../src/store";
import { isHidden, topologyOf } from "../src/topology";
import type { Json } from "../src/wire";
import { open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

const NODES: Json[] = [
  { node_id: "load", name: "load", group: "prepare" },
  { node_id: "clean", name: "clean", needs: ["load"], group: "prepare" },
  { node_id: "fit", name: "fit", needs: ["clean"] },
  { node_id: "report", name: "report", needs: ["fit", "load"] },
];
const EVENTS: Json[] = [
  { kind: "RunStarted", graph: "golden graph" },
  { kind: "SpecAccepted", fingerprint: "f", nodes: NODES },
  { kind: "AttemptStarted", node_id: "load", attempt: 1 },
  { kind: "AttemptSucceeded", node_id: "load", attempt: 1 },
  { kind: "AttemptStarted", node_id: "clean", attempt: 1 },
];
const FRAME = { kind: "events", first: 1, at: EVENTS.map((_, i) => 1700000000 + i), events: EVENTS };
const PREPARE = groupId("", "prepare");

function stored(): Store {
  const store = new Store();
  store.append(readEventsFrame(FRAME));
  return store;
}

async function shown(): Promise<Page> {
  const page = await open();
  page.kernel.say(FRAME);
  page.kernel.reply("sync", { seq: EVENTS.length });
  await page.settle();
  return page;
}

function press(page: Page, key: string): Promise<void> {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  page.get("tree", "Nodes").dispatchEvent(event);
  return page.settle();
}

function selected(page: Page): string[] {
  return page.names("treeitem").filter((_, i) => page.all("treeitem")[i]?.getAttribute("aria-selected") === "true");
}

const OPEN = ["group prepare: running", "load: done", "clean: running", "fit: pending", "report: pending"];
const CLOSED = ["group prepare: running", "fit: pending", "report: pending"];

test("a closed group is drawn as one card, and edges lead to it and from it", () => {
  const { state } = stored();
  const whole = topologyOf(state);
  expect(whole.members).toEqual([0, 1, 2, 3]);
  expect(whole.edges.map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [0, 3],
  ]);
  const closed = topologyOf(state, "", new Set([PREPARE]));
  expect(closed.members).toEqual([4, 2, 3]);
  expect(closed.edges.map(({ from, to }) => [from, to])).toEqual([
    [4, 2],
    [2, 3],
    [4, 3],
  ]);
  expect([0, 1, 2, 4].map((i) => isHidden(closed, i))).toEqual([true, true, false, false]);
  expect([0, 1, 4].some((i) => isHidden(whole, i))).toBe(false);
});

test("a closed group stands in the middle of where its nodes would, and nothing else moves", () => {
  const { state } = stored();
  const layout = {
    kind: "layout",
    x: [0, 220, 440, 660],
    y: [0, 80, 40, 40],
    bends: [],
    width: 0,
    height: 0,
    inside: "",
  } as const;
  const closed = placementOf(topologyOf(state, "", new Set([PREPARE])), layout);
  expect([closed.x[4], closed.y[4]]).toEqual([110, 40]);
  expect([closed.x[2], closed.x[3]]).toEqual([440, 660]);
  expect([closed.x[0], closed.x[1]]).toEqual([110, 110]);
});

test("a group is as the foremost of its nodes is", () => {
  const { state } = stored();
  const topology = topologyOf(state);
  const group = withGroups([...state.nodes.values()], topology)[4];
  expect([group?.info.name, group?.status]).toEqual(["prepare", "RUNNING"]);
  expect(calledId(PREPARE)).toBe("prepare");
  expect(calledId(groupId("in", "with\nlines"))).toBe("with\nlines");
});

test("the tree holds the groups with their nodes one level down", async () => {
  const page = await shown();
  expect(page.names("treeitem")).toEqual(OPEN);
  const level = (name: string): (string | null)[] =>
    ["aria-level", "aria-posinset", "aria-setsize", "aria-expanded"].map((each) =>
      page.get("treeitem", name).getAttribute(each),
    );
  expect(level("group prepare: running")).toEqual(["1", "1", "3", "true"]);
  expect(level("clean: running")).toEqual(["2", "2", "2", null]);
  expect(level("fit: pending")).toEqual(["1", "2", "3", null]);
});

test("a click on its item closes a group, and another opens it", async () => {
  const page = await shown();
  page.get("treeitem", "group prepare: running").click();
  await page.settle();
  expect(page.names("treeitem")).toEqual(CLOSED);
  expect(page.get("treeitem", "group prepare: running").getAttribute("aria-expanded")).toBe("false");
  page.get("treeitem", "group prepare: running").click();
  await page.settle();
  expect(page.names("treeitem")).toEqual(OPEN);
});

test("g closes the group of the selected node, which is selected then; Enter opens it", async () => {
  const page = await shown();
  await press(page, "g");
  expect(page.names("treeitem")).toEqual(OPEN);
  page.get("treeitem", "clean: running").click();
  await press(page, "g");
  expect(page.names("treeitem")).toEqual(CLOSED);
  expect(selected(page)).toEqual(["group prepare: running"]);
  expect(page.all("tabpanel")).toEqual([]);
  await press(page, "ArrowRight");
  expect(selected(page)).toEqual(["fit: pending"]);
  await press(page, "ArrowLeft");
  await press(page, "Enter");
  expect(page.names("treeitem")).toEqual(OPEN);
  expect(selected(page)).toEqual(["load: done"]);
});

test("what is looked for in a closed group opens it", async () => {
  const page = await shown();
  page.get("treeitem", "group prepare: running").click();
  await page.settle();
  page.get("treeitem", "fit: pending").click();
  await page.settle(400);
  page.get("link", "prepare").click();
  await page.settle();
  expect(selected(page)).toEqual(["group prepare: running"]);
  await press(page, "/");
  const field = page.get("searchbox", "Search nodes") as HTMLInputElement;
  field.value = "clean";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  await page.settle();
  expect(selected(page)).toEqual(["clean: running"]);
});
