// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import { Axis, moved, tickText, zoomed } from "../src/axis";
import { log } from "./golden";
import { open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

async function shown(name: string): Promise<Page> {
  const page = await open();
  page.kernel.synchronise(log(name));
  await page.settle();
  page.get("button", "Timeline").click();
  await page.settle(50);
  return page;
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  const list = page.get("listbox", "Timeline");
  for (const key of keys) list.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await page.settle(50);
}

function selected(page: Page, role: string): (string | null)[] {
  return page
    .all(role)
    .filter((each) => each.getAttribute("aria-selected") === "true")
    .map((each) => each.getAttribute("aria-label"));
}

test("the button shows and hides a list of what has begun, each row told in a sentence", async () => {
  const page = await shown("retry");
  expect(page.names("option")).toEqual([
    expect.stringMatching(/^flaky: done, 3 attempts, (queued .*, )?ran /),
    expect.stringMatching(/^aside: done, ran /),
    expect.stringMatching(/^after: done, ran /),
  ]);
  expect(page.get("button", "Timeline").getAttribute("aria-pressed")).toBe("true");
  page.get("button", "Timeline").click();
  await page.settle(50);
  expect(page.find("listbox", "Timeline")).toBeUndefined();
});

test("arrows, Home and End choose a row, which is the selection everywhere", async () => {
  const page = await shown("retry");
  await press(page, "End");
  expect(selected(page, "option")).toEqual([expect.stringContaining("after: done")]);
  expect(selected(page, "treeitem")).toEqual(["after: done"]);
  await press(page, "ArrowUp");
  expect(selected(page, "treeitem")).toEqual(["aside: done"]);
  await press(page, "Home", "ArrowUp");
  expect(selected(page, "treeitem")).toEqual(["flaky: done"]);
  const list = page.get("listbox", "Timeline");
  expect(list.getAttribute("aria-activedescendant")).toBe(page.get("option", /^flaky/).id);
});

test("plus and minus zoom, nought resets, and the button that resets is there only then", async () => {
  const page = await shown("retry");
  expect(page.find("button", "Reset zoom")).toBeUndefined();
  await press(page, "+", "+", "ArrowRight", "ArrowLeft");
  page.get("button", "Reset zoom").click();
  await page.settle(50);
  expect(page.find("button", "Reset zoom")).toBeUndefined();
  await press(page, "+", "-", "-");
  expect(page.find("button", "Reset zoom")).toBeUndefined();
});

test("where for long nothing ran the axis is cut, and the mark there says for how long", async () => {
  const cuts = (page: Page): (string | null)[] =>
    [...page.root.querySelectorAll(".gr-break")].map((each) => each.getAttribute("aria-label"));
  const waited = await shown("retry");
  expect(cuts(waited)).toContainEqual(expect.stringMatching(/^3\.\d s left out: no tool ran$/));
  await press(waited, "End", ...Array<string>(12).fill("+"));
  expect(cuts(waited)).toEqual([]);
  expect(cuts(await shown("diamond"))).toEqual([]);
});

test("the critical path is told in numbers", async () => {
  const page = await shown("diamond");
  page.get("button", "Critical path").click();
  await page.settle(50);
  expect(page.root.querySelector(".gr-timeline-note")?.textContent).toMatch(/^3 nodes, .* of /);
  expect(page.root.querySelectorAll(".gr-critical")).toHaveLength(3);
});

test("at an earlier event only what had begun by then has a row", async () => {
  const page = await shown("diamond");
  const slider = page.get("slider", "Run history");
  for (const key of ["Home", "ArrowRight", "ArrowRight"])
    slider.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await page.settle(50);
  expect(page.names("option")).toEqual([expect.stringContaining("load: running")]);
});

test("an axis maps both ways and ticks at good places", () => {
  const axis = new Axis(100, 200, 500);
  expect(axis.x(150)).toBe(250);
  expect(axis.at(axis.x(123))).toBeCloseTo(123);
  expect(axis.ticks(100, 90)).toEqual([0, 30, 60, 90]);
  expect(new Axis(100.009, 100.051, 500).ticks(100, 90).map((each) => Number(each.toFixed(3)))).toEqual([
    0.01, 0.02, 0.03, 0.04, 0.05,
  ]);
  expect([0, 0.2, 45, 60, 90, 3600, 5400, 3661.2].map(tickText)).toEqual([
    "0 s",
    "0.2 s",
    "45 s",
    "1m",
    "1m 30s",
    "1h",
    "1h 30m",
    "1h 1m 1.2s",
  ]);
});

test("zooming keeps what is under the pointer, stays inside the run, and ends at the whole of it", () => {
  const whole = { from: 0, to: 100 };
  expect(zoomed(whole, whole, 30, 2)).toEqual({ from: 15, to: 65 });
  expect(zoomed(whole, { from: 0, to: 10 }, 0, 0.5)).toEqual({ from: 0, to: 20 });
  expect(zoomed(whole, { from: 10, to: 60 }, 10, 0.4)).toBeNull();
  expect(moved(whole, { from: 10, to: 20 }, -50)).toEqual({ from: 0, to: 10 });
  expect(moved(whole, { from: 10, to: 20 }, 500)).toEqual({ from: 90, to: 100 });
});
