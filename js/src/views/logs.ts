/** What a node printed and logged: live, of one attempt or all, of one stream or all. */

import { pieces } from "../ansi";
import { fill, h, plainButton, set } from "../dom";
import { clockTime } from "../format";
import type { NodeDetail, Signal } from "../protocol";
import { isUnfinished } from "../store";
import type { Attempt } from "../story";

export interface LogLine {
  readonly at: number;
  readonly stream: string;
  readonly text: string;
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

const ALL = "";

/** Keeps its element, its filters and its place from one update to the next. */
export class LogView {
  readonly element: HTMLElement;
  readonly #list = h("div", { class: "gr-logs" });
  readonly #attempts: HTMLSelectElement;
  readonly #streams: HTMLSelectElement;
  readonly #follow: HTMLButtonElement;
  readonly #none = h("p", { class: "gr-note", hidden: true }, "No line of this kind.");
  #lines: readonly LogLine[] = [];
  #told: readonly Attempt[] = [];
  #drawn: readonly LogLine[] = [];
  #follows = true;

  constructor(private readonly panel: HTMLElement) {
    const choose = (): void => this.#draw();
    this.#attempts = h("select", { class: "gr-pick", "aria-label": "Attempt", on: { change: choose } });
    this.#streams = h("select", { class: "gr-pick", "aria-label": "Stream", on: { change: choose } });
    const follow = (): void => this.#setFollow(!this.#follows);
    this.#follow = plainButton(
      { class: "gr-copy", "aria-pressed": "true", title: "Keep the last line in view", on: { click: follow } },
      "Follow",
    );
    this.element = h(
      "div",
      {},
      h("div", { class: "gr-log-head" }, this.#attempts, this.#streams, this.#follow),
      this.#none,
      this.#list,
    );
    panel.addEventListener("scroll", () => {
      if (this.element.parentElement !== panel) return;
      const isAtEnd = panel.scrollHeight - panel.scrollTop - panel.clientHeight < 8;
      if (isAtEnd !== this.#follows) this.#mark(isAtEnd);
    });
  }

  update(lines: readonly LogLine[], attempts: readonly Attempt[]): void {
    this.#lines = lines;
    this.#told = attempts.filter(({ no }) => no > 0);
    options(
      this.#attempts,
      "All attempts",
      this.#told.map(({ no }) => [String(no), `Attempt ${no}`]),
    );
    options(
      this.#streams,
      "All streams",
      [...new Set(lines.map(({ stream }) => stream))].map((each) => [each, each]),
    );
    this.#draw();
  }

  /** To be called when it has been put where it is seen. */
  shown(): void {
    if (this.#follows) this.panel.scrollTop = this.panel.scrollHeight;
  }

  #setFollow(follows: boolean): void {
    this.#mark(follows);
    this.shown();
  }

  #mark(follows: boolean): void {
    this.#follows = follows;
    set(this.#follow, "aria-pressed", String(follows));
  }

  #draw(): void {
    const stream = this.#streams.value;
    const no = this.#attempts.value;
    const wanted = this.#lines.filter(
      (line) =>
        (stream === ALL || line.stream === stream) && (no === ALL || attemptAt(this.#told, line.at) === Number(no)),
    );
    const same = this.#drawn.findIndex((line, i) => !alike(line, wanted[i]));
    const kept = same < 0 ? this.#drawn.length : same;
    while (this.#list.children.length > kept) this.#list.lastElementChild?.remove();
    this.#list.append(...wanted.slice(kept).map(rowOf));
    this.#drawn = wanted;
    this.#none.hidden = wanted.length > 0;
    this.shown();
  }
}

function alike(one: LogLine, other: LogLine | undefined): boolean {
  return one.at === other?.at && one.text === other.text && one.stream === other.stream;
}

/** Attempts come one after the other: a line belongs to the one that had begun last. */
function attemptAt(attempts: readonly Attempt[], at: number): number {
  return (attempts.findLast(({ startedAt }) => startedAt <= at) ?? attempts[0])?.no ?? 0;
}

/** Hidden where there is nothing to choose between. */
function options(select: HTMLSelectElement, all: string, others: readonly (readonly [string, string])[]): void {
  const wanted: readonly (readonly [string, string])[] = [[ALL, all], ...others];
  const isSame = [...select.options].map(({ value }) => value).join("\n") === wanted.map(([value]) => value).join("\n");
  if (!isSame) {
    const before = select.value;
    fill(select, ...wanted.map(([value, text]) => h("option", { value }, text)));
    select.value = wanted.some(([value]) => value === before) ? before : ALL;
  }
  select.hidden = others.length < 2;
}

function rowOf({ at, stream, text }: LogLine): HTMLElement {
  return h(
    "div",
    { class: "gr-log", "data-stream": stream },
    h("time", { class: "gr-log-at" }, clockTime(at)),
    h(
      "span",
      { class: "gr-log-text" },
      stream === "stdout" ? null : h("span", { class: "gr-log-stream" }, `${stream} `),
      ...pieces(isUnfinished(text) ? text.slice(1) : text).map(({ text: part, colour, bold }) =>
        colour === null && !bold ? part : h("span", { class: bold ? "gr-bold" : null, "data-ansi": colour }, part),
      ),
    ),
  );
}
