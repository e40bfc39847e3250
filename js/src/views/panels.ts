/** The panels of a node's detail that show text made by the user's code: values, logs, traceback, source. */

import { type Child, h } from "../dom";
import { clockTime } from "../format";
import type { ErrorInfo, FrameInfo, NodeDetail, Signal, ValueView } from "../protocol";
import { errorLine, typeName } from "../select";
import { isUnfinished } from "../store";
import { copyButton } from "./action";

export interface LogLine {
  readonly at: number;
  readonly stream: string;
  readonly text: string;
}

export function valuePanel(values: readonly ValueView[]): HTMLElement {
  return h(
    "dl",
    { class: "gr-values" },
    ...values.map(({ name, type, text, truncated }) =>
      h(
        "div",
        { class: "gr-value" },
        h(
          "dt",
          {},
          name,
          " ",
          h("span", { class: "gr-type" }, type),
          copyButton(`Copy ${name}`, () => text, "Copy"),
        ),
        h("dd", {}, h("pre", { class: "gr-code" }, truncated ? `${text}\n…` : text)),
      ),
    ),
  );
}

/** The lines that the kernel kept, and after them those that arrived since; of an unfinished one how it stands last. */
export function logLines(detail: NodeDetail | null, heard: readonly Signal[]): readonly LogLine[] {
  const kept: LogLine[] = (detail?.logs ?? []).map(([at, stream, text]) => ({ at, stream, text }));
  const last = kept.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  const all = [...kept, ...heard.filter(({ at }) => at > last)];
  const unfinished = new Map<string, LogLine>();
  const replaced = new Set<LogLine>();
  for (const line of all) {
    const before = unfinished.get(line.stream);
    if (before !== undefined) replaced.add(before);
    if (isUnfinished(line.text)) unfinished.set(line.stream, line);
    else unfinished.delete(line.stream);
  }
  return all.filter((line) => !replaced.has(line));
}

export function logPanel(lines: readonly LogLine[]): HTMLElement {
  return h(
    "div",
    { class: "gr-logs" },
    ...lines.map(({ at, stream, text }) =>
      h(
        "div",
        { class: "gr-log", "data-stream": stream },
        h("time", { class: "gr-log-at" }, clockTime(at)),
        h(
          "span",
          { class: "gr-log-text" },
          stream === "stdout" ? null : h("span", { class: "gr-log-stream" }, `${stream} `),
          isUnfinished(text) ? text.slice(1) : text,
        ),
      ),
    ),
  );
}

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
    error.cause === "" ? null : h("pre", { class: "gr-code gr-cause" }, error.cause),
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
  const failing = error?.frames.findLast((frame) => frame.user && frame.file === file)?.line;
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
      ...source
        .replace(/\n$/, "")
        .split("\n")
        .map((text, i) =>
          h(
            "span",
            { class: first + i === failing ? "gr-line-row gr-bad" : "gr-line-row", "data-no": first + i },
            `${text}\n`,
          ),
        ),
    ),
  );
}
