/** The questions that the run asks, each with its answers at hand; nothing needs to be selected first. */

import { effect, signal as makeSignal } from "@preact/signals-core";
import { fill, focused, h, icon, plainButton, say, set } from "../dom";
import { effects } from "../effects";
import { clockTime, ticking } from "../format";
import type { Link } from "../link";
import type { Local } from "../local";
import type { WaitInfo } from "../protocol";
import { type Question, questions } from "../select";
import type { Store } from "../store";
import { answeredBy, answerText, tell } from "../story";
import type { Json } from "../wire";
import { errorText, nodeLink, PHASE_WORDS } from "./action";
import type { Taken } from "./form/form";

const PAGE = 3;
const MAX_ANSWERED = 3;

interface Row {
  /** Made to show how it was; not to be answered. */
  readonly past: boolean;
  readonly element: HTMLElement;
  readonly deadline: HTMLElement;
  readonly question: Question;
}

/** Makes what a question is answered with. */
export type Controls = (
  wait: WaitInfo,
  label: string,
  send: (payload: Json) => Promise<Taken>,
) => readonly HTMLElement[];

export function waits(
  store: Store,
  link: Link,
  local: Local,
  controls: Controls | undefined,
  signal: AbortSignal,
): HTMLElement {
  const from = makeSignal(0);
  const list = h("div", { class: "gr-asks-list" });
  const pager = h("div", { class: "gr-pager", role: "group", "aria-label": "Pages of questions", hidden: true });
  const where = h("span", { "aria-live": "polite" });
  const back = pageButton("Earlier questions", "‹", -PAGE);
  const on = pageButton("Later questions", "›", PAGE);
  pager.append(back, where, on);
  const answered = h("div", { class: "gr-answered", tabindex: -1, hidden: true });
  const element = h(
    "section",
    { class: "gr-asks", "aria-label": "Open questions", hidden: true },
    pager,
    list,
    answered,
  );
  // A question that is on another page, or not asked yet at the moment that is shown, keeps what was typed into it.
  const rows = new Map<string, Row>();

  function pageButton(label: string, sign: string, by: number): HTMLButtonElement {
    const turn = (): void => {
      from.value = Math.max(from.peek() + by, 0);
      list.scrollTo(0, 0);
    };
    return plainButton({ class: "gr-close", "aria-label": label, title: label, on: { click: turn } }, sign);
  }

  function update(): void {
    const open = new Map(
      questions(store.state)
        .filter(({ wait }) => wait.kind !== "until")
        .map((each) => [`${each.nodeId}\n${each.attempt}\n${each.wait.no}`, each]),
    );
    const past = store.cursor.peek() !== null;
    set(element, "inert", past);
    for (const [key, row] of rows) {
      if (past || (open.has(key) && !row.past)) continue;
      const held = row.element.contains(focused(row.element));
      row.element.remove();
      rows.delete(key);
      if (!row.past) conclude(row.question);
      if (held && !answered.hidden) answered.focus();
    }
    const first = Math.min(from.value, Math.max(Math.ceil(open.size / PAGE) - 1, 0) * PAGE);
    from.value = first;
    const last = Math.min(first + PAGE, open.size);
    const page = [...open].slice(first, last);
    // What is below a large form is easily overlooked.
    const shown = [true, false].flatMap((short) => page.filter(([, { wait }]) => isShort(wait) === short));
    for (const [key, row] of rows) if (!shown.some(([each]) => each === key)) row.element.remove();
    shown.forEach(([key, question], i) => {
      const row = rows.get(key) ?? { ...rowOf(question, link, local, controls), past };
      rows.set(key, row);
      if (list.children[i] !== row.element) list.insertBefore(row.element, list.children[i] ?? null);
    });
    pager.hidden = open.size <= PAGE;
    const which = last === first + 1 ? `Question ${last}` : `Questions ${first + 1} to ${last}`;
    say(where, `${which} of ${open.size}`);
    set(back, "aria-disabled", first === 0 ? "true" : null);
    set(on, "aria-disabled", last === open.size ? "true" : null);
    answered.hidden = past || answered.childElementCount === 0;
    element.hidden = open.size === 0 && answered.hidden;
    set(element, "data-size", shown.some(([, { wait }]) => !isShort(wait)) ? "large" : null);
  }

  function conclude({ nodeId, wait }: Question): void {
    const told = tell(store.story(nodeId) ?? []).answered.findLast((each) => each.wait.no === wait.no);
    if (told === undefined) return;
    const answer = h("strong", {}, answerText(wait, told.answer));
    const question = title(wait) === "" ? "" : `: ${title(wait)}`;
    const line = h(
      "div",
      { class: "gr-answered-line" },
      icon("DONE"),
      h("span", {}, nodeId, question, " → ", answer, `, ${answeredBy(told)} at ${clockTime(told.at)}`),
    );
    fill(answered, ...[...answered.children, line].slice(-MAX_ANSWERED));
    answered.hidden = false;
  }

  effects(
    signal,
    () => {
      store.version.value;
      update();
    },
    () => {
      for (const { deadline, question } of rows.values()) say(deadline, deadlineText(question.wait, local.now.value));
      local.now.value;
    },
  );
  return element;
}

/** One field of one line, with its button beside it. */
export function isShort({ kind, options, schema }: WaitInfo): boolean {
  if (kind === "files" || kind === "event") return false;
  return ["approval", "text", "choice"].includes(kind) || (schema === null && options.length > 0);
}

function title({ kind, name, prompt }: WaitInfo): string {
  return kind === "event" ? `Waits for the event ${name}` : prompt;
}

function deadlineText(wait: WaitInfo, now: number): string {
  if (wait.deadline === null) return "";
  const then =
    wait.on_deadline === "default" ? `then it counts as answered: ${answerText(wait, wait.default)}` : "then it fails";
  const left = Math.ceil(wait.deadline - now);
  return left > 0 ? `${ticking(left)} left, ${then}` : `Time is up, ${then}`;
}

function rowOf(question: Question, link: Link, local: Local, controls?: Controls): Omit<Row, "past"> {
  const { nodeId, wait, attempt } = question;
  const deadline = h("span", { class: "gr-deadline" }, deadlineText(wait, local.now.peek()));
  const progress = h("span", { class: "gr-sending", "aria-live": "polite" });
  const send = async (payload: Json): Promise<Taken> => {
    const { phase, reply } = link.send({ kind: "resume", node_id: nodeId, attempt, no: wait.no, payload });
    const stop = effect(() => say(progress, PHASE_WORDS[phase.value]));
    const answer = await reply;
    stop();
    return { error: errorText(answer), errors: answer.errors.map(([path, message]) => ({ path, message })) };
  };
  const element = h(
    "div",
    { class: "gr-ask" },
    icon("WAITING"),
    h(
      "div",
      { class: "gr-ask-text" },
      nodeLink(local, nodeId),
      ": ",
      h("span", { class: "gr-prompt" }, title(wait) || wait.kind),
      " ",
      deadline,
      " ",
      progress,
    ),
    ...(controls?.(wait, wait.prompt || nodeId, send) ?? []),
  );
  return { element, deadline, question };
}
