/** Draws how values look: tables, arrays, trees, pictures, and HTML in a sandbox. */

import { type Child, h, svg } from "../dom";
import type { ArrayLook, Branch, HtmlLook, ImageLook, Look, TableLook } from "../protocol";
import { sandboxed } from "../sandbox";
import { figure } from "./figure";

/** Draws one; `name` is what the value is called. */
export function lookElement(look: Look, name: string, isDark: boolean): HTMLElement {
  switch (look.kind) {
    case "table":
      return tableElement(look);
    case "array":
      return arrayElement(look, name);
    case "tree":
      return h("div", { class: "gr-tree-look" }, ...branches(look.root));
    case "image":
      return imageElement(look, name);
    case "html":
      return htmlElement(look, name, isDark);
  }
}

function tableElement({ columns, rows, index, numeric, n_rows, n_columns }: TableLook): HTMLElement {
  const hasIndex = index.length > 0;
  const side = (i: number): string | null => (numeric[i] === true ? "gr-number" : null);
  const head = columns.map((name, i) => h("th", { scope: "col", class: side(i) }, name));
  const body = rows.map((cells, at) =>
    h(
      "tr",
      {},
      hasIndex ? h("th", { scope: "row" }, index[at] ?? "") : null,
      ...cells.map((text, i) => h("td", { class: side(i) }, text)),
    ),
  );
  const parts = [
    rows.length < n_rows ? `first ${rows.length} of ${count(n_rows)} rows` : "",
    columns.length < n_columns ? `first ${columns.length} of ${count(n_columns)} columns` : "",
  ].filter(Boolean);
  return h(
    "div",
    {},
    scroller(
      h(
        "table",
        { class: "gr-table" },
        h("thead", {}, h("tr", {}, hasIndex ? h("td") : null, ...head)),
        h("tbody", {}, ...body),
      ),
    ),
    parts.length === 0 ? null : h("p", { class: "gr-note" }, parts.join(", ")),
  );
}

function scroller(...content: Child[]): HTMLElement {
  return h("div", { class: "gr-scroll", tabindex: 0, role: "group", "aria-label": "Values" }, ...content);
}

function count(n: number): string {
  return n.toLocaleString("en");
}

function arrayElement(look: ArrayLook, name: string): HTMLElement {
  const { shape, rows, line, pixels, low, high } = look;
  const range = low === "" ? "" : `${low} to ${high}`;
  const label = `${name}, drawn${range === "" ? "" : `: ${range}`}`;
  const width = shape.at(-1) ?? 0;
  const height = shape.length > 1 ? (shape.at(-2) ?? 0) : 1;
  const isCorner = rows.length < height || (rows[0]?.length ?? 0) < width || shape.length > 2;
  const corner = rows.map((row) => h("tr", {}, ...row.map((text) => h("td", { class: "gr-number" }, text))));
  return h(
    "div",
    { class: "gr-array" },
    line.length > 1 ? sparkline(line, label) : null,
    pixels === "" ? null : heat(look, label),
    range === "" ? null : h("p", { class: "gr-note" }, range),
    rows.length === 0 ? null : scroller(h("table", { class: "gr-table" }, h("tbody", {}, ...corner))),
    isCorner && rows.length > 0 ? h("p", { class: "gr-note" }, "its first values") : null,
  );
}

const LINE_WIDTH = 240;
const LINE_HEIGHT = 40;

/** Breaks where a value is no number. */
function sparkline(line: readonly (number | null)[], label: string): Element {
  const known = line.filter((each) => each !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const step = LINE_WIDTH / Math.max(line.length - 1, 1);
  let path = "";
  line.forEach((value, i) => {
    if (value === null) return;
    const y = high === low ? LINE_HEIGHT / 2 : (1 - (value - low) / (high - low)) * LINE_HEIGHT;
    const isNext = i > 0 && line[i - 1] !== null;
    path += `${isNext ? "L" : "M"}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  const box = `-2 -3 ${LINE_WIDTH + 4} ${LINE_HEIGHT + 6}`;
  return svg(
    "svg",
    { class: "gr-sparkline", viewBox: box, preserveAspectRatio: "xMinYMid", role: "img", "aria-label": label },
    svg("path", { d: path }),
  );
}

/** From dark blue over green to yellow: told apart also without colours, since it grows lighter. */
const RAMP = [
  [48, 18, 90],
  [52, 96, 141],
  [42, 158, 130],
  [122, 204, 84],
  [248, 230, 40],
] as const;

function heat({ pixels, width, height, channels }: ArrayLook, label: string): HTMLElement {
  const canvas = h("canvas", { class: "gr-heat", role: "img", "aria-label": label });
  canvas.width = width;
  canvas.height = height;
  canvas.style.aspectRatio = `${width} / ${height}`;
  const brush = canvas.getContext("2d");
  if (brush === null) return canvas;
  const image = brush.createImageData(width, height);
  const bytes = atob(pixels);
  const at = (i: number): number => bytes.charCodeAt(i) || 0;
  for (let i = 0; i < width * height; i++) {
    const colour = channels === 1 ? shade(at(i)) : [at(i * channels), at(i * channels + 1), at(i * channels + 2), 255];
    image.data.set(colour, i * 4);
  }
  brush.putImageData(image, 0, 0);
  return canvas;
}

function shade(level: number): readonly number[] {
  if (level === 0) return [0, 0, 0, 0];
  const place = ((level - 1) / 254) * (RAMP.length - 1);
  const from = RAMP[Math.floor(place)] ?? RAMP[0];
  const to = RAMP[Math.ceil(place)] ?? RAMP[0];
  const share = place - Math.floor(place);
  return [...from.map((value, i) => Math.round(value + ((to[i] ?? value) - value) * share)), 255];
}

const OPEN_DEPTH = 2;

function branches({ children, more }: Branch, depth = 1): HTMLElement[] {
  const rest = more > 0 ? [h("p", { class: "gr-note" }, `${count(more)} more`)] : [];
  return [...children.map((each) => branch(each, depth)), ...rest];
}

function branch(part: Branch, depth: number): HTMLElement {
  const key = h("span", { class: "gr-key" }, part.key);
  if (part.children.length === 0 && part.more === 0) {
    return h("div", { class: "gr-leaf" }, key, h("span", { class: "gr-leaf-text" }, part.text));
  }
  const summary = h("summary", { tabindex: 0 }, key, h("span", { class: "gr-type" }, part.text));
  return h("details", { class: "gr-branch", open: depth < OPEN_DEPTH }, summary, ...branches(part, depth + 1));
}

function imageElement({ mime, data }: ImageLook, name: string): HTMLElement {
  return figure(`data:${mime};base64,${data}`, name);
}

function htmlElement({ html }: HtmlLook, name: string, isDark: boolean): HTMLElement {
  return h("iframe", {
    class: "gr-html",
    sandbox: true,
    referrerpolicy: "no-referrer",
    title: `${name}, as it shows itself`,
    srcdoc: sandboxed(html, isDark),
  });
}
