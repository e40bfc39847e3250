// @vitest-environment jsdom
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { log } from "./golden";
import { open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

async function shown(): Promise<Page> {
  const page = await open();
  page.kernel.synchronise(log("failure"));
  await page.settle();
  return page;
}

function press(key: string): void {
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

test("the menu opens by its button, tells so, and has the focus on its first item", async () => {
  const page = await shown();
  const button = page.get("button", "Export");
  expect(button.getAttribute("aria-haspopup")).toBe("menu");
  expect(button.getAttribute("aria-expanded")).toBe("false");
  button.click();
  expect(button.getAttribute("aria-expanded")).toBe("true");
  expect(page.get("menu", "Export").id).toBe(button.getAttribute("aria-controls"));
  expect(document.activeElement).toBe(page.get("menuitem", "Interactive page (HTML)"));
});

test("arrows go round, Home and End to the ends, a letter to what begins with it, and Escape back to the button", async () => {
  const page = await shown();
  const button = page.get("button", "Export");
  button.focus();
  press("ArrowUp");
  const items = page.all("menuitem");
  expect(document.activeElement).toBe(items.at(-1));
  press("ArrowDown");
  expect(document.activeElement).toBe(items[0]);
  press("End");
  expect(document.activeElement).toBe(items.at(-1));
  press("Home");
  press("p");
  expect(document.activeElement).toBe(page.get("menuitem", "Picture (PNG)"));
  press("Escape");
  expect(page.find("menu", "Export")).toBeUndefined();
  expect(document.activeElement).toBe(button);
});

test("a click elsewhere closes it and chooses nothing", async () => {
  const page = await shown();
  page.get("button", "Export").click();
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  expect(page.all("menu")).toEqual([]);
  expect(page.kernel.count("export")).toBe(0);
});

test("a file is asked for piece by piece, put together, and offered under its name", async () => {
  const page = await shown();
  const types: string[] = [];
  vi.stubGlobal(
    "URL",
    Object.assign(URL, { createObjectURL: (file: Blob) => `blob:${types.push(file.type)}`, revokeObjectURL: vi.fn() }),
  );
  const clicked: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    clicked.push(this.download);
  });
  page.get("button", "Export").click();
  page.get("menuitem", "All data (JSON)").click();
  const packed = gzipSync("{}").toString("base64");
  const half = packed.length / 2;
  expect(page.kernel.last("export")).toMatchObject({ format: "json", part: 0 });
  page.kernel.reply("export", {
    part: 0,
    parts: 2,
    text: packed.slice(0, half),
    name: "r.json",
    mime: "application/json",
  });
  await page.settle();
  expect(page.kernel.last("export")).toMatchObject({ format: "json", part: 1 });
  page.kernel.reply("export", { part: 1, parts: 2, text: packed.slice(half) });
  await vi.waitFor(() => expect(clicked).toEqual(["r.json"]));
  expect(types).toEqual(["application/json"]);
});

test("what stands in the way of a file is said in the header", async () => {
  const page = await shown();
  page.get("button", "Export").click();
  page.get("menuitem", "Picture (PNG)").click();
  page.kernel.reply("export", null, "a PNG needs the package resvg-py");
  await page.settle();
  expect(page.all("alert").map((each) => each.textContent)).toContain("Export: a PNG needs the package resvg-py");
});
