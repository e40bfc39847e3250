// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Json } from "../src/wire";
import { log } from "./golden";
import { open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

const INPUTS: Json = {
  graph: "golden graph",
  schema: {
    type: "object",
    properties: { rows: { type: "integer", title: "rows" }, name: { type: "string", title: "name" } },
    required: ["rows", "name"],
  },
  initial: { rows: 3, name: "a" },
  kept: [["table", "DataFrame", "<b>[3 rows]</b>"]],
};

async function shown(name = "failure", until?: number): Promise<Page> {
  const page = await open();
  page.kernel.synchronise(log(name).slice(0, until));
  await page.settle();
  return page;
}

async function asked(inputs: Json = INPUTS): Promise<Page> {
  const page = await shown();
  page.get("button", "Run again…").click();
  page.kernel.reply("inputs", inputs);
  await page.settle();
  return page;
}

function fields(page: Page): HTMLInputElement[] {
  return [...page.root.querySelectorAll<HTMLInputElement>(".gr-again input, .gr-again textarea")];
}

test("only what would not be refused is offered", async () => {
  const page = await shown();
  expect(page.names("button")).toEqual(expect.arrayContaining(["Retry failed", "Run again…"]));
  page.kernel.change("offers", []);
  await page.settle();
  expect(page.names("button").filter((name) => /Retry|Run again/.test(name))).toEqual([]);
  page.kernel.change("offers", "retry");
  await page.settle();
  expect(page.names("button").filter((name) => /Retry|Run again/.test(name))).toEqual([]);
});

test("a run under way offers neither", async () => {
  const page = await shown("failure", 4);
  expect(page.names("button").filter((name) => /Retry|Run again/.test(name))).toEqual([]);
});

test("run again shows the inputs in fields, and what is kept as text", async () => {
  const page = await asked();
  expect(fields(page).map((each) => each.value)).toEqual(["3", "a"]);
  expect(document.activeElement).toBe(fields(page)[0]);
  expect(page.get("form", "Inputs").textContent).toContain("<b>[3 rows]</b>");
  expect(page.root.querySelector(".gr-again b")).toBeNull();
});

test("what is filled in is sent, and the form goes when the run has begun", async () => {
  const page = await asked();
  const [rows] = fields(page);
  if (rows === undefined) throw new Error("no field");
  rows.value = "5";
  rows.dispatchEvent(new Event("input", { bubbles: true }));
  page.get("button", "Run").click();
  await page.settle(0);
  expect(page.kernel.last("again")).toMatchObject({ values: { rows: 5, name: "a" } });
  page.kernel.reply("again", { run_id: "run-2" });
  await page.settle();
  expect(page.find("form", "Inputs")).toBeUndefined();
  expect(document.activeElement).toBe(page.get("button", "Run again…"));
});

test("what does not fit is said at its field, and the form stays", async () => {
  const page = await asked();
  page.get("button", "Run").click();
  await page.settle(0);
  const { id } = page.kernel.last("again");
  page.kernel.say({ kind: "reply", id, error: "these inputs do not fit", errors: [["rows", "Input should be less"]] });
  await page.settle();
  expect(fields(page)[0]?.getAttribute("aria-invalid")).toBe("true");
  expect(page.all("alert").map((each) => each.textContent)).toContain("Input should be less");
});

test("without inputs that could be edited there is the button alone", async () => {
  const page = await asked({ graph: "g", schema: { type: "object", properties: {} }, initial: {}, kept: [] });
  expect(fields(page)).toEqual([]);
  page.get("button", "Run").click();
  await page.settle(0);
  expect(page.kernel.last("again")).toMatchObject({ values: {} });
});

test("Escape closes the form, and the focus goes back", async () => {
  const page = await asked();
  document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  expect(page.find("form", "Inputs")).toBeUndefined();
  expect(document.activeElement).toBe(page.get("button", "Run again…"));
});

test("why the inputs cannot be had is said in the header", async () => {
  const page = await shown();
  page.get("button", "Run again…").click();
  page.kernel.reply("inputs", null, "the value of 'x' was not kept");
  await page.settle();
  expect(page.all("alert").map((each) => each.textContent)).toContain("Run again: the value of 'x' was not kept");
});

test("when the kernel turns to another run the view begins anew, and says which of them it shows", async () => {
  const page = await shown();
  page.kernel.change("runs", ["run-1", "run-2"]);
  page.kernel.change("run_id", "run-2");
  await page.settle(0);
  const root = document.querySelector<HTMLElement>("[role=region]");
  expect(document.querySelectorAll("[role=region]")).toHaveLength(1);
  expect(root?.dataset["run"]).toBe("run-2");
  expect(page.kernel.last("sync")).toMatchObject({ have: 0 });
  const chooser = root?.querySelector<HTMLSelectElement>("select[aria-label='Run in this view']");
  expect([...(chooser?.options ?? [])].map((each) => each.text)).toEqual(["Run 1 of 2", "Run 2 of 2"]);
  expect(chooser?.value).toBe("run-2");
});

test("a node's menu retries from it and copies its id", async () => {
  const page = await shown();
  page.get("treeitem", "good: done").click();
  await page.settle();
  page.get("button", "Node actions").click();
  expect(page.names("menuitem")).toEqual(["Retry from here", "Copy node id"]);
  page.get("menuitem", "Retry from here").click();
  expect(page.kernel.last("retry")).toMatchObject({ node_id: "good" });
  page.kernel.reply("retry", null, "run 'r' is under way");
  await page.settle();
  expect(page.all("alert").map((each) => each.textContent)).toContain("Retry from good: run 'r' is under way");
});

test("a node of a run under way offers its id alone", async () => {
  const page = await open();
  page.kernel.change("offers", ["cancel"]);
  page.kernel.synchronise(log("diamond").slice(0, 4));
  await page.settle();
  page.all("treeitem")[0]?.click();
  await page.settle();
  page.get("button", "Node actions").click();
  expect(page.names("menuitem")).toEqual(["Copy node id"]);
});
