// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pieces } from "../src/ansi";
import type { Look } from "../src/protocol";
import { sandboxed } from "../src/sandbox";
import { tell } from "../src/story";
import { LogView } from "../src/views/logs";
import { lookElement } from "../src/views/looks";
import type { Json } from "../src/wire";
import { log } from "./golden";
import { open, type Page, prepare, restore } from "./page";

beforeEach(prepare);
afterEach(restore);

async function outputs(...values: Json[]): Promise<Page> {
  const page = await open();
  page.kernel.synchronise(log("diamond"));
  await page.settle();
  page.get("treeitem", "load: done").click();
  await page.settle(200);
  page.kernel.reply("detail", { node_id: "load", outputs: values });
  await page.settle(200);
  page.get("tab", "Outputs").click();
  await page.settle(200);
  return page;
}

test("a rich value is asked how it shows itself, once its tab is open", async () => {
  const page = await outputs({ name: "card", type: "Card", text: "<Card>", is_rich: true });
  expect(page.kernel.last("look")).toMatchObject({ node_id: "load", side: "outputs", name: "card" });
  expect(page.all("tabpanel")[0]?.textContent).toContain("<Card>");
  page.kernel.reply("look", { look: { kind: "html", html: "<b>bold</b>" } });
  await page.settle();
  const frame = page.root.querySelector("iframe");
  expect(frame?.getAttribute("sandbox")).toBe("");
  expect(frame?.getAttribute("srcdoc")).toContain("<b>bold</b>");
  expect(page.all("tabpanel")[0]?.textContent).not.toContain("<Card>");
});

test("a picture is a button that shows it at full size, above everything, and Escape closes no more than that", async () => {
  const shown = vi.fn();
  HTMLDialogElement.prototype.showModal = shown;
  HTMLDialogElement.prototype.close = function close() {
    this.dispatchEvent(new Event("close"));
  };
  const page = await outputs({ name: "plot", type: "Figure", text: "<Figure>", is_rich: true });
  page.kernel.reply("look", { look: { kind: "image", mime: "image/png", data: "AA==" } });
  await page.settle();
  page.get("button", "Show plot at full size").click();
  expect(shown).toHaveBeenCalledOnce();
  const dialog = page.root.querySelector("dialog");
  expect(dialog?.getAttribute("aria-label")).toBe("plot at full size");
  expect(dialog?.querySelector("img")?.getAttribute("src")).toBe("data:image/png;base64,AA==");
  dialog?.querySelector("button")?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  expect(page.all("tabpanel")).toHaveLength(1);
  dialog?.querySelector("button")?.click();
  expect(page.root.querySelector("dialog")).toBeNull();
});

test("why a rich value does not show itself is said below its text", async () => {
  const page = await outputs({ name: "card", type: "Card", text: "<Card>", is_rich: true });
  page.kernel.reply("look", { problem: "it did not show itself in time" });
  await page.settle();
  expect(page.all("tabpanel")[0]?.textContent).toContain("<Card>it did not show itself in time");
});

test("a long value comes in pieces, counted as Python counts characters", async () => {
  const page = await outputs({ name: "text", type: "str", text: "🎈", truncated: true });
  page.get("button", "Show all of text").click();
  expect(page.kernel.last("value")).toMatchObject({ name: "text", start: 0 });
  page.kernel.reply("value", { text: "🎈🎈", start: 0, total: 3, is_cut: true });
  await page.settle();
  expect(page.kernel.last("value")).toMatchObject({ start: 2 });
  page.kernel.reply("value", { text: "!", start: 2, total: 3, is_cut: true });
  await page.settle();
  expect(page.kernel.count("value")).toBe(2);
  expect(page.root.querySelector(".gr-whole")?.textContent).toBe("🎈🎈!");
  expect(page.all("tabpanel")[0]?.textContent).toContain("3 characters; what is longer can be had in a cell");
  page.get("button", "Show less of text").click();
  expect(page.root.querySelector(".gr-whole")).toBeNull();
});

test("a kernel that has no value any more says so", async () => {
  const page = await outputs({ name: "text", type: "str", text: "x", truncated: true });
  page.get("button", "Show all of text").click();
  page.kernel.reply("value", null, "there is no value");
  await page.settle();
  expect(page.all("tabpanel")[0]?.textContent).toContain("there is no value");
});

const HOSTILE = "<img src=x onerror=alert(1)>";
const LOOKS: readonly Look[] = [
  { kind: "table", columns: [HOSTILE], rows: [[HOSTILE]], n_rows: 5, n_columns: 1, index: [HOSTILE], numeric: [false] },
  {
    kind: "array",
    shape: [9, 9],
    dtype: HOSTILE,
    rows: [[HOSTILE]],
    line: [1, null, 2],
    pixels: "AA==",
    width: 1,
    height: 1,
    channels: 1,
    low: HOSTILE,
    high: "1",
  },
  {
    kind: "tree",
    root: { key: "", text: HOSTILE, more: 0, children: [{ key: HOSTILE, text: HOSTILE, children: [], more: 7 }] },
  },
];

test.each(LOOKS)("a $kind is text, whatever stands in it", (look) => {
  const element = lookElement(look, HOSTILE, false);
  expect(element.textContent).toContain(HOSTILE);
  expect(element.querySelector("img")).toBeNull();
});

test("a table says how much of it is shown, and an empty array nothing", () => {
  const table = lookElement(LOOKS[0] as Look, "t", false);
  expect(table.textContent).toContain("first 1 of 5 rows");
  const empty = { ...(LOOKS[1] as Look), shape: [0], rows: [], line: [], pixels: "", low: "", high: "" } as Look;
  expect(lookElement(empty, "a", false).textContent).toBe("");
});

test.each([
  "<script>alert(1)</script>",
  "<a href='https://example.org/x'>x</a>",
  "<svg><a xlink:href='https://example.org/x'><animate attributeName='href' to='https://example.org/y'/></a></svg>",
  "<img src='https://example.org/x.png'><video poster='https://example.org/x.png' src='//example.org/y'></video>",
  "<form action='https://example.org/x'><button formaction='https://example.org/y'>x</button></form>",
  "<meta http-equiv=refresh content='0;url=https://example.org/x'>",
  "<base href='https://example.org/x'><link rel=stylesheet href='https://example.org/x'>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data='https://example.org/x'></object>",
  "<div onclick='alert(1)' ONMOUSEOVER='alert(1)'>x</div>",
  "</body></html><script>alert(1)</script>",
])("what could lead or run is taken out of %s", (html) => {
  const doc = new DOMParser().parseFromString(sandboxed(html, true), "text/html");
  expect(doc.querySelectorAll("script, form, base, link, iframe, object, animate, [href], [onclick]")).toHaveLength(0);
  expect(new XMLSerializer().serializeToString(doc)).not.toMatch(/example\.org|alert/);
  const policy = doc.querySelector("meta[http-equiv=Content-Security-Policy]")?.getAttribute("content");
  expect(policy).toMatch(/^default-src 'none'; style-src 'unsafe-inline'; img-src data:/);
  expect(doc.head.firstElementChild?.tagName).toBe("META");
});

test("styles, tables and drawings stay", () => {
  const html =
    "<style>.a > td{color:red}</style><table class=a><tr><td>1 &lt; 2</table><svg><use href='#s'/></svg><img src='data:image/png;base64,AA=='><div></div><style media=print>.b{}</style>";
  const made = sandboxed(html, false);
  expect(made).toContain("color-scheme:light");
  const doc = new DOMParser().parseFromString(made, "text/html");
  const sheets = [...doc.querySelectorAll("style")].slice(1).map((each) => each.textContent);
  expect(sheets).toEqual([".a > td{color:red}", "@media print{.b{}}"]);
  expect(doc.querySelector("table.a td")?.textContent).toBe("1 < 2");
  expect(doc.querySelector("svg > use")?.getAttribute("href")).toBe("#s");
  expect(doc.querySelector("svg + img + div")?.previousElementSibling?.getAttribute("src")).toMatch(/^data:image/);
});

test("text of an element that is not parsed as markup stays text", () => {
  const made = sandboxed("<xmp><img src=x onerror=alert(1)></xmp><textarea></div><b>x</textarea>", false);
  const doc = new DOMParser().parseFromString(made, "text/html");
  expect(doc.querySelector("img, b")).toBeNull();
});

test.each<[string, readonly [string, number | null, boolean][]]>([
  ["plain", [["plain", null, false]]],
  [
    "\u001b[31mred\u001b[0m off",
    [
      ["red", 1, false],
      [" off", null, false],
    ],
  ],
  [
    "\u001b[1;92mbold\u001b[22m not\u001b[39m",
    [
      ["bold", 2, true],
      [" not", 2, false],
    ],
  ],
  [
    "\u001b[38;5;31mmany\u001b[48;2;1;31;3mcolours",
    [
      ["many", null, false],
      ["colours", null, false],
    ],
  ],
  [
    "a\u001b[2K\u001b[1Gb\u001b]0;title\u0007c\u0000d",
    [
      ["a", null, false],
      ["b", null, false],
      ["cd", null, false],
    ],
  ],
  ["\u001b[", [["[", null, false]]],
])("the terminal's line %j is read", (line, read) => {
  expect(pieces(line).map(({ text, colour, bold }) => [text, colour, bold])).toEqual(read);
});

test("of many lines those of one attempt and one stream can be chosen, and a new one only adds a row", () => {
  const panel = document.createElement("div");
  const logs = new LogView(panel);
  panel.append(logs.element);
  const attempt = { dueAt: 0, endedAt: 0, waited: 0, status: "RUNNING", note: "" } as const;
  const attempts = [
    { ...attempt, no: 1, startedAt: 0 },
    { ...attempt, no: 2, startedAt: 10 },
  ];
  const lines = [1, 2, 11, 12].map((at) => ({ at, stream: at % 2 === 0 ? "stderr" : "stdout", text: `at ${at}` }));
  const texts = () => [...panel.querySelectorAll(".gr-log-text")].map((each) => each.textContent);
  logs.update(lines, attempts);
  expect(texts()).toEqual(["at 1", "stderr at 2", "at 11", "stderr at 12"]);
  const row = panel.querySelector(".gr-log");
  logs.update([...lines, { at: 13, stream: "stdout", text: "at 13" }], attempts);
  expect(panel.querySelector(".gr-log")).toBe(row);
  expect(texts()).toHaveLength(5);
  const [which, stream] = panel.querySelectorAll("select");
  if (which === undefined || stream === undefined) throw new Error("nothing to choose by");
  which.value = "2";
  which.dispatchEvent(new Event("change"));
  expect(texts()).toEqual(["at 11", "stderr at 12", "at 13"]);
  stream.value = "stderr";
  stream.dispatchEvent(new Event("change"));
  expect(texts()).toEqual(["stderr at 12"]);
  logs.update(lines.slice(0, 1), attempts.slice(0, 1));
  expect([which.hidden, stream.hidden]).toEqual([true, true]);
  expect(texts()).toEqual(["at 1"]);
});

test("a story tells how long an attempt waited for answers, and when the next one was due", () => {
  const wait = { no: 0, kind: "text", prompt: "?" };
  const event = (at: number, kind: string, rest: object = {}) =>
    ({ at, event: { kind, node_id: "a", attempt: 1, no: 0, ...rest } }) as unknown as Parameters<
      typeof tell
    >[0][number];
  const { attempts } = tell([
    event(1, "AttemptStarted"),
    event(2, "WaitOpened", { wait }),
    event(3, "WaitOpened", { wait: { ...wait, no: 1 } }),
    event(5, "WaitResolved", { by: "view", answer: { preview: "x" } }),
    event(6, "WaitExpired", { no: 1, outcome: "fail" }),
    event(7, "AttemptFailed", { error: { types: ["E"], message: "", frames: [], notes: [], cause: "" } }),
    event(7, "RetryScheduled", { due: 9 }),
    event(10, "AttemptStarted", { attempt: 2 }),
  ]);
  expect(attempts.map(({ waited, dueAt, startedAt }) => [waited, dueAt, startedAt])).toEqual([
    [4, 0, 1],
    [0, 9, 10],
  ]);
});
