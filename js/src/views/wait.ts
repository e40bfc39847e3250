/** The questions that the run asks, each with its answers at hand; nothing needs to be selected first. */

import { effect } from "@preact/signals-core";
import { fill, h, icon, say, set } from "../dom";
import { clockTime, place, ticking } from "../format";
import type { Link } from "../link";
import type { Local } from "../local";
import type { WaitInfo } from "../protocol";
import { type Question, questions } from "../select";
import type { Store } from "../store";
import { answerText, tell } from "../story";
import type { Json } from "../wire";
import { alertLine, errorText, nodeLink, PHASE_WORDS } from "./action";

const MAX_ROWS = 3;

interface Row {
  readonly element: HTMLElement;
  readonly deadline: HTMLElement;
  readonly question: Question;
}

export function waits(store: Store, link: Link, local: Local, signal: AbortSignal): HTMLElement {
  const list = h("div", { class: "gr-asks-list" });
  const more = h("button", {
    type: "button",
    class: "gr-button gr-more",
    hidden: true,
    on: { click: () => selectNext() },
  });
  const answered = h("div", { class: "gr-answered", tabindex: -1, hidden: true });
  const element = h(
    "section",
    { class: "gr-asks", "aria-label": "Open questions", hidden: true },
    list,
    more,
    answered,
  );
  const rows = new Map<string, Row>();

  function selectNext(): void {
    const hidden = questions(store.state)[MAX_ROWS];
    if (hidden !== undefined) local.select(hidden.nodeId);
  }

  function update(): void {
    const open = questions(store.state);
    const shown = new Map(
      open.slice(0, MAX_ROWS).map((each) => [`${each.nodeId}\n${each.attempt}\n${each.wait.no}`, each]),
    );
    for (const [key, row] of rows) {
      if (shown.has(key)) continue;
      const focused = row.element.contains(document.activeElement);
      row.element.remove();
      rows.delete(key);
      conclude(row.question);
      if (focused && !answered.hidden) answered.focus();
    }
    for (const [key, question] of shown) {
      if (rows.has(key)) continue;
      const row = rowOf(question, link, local);
      rows.set(key, row);
      list.append(row.element);
    }
    more.hidden = open.length <= MAX_ROWS;
    say(more, `${open.length - MAX_ROWS} more waiting`);
    element.hidden = open.length === 0 && answered.hidden;
  }

  function conclude({ nodeId, wait }: Question): void {
    const told = tell(store.story(nodeId) ?? []).answered.findLast((each) => each.wait.no === wait.no);
    if (told === undefined) return;
    const answer = h("strong", {}, answerText(wait, told.answer));
    const question = wait.prompt === "" ? "" : `: ${wait.prompt}`;
    fill(
      answered,
      icon("DONE"),
      h("span", {}, nodeId, question, " → ", answer, `, by ${place(told.by)} at ${clockTime(told.at)}`),
    );
    answered.hidden = false;
  }

  const stops = [
    effect(() => {
      store.version.value;
      update();
    }),
    effect(() => {
      for (const { deadline, question } of rows.values()) say(deadline, deadlineText(question.wait, local.now.value));
      local.now.value;
    }),
  ];
  signal.addEventListener("abort", () => {
    for (const stop of stops) stop();
  });
  return element;
}

function deadlineText(wait: WaitInfo, now: number): string {
  if (wait.deadline === null) return "";
  const then = wait.on_deadline === "default" ? "then the default answer counts" : "then it fails";
  return `${ticking(Math.ceil(wait.deadline - now))} left, ${then}`;
}

function rowOf(question: Question, link: Link, local: Local): Row {
  const { nodeId, wait, attempt } = question;
  const deadline = h("span", { class: "gr-deadline" }, deadlineText(wait, local.now.peek()));
  const progress = h("span", { class: "gr-sending" });
  const alert = alertLine();
  let under = false;
  const send = async (payload: Json): Promise<void> => {
    if (under) return;
    under = true;
    alert.say("");
    set(controls, "data-sending", true);
    const { phase, reply } = link.send({ kind: "resume", node_id: nodeId, attempt, no: wait.no, payload });
    const stop = effect(() => say(progress, PHASE_WORDS[phase.value]));
    const answer = await reply;
    stop();
    under = false;
    set(controls, "data-sending", null);
    if (answer.error !== "") alert.say(errorText(answer));
  };
  const controls = controlsOf(wait, nodeId, (payload) => void send(payload));
  const element = h(
    "div",
    { class: "gr-ask" },
    icon("WAITING"),
    h(
      "div",
      { class: "gr-ask-text" },
      nodeLink(local, nodeId),
      ": ",
      h("span", { class: "gr-prompt" }, wait.prompt || wait.kind),
      " ",
      deadline,
    ),
    h("div", { class: "gr-ask-answer" }, progress, controls),
    alert.element,
  );
  return { element, deadline, question };
}

function controlsOf(wait: WaitInfo, nodeId: string, send: (payload: Json) => void): HTMLElement {
  switch (wait.kind) {
    case "approval": {
      const options = wait.options.length > 0 ? wait.options : ["Approve", "Reject"];
      const buttons = options.map((option, i) =>
        h(
          "button",
          {
            type: "button",
            class: i === 0 ? "gr-button gr-primary" : "gr-button",
            on: { click: () => send({ choice: option }) },
          },
          option,
        ),
      );
      return h("div", { class: "gr-answers", role: "group", "aria-label": wait.prompt || nodeId }, ...buttons);
    }
    case "text": {
      const input = h("input", {
        class: "gr-input",
        type: "text",
        required: true,
        "aria-label": "Answer",
        autocomplete: "off",
      });
      return formOf(wait, nodeId, () => send({ text: input.value }), input);
    }
    case "choice": {
      const select = h(
        "select",
        { class: "gr-input", "aria-label": "Choice" },
        ...wait.options.map((option) => h("option", {}, option)),
      );
      return formOf(wait, nodeId, () => send({ choice: wait.options[select.selectedIndex] ?? "" }), select);
    }
    default:
      return h(
        "div",
        { class: "gr-answers" },
        h("code", {}, wait.kind === "until" ? "" : `future.resume(${JSON.stringify(nodeId)}, …)`),
      );
  }
}

function formOf(wait: WaitInfo, nodeId: string, submit: () => void, field: HTMLElement): HTMLElement {
  const listener = (event: SubmitEvent): void => {
    event.preventDefault();
    submit();
  };
  const button = h("button", { type: "submit", class: "gr-button gr-primary" }, "Send answer");
  return h(
    "form",
    { class: "gr-answers", "aria-label": wait.prompt || nodeId, on: { submit: listener } },
    field,
    button,
  );
}
