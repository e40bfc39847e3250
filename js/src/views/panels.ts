/** The panels of a node's detail that show where its code stands: traceback and source. */

import { type Child, h } from "../dom";
import type { ErrorInfo, FrameInfo, NodeDetail } from "../protocol";
import { errorLine, typeName } from "../select";
import { copyButton } from "./action";

/** The user's own line that the error came out of. */
export function failingLine(error: ErrorInfo): HTMLElement | null {
  const frame = error.frames.findLast((each) => each.user) ?? error.frames.at(-1);
  return h(
    "div",
    { class: "gr-failing" },
    h("p", { class: "gr-error-line" }, errorLine(error)),
    frame === undefined ? null : frameRow(frame),
  );
}

export function errorPanel(error: ErrorInfo | null): HTMLElement {
  if (error === null) return h("div");
  const rest = error.message.split("\n").slice(1).join("\n");
  return h(
    "div",
    { class: "gr-error" },
    h(
      "div",
      { class: "gr-error-head" },
      h("p", { class: "gr-error-line" }, errorLine(error)),
      copyButton("Copy traceback", () => traceback(error), "Copy"),
    ),
    rest === "" ? null : h("pre", { class: "gr-code" }, rest),
    ...error.notes.map((note) => h("p", { class: "gr-hint" }, note)),
    ...folded(error.frames),
    error.cause === "" ? null : causes(error.cause),
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

/** The user's frames in the open; those of libraries between them behind a fold. */
function folded(frames: readonly FrameInfo[]): Child[] {
  const anyUser = frames.some((frame) => frame.user);
  const rows: Child[] = [];
  for (let i = 0; i < frames.length; ) {
    const frame = frames[i];
    if (frame === undefined) break;
    if (frame.user || !anyUser) {
      rows.push(frameRow(frame));
      i += 1;
      continue;
    }
    const until = frames.findIndex((each, at) => at > i && each.user);
    const group = frames.slice(i, until < 0 ? frames.length : until);
    rows.push(
      h(
        "details",
        { class: "gr-fold" },
        h("summary", { tabindex: 0 }, `${group.length} in libraries`),
        ...group.map(frameRow),
      ),
    );
    i += group.length;
  }
  return rows;
}

function frameRow({ file, line, function: name, source, user }: FrameInfo): HTMLElement {
  return h(
    "div",
    { class: user ? "gr-frame gr-user" : "gr-frame" },
    h("div", { class: "gr-frame-at" }, h("span", { class: "gr-frame-name" }, name), ` ${file}:${line}`),
    source === "" ? null : h("pre", { class: "gr-code" }, source.trim()),
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
    h(
      "pre",
      { class: "gr-code gr-lines" },
      ...lines.map((text, i) =>
        h(
          "span",
          { class: first + i === failing ? "gr-line-row gr-bad" : "gr-line-row", "data-no": first + i },
          `${text}\n`,
        ),
      ),
    ),
  );
}
