/** The panels of a node's detail that show where its code stands: traceback and source. */

import { type Child, h } from "../dom";
import type { ErrorInfo, FrameInfo, NodeDetail } from "../protocol";
import { errorLine, typeName } from "../select";
import { copyButton } from "./action";

/** The user's own line that the error came out of. */
export function failingFrame({ frames }: ErrorInfo): FrameInfo | undefined {
  return frames.findLast((each) => each.user) ?? frames.at(-1);
}

/** Where a frame stands, in a few words. */
export function placeOf({ file, line }: FrameInfo): string {
  return `${file.split(/[\\/]/).slice(-2).join("/")}:${line}`;
}

/** The error in a line, without the names of failed parts that links beside it give. */
function lineWithout(error: ErrorInfo, [first]: readonly string[]): string {
  const line = errorLine(error);
  const at = first === undefined ? -1 : line.indexOf(`: ${first}`);
  return at < 0 ? line : line.slice(0, at);
}

export function failingLine(error: ErrorInfo, failed: readonly string[]): HTMLElement {
  const frame = failingFrame(error);
  return h(
    "div",
    { class: "gr-error" },
    h("p", { class: "gr-error-line" }, lineWithout(error, failed)),
    frame === undefined ? null : frameRow(frame),
  );
}

/** The user's frames first, the one that raised above its callers; what Python prints is behind a fold. */
export function errorPanel(error: ErrorInfo | null, failed: readonly string[] = [], parts: Child = null): HTMLElement {
  if (error === null) return h("div");
  const { frames, notes, cause } = error;
  const rest = error.message.split("\n").slice(1).join("\n");
  const own = frames.filter((frame) => frame.user).toReversed();
  const [raised, ...callers] = (own.length > 0 ? own : frames.slice(-1)).map(frameRow);
  return h(
    "div",
    { class: "gr-error" },
    h(
      "div",
      { class: "gr-error-head" },
      h("p", { class: "gr-error-line" }, lineWithout(error, failed)),
      copyButton("Copy traceback", () => traceback(error), "Copy"),
    ),
    rest === "" ? null : h("pre", { class: "gr-code" }, rest),
    parts,
    raised ?? null,
    ...notes.map((note) => h("p", { class: "gr-hint" }, note)),
    ...callers,
    cause === "" ? null : causes(cause),
    frames.length > Math.max(own.length, 1) ? wholeTraceback(frames) : null,
  );
}

/** The exceptions that it came from, the first of all last. */
function causes(text: string): HTMLElement {
  return h(
    "div",
    { class: "gr-causes" },
    h("p", { class: "gr-note" }, "Caused by"),
    h("ol", { class: "gr-cause-list" }, ...text.split("\n").map((each) => h("li", {}, each))),
  );
}

/** As Python orders it, with what libraries have a hand in. */
function wholeTraceback(frames: readonly FrameInfo[]): HTMLElement {
  return h(
    "details",
    { class: "gr-fold" },
    h("summary", { tabindex: 0 }, `All ${frames.length} frames, the last one raised`),
    ...frames.map(frameRow),
  );
}

function frameRow(frame: FrameInfo): HTMLElement {
  const { file, line, function: name, source, user } = frame;
  return h(
    "div",
    { class: user ? "gr-frame gr-user" : "gr-frame" },
    h(
      "div",
      { class: "gr-frame-at", title: `${file}:${line}` },
      h("span", { class: "gr-frame-name" }, name),
      ` ${placeOf(frame)}`,
    ),
    source === "" ? null : codeLines([source.trim()], line, user ? line : undefined, "gr-wrapped"),
  );
}

/** Numbered lines, the first one `from`. */
function codeLines(lines: readonly string[], from: number, failing: number | undefined, more = ""): HTMLElement {
  return h(
    "pre",
    { class: `gr-code gr-lines ${more}` },
    ...lines.map((text, i) =>
      h(
        "span",
        { class: from + i === failing ? "gr-line-row gr-bad" : "gr-line-row", "data-no": from + i },
        `${text}\n`,
      ),
    ),
  );
}

/** As Python prints it. */
export function traceback(error: ErrorInfo): string {
  const lines = error.frames.map(
    ({ file, line, function: name, source }) =>
      `  File "${file}", line ${line}, in ${name}${source === "" ? "" : `\n    ${source.trim()}`}`,
  );
  const head = error.cause === "" ? [] : [error.cause, ""];
  return [
    ...head,
    "Traceback (most recent call last):",
    ...lines,
    `${typeName(error)}: ${error.message}`,
    ...error.notes,
  ].join("\n");
}

export function sourcePanel(detail: NodeDetail | null, error: ErrorInfo | null): HTMLElement {
  const { source = "", source_file: file = "", source_line: first = 1 } = detail ?? {};
  const lines = source.replace(/\n$/, "").split("\n");
  const isIn = ({ line }: FrameInfo): boolean => line >= first && line < first + lines.length;
  const failing = error?.frames.findLast((frame) => frame.user && frame.file === file && isIn(frame))?.line;
  return h(
    "div",
    { class: "gr-source" },
    h(
      "div",
      { class: "gr-source-head" },
      h("span", { class: "gr-type" }, file === "" ? "" : `${file}:${first}`),
      copyButton("Copy source", () => source, "Copy"),
    ),
    codeLines(lines, first, failing),
  );
}
