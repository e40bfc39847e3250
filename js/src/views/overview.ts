/** The first thing to know of a node: how it stands, each attempt in a line, what was asked and answered. */

import { type Child, h, icon } from "../dom";
import { clockTime, duration, ticking } from "../format";
import type { Local } from "../local";
import type { NodeDetail } from "../protocol";
import { errorLine, failedParts } from "../select";
import type { NodeState, RunState } from "../state";
import { NODE_STATUS } from "../status";
import type { Progress, Store } from "../store";
import { type Answered, type Attempt, answeredBy, answerText, type Story, tell } from "../story";
import { nodeLinks } from "./action";
import { failingLine } from "./panels";

export interface OverviewOf {
  readonly id: string;
  readonly node: NodeState;
  readonly store: Store;
  readonly local: Local;
  readonly detail: NodeDetail | null;
  readonly problem: string;
  /** The button that leads into the node, if there is anything inside. */
  readonly lookInside: HTMLElement | null;
}

/** What happened to a node, from the view's own history or else from the kernel's. */
export function storyOf(store: Store, id: string, detail: NodeDetail | null): Story {
  return tell(store.story(id) ?? detail?.story.map(([, at, event]) => ({ at, event })) ?? []);
}

/** When what a node needs was done: it could have begun then. */
function readyAt({ nodes, started_at }: RunState, { info }: NodeState): number {
  const before = [...info.needs, ...info.after].map((id) => nodes.get(id)?.ended_at ?? 0);
  return Math.max(started_at, nodes.get(info.parent)?.started_at ?? 0, ...before);
}

export function overview({ id, node, store, local, detail, problem, lookInside }: OverviewOf): HTMLElement {
  const now = local.now.peek();
  const story = storyOf(store, id, detail);
  const attempts = story.attempts.length > 0 ? story.attempts : guessed(node);
  const failed = failedParts(store.state, id);
  const shownError = node.status === "FAILED" && node.error !== null ? errorLine(node.error) : "";
  const { index, ids, in: into, out } = local.topology.peek();
  const i = index.get(id) ?? -1;
  const neighbours = (label: string, found: readonly number[]): Child =>
    found.length === 0
      ? null
      : row(
          label,
          ...nodeLinks(
            local,
            found.map((at) => ids[at] ?? ""),
          ),
        );
  return h(
    "div",
    { class: "gr-overview" },
    problem === "" ? null : h("p", { class: "gr-alert", role: "alert" }, problem),
    ...pressing(node, now, store.progress(node)),
    node.status === "FAILED" && node.error !== null ? failingLine(node.error, failed) : null,
    attempts.length === 0
      ? null
      : h(
          "ol",
          { class: "gr-attempts", "aria-label": "Attempts" },
          ...attempts.map((each) => attemptRow(each, now, shownError, readyAt(store.state, node))),
        ),
    ...story.answered.map(answerRow),
    h(
      "dl",
      { class: "gr-facts" },
      ...because(node, story),
      failed.length === 0 ? null : row("Failed", ...nodeLinks(local, failed)),
      row("Kind", node.info.kind),
      node.info.name === id ? null : row("Id", id),
      neighbours(
        "Needs",
        (into[i] ?? []).map((edge) => edge.from),
      ),
      neighbours(
        "Feeds",
        (out[i] ?? []).map((edge) => edge.to),
      ),
      node.info.labels.length === 0 ? null : row("Labels", node.info.labels.join(", ")),
    ),
    lookInside,
  );
}

function row(label: string, ...content: Child[]): HTMLElement {
  return h("div", { class: "gr-fact" }, h("dt", {}, label), h("dd", {}, ...content));
}

/** What one would act on right now. */
function pressing(node: NodeState, now: number, progress: Progress | null): Child[] {
  if (progress !== null && node.waits.length === 0) {
    const share =
      progress.share === null
        ? []
        : [h("progress", { value: `${progress.share}`, max: "1", "aria-label": "Progress" })];
    return [h("p", { class: "gr-pressing", "data-tone": "active" }, progress.text, ...share)];
  }
  if (node.status === "RETRYING") {
    const due = node.due > now ? `Next attempt in ${ticking(Math.ceil(node.due - now))}` : "Next attempt is due";
    return [h("p", { class: "gr-pressing", "data-tone": "caution" }, `${due}, at ${clockTime(node.due)}.`)];
  }
  return node.waits.map(({ wait, at }) =>
    h(
      "p",
      { class: "gr-pressing", "data-tone": "attention" },
      `Waiting since ${clockTime(at)}: ${wait.prompt || wait.kind}`,
    ),
  );
}

function because(node: NodeState, story: Story): Child[] {
  const text = story.because !== "" ? story.because : node.because === "" ? "" : `because of ${node.because}`;
  return text === "" ? [] : [row("Why", text)];
}

function attemptRow(attempt: Attempt, now: number, shownError: string, ready: number): HTMLElement {
  const { no, startedAt, endedAt, status, note } = attempt;
  const time = no === 0 ? "" : endedAt > 0 ? duration(endedAt - startedAt) : ticking(now - startedAt);
  return h(
    "li",
    { class: "gr-attempt" },
    icon(status),
    h("span", { class: "gr-attempt-no" }, no === 0 ? "Could not start" : `Attempt ${no}`),
    h("span", { class: "gr-attempt-word", "data-tone": NODE_STATUS[status].colour }, NODE_STATUS[status].word),
    h("span", { class: "gr-attempt-time" }, time),
    h("time", { class: "gr-attempt-at", title: new Date(startedAt * 1000).toISOString() }, clockTime(startedAt)),
    no === 0 ? null : h("span", { class: "gr-attempt-split" }, split(attempt, ready)),
    note === "" || note === shownError ? null : h("span", { class: "gr-attempt-note" }, note),
  );
}

/** How long it stood in line, ran, and waited for answers. */
function split({ no, startedAt, dueAt, endedAt, waited }: Attempt, ready: number): string {
  const since = dueAt > 0 ? dueAt : no === 1 ? ready : 0;
  const queued = since > 0 && since <= startedAt ? [`queued ${duration(startedAt - since)}`] : [];
  if (endedAt === 0) return queued.join("");
  const answers = waited > 0 ? [`waited for answers ${duration(waited)}`] : [];
  return [...queued, `ran ${duration(endedAt - startedAt - waited)}`, ...answers].join(" · ");
}

function answerRow(answered: Answered): HTMLElement {
  const { wait, at, answer } = answered;
  return h(
    "div",
    { class: "gr-answer" },
    h("span", { class: "gr-answer-prompt" }, wait.prompt || wait.kind),
    h("span", { class: "gr-answer-text" }, answerText(wait, answer)),
    h("span", { class: "gr-answer-by" }, `${answeredBy(answered)} at ${clockTime(at)}`),
  );
}

/** Without events, the latest attempt is all that the state tells of. */
function guessed(node: NodeState): readonly Attempt[] {
  if (node.attempt === 0 || node.started_at === 0) return [];
  const status = node.status === "RETRYING" ? "FAILED" : node.status;
  return [
    { no: node.attempt, startedAt: node.started_at, dueAt: 0, endedAt: node.ended_at, waited: 0, status, note: "" },
  ];
}
