/** One line between header and graph: the kernel cannot be reached as usual, drives another run, or not this one. */

import type { ReadonlySignal } from "@preact/signals-core";
import { fill, h } from "../dom";
import { effects } from "../effects";
import type { HostKernel } from "../host";
import type { Contact, Link } from "../link";
import type { Store } from "../store";
import { copyButton, PHASE_WORDS } from "./action";

type Kind = "" | "lost" | "saved" | "busy" | "trouble" | "driven" | "left" | "others";

interface Told {
  readonly kind: Kind;
  readonly text: string;
  /** Commands of the magic that lead on from here. */
  readonly commands: readonly string[];
}

export interface Surroundings {
  readonly runId: string;
  /** Other runs of the same cell that are alive. */
  readonly others: ReadonlySignal<readonly string[]>;
  /** The other process that drives the run, empty if none does; null if it is the kernel's own run. */
  readonly driver: ReadonlySignal<string | null>;
  readonly kernel: ReadonlySignal<HostKernel>;
}

export function notice(store: Store, link: Link, around: Surroundings, signal: AbortSignal): HTMLElement {
  const element = h("div", { class: "gr-notice", hidden: true });
  let shown = "";
  const show = ({ kind, text, commands }: Told): void => {
    const what = [kind, text, ...commands].join("\n");
    if (what === shown) return;
    shown = what;
    element.hidden = kind === "";
    element.dataset["kind"] = kind;
    fill(
      element,
      h("span", kind === "trouble" || kind === "lost" ? { role: "alert" } : {}, text),
      ...commands.flatMap((command) => [" ", copyButton(`Copy ${command}`, () => command, h("code", {}, command))]),
    );
  };
  effects(signal, () => {
    store.heard.value;
    show(told(store, link, around));
  });
  return element;
}

function told(store: Store, link: Link, { runId, others, driver, kernel }: Surroundings): Told {
  const nothing: Told = { kind: "", text: "", commands: [] };
  const attach = [`%graphrun attach ${runId}`];
  const contact: Contact = link.contact.value;
  if (link.trouble.value !== "") {
    return { kind: "trouble", text: `This view cannot follow the run: ${link.trouble.value}`, commands: [] };
  }
  if (contact === "lost") {
    const over = store.live.finished !== null;
    const first = "run the cells that load graphrun_nb";
    const text = over
      ? `This is the run as it ended. To see it live, ${first}, then:`
      : `This is the run as it was last seen. To go on, ${first} and define ${store.live.graph}, then:`;
    return { kind: "lost", text: `${LOST[kernel.value]} ${text}`, commands: attach };
  }
  const unanswered = link.slow.value > 0;
  if (contact === "saved" && (unanswered || kernel.value === "none")) {
    const text = `Saved run, ${SAVED[kernel.value]}: everything can be looked at, and nothing started.`;
    return { kind: "saved", text, commands: kernel.value === "idle" ? attach : [] };
  }
  if (contact === "connecting" && unanswered && kernel.value !== "busy" && kernel.value !== "unknown") {
    return { kind: "lost", text: `${ABSENT[kernel.value]} To see the run:`, commands: attach };
  }
  if (unanswered) return { kind: "busy", text: `${PHASE_WORDS.busy}.`, commands: [] };
  if (contact === "live" && driver.value !== null && store.live.finished === null) {
    return driver.value === ""
      ? { kind: "left", text: "No process goes on with this run; to go on with it here:", commands: attach }
      : { kind: "driven", text: `Driven by ${driver.value}. Answers and Cancel run reach it from here.`, commands: [] };
  }
  if (contact !== "live" || others.value.length === 0) return nothing;
  const many = others.value.length > 1;
  return {
    kind: "others",
    text: many ? "Other runs of this graph are alive; to see them:" : "Another run of this graph is alive; to see it:",
    commands: others.value.map((id) => `%graphrun show ${id}`),
  };
}

/** The comm was there, and is closed. */
const LOST: Readonly<Record<HostKernel, string>> = {
  unknown: "The kernel is gone.",
  none: "The kernel was shut down.",
  dead: "The kernel is dead.",
  starting: "The kernel is being restarted.",
  idle: "The kernel was restarted.",
  busy: "The kernel was restarted.",
  unreachable: "The connection to the kernel is broken.",
};

/** Nobody has answered yet, and there is a recording. */
const SAVED: Readonly<Record<HostKernel, string>> = {
  unknown: "no kernel",
  none: "no kernel",
  dead: "no kernel",
  starting: "the kernel is starting",
  idle: "which this kernel does not drive",
  busy: "the kernel is busy",
  unreachable: "no connection to a kernel",
};

/** Nobody has answered yet, and there is nothing to show. */
const ABSENT: Readonly<Record<HostKernel, string>> = {
  unknown: "",
  busy: "",
  none: "There is no kernel.",
  dead: "The kernel is dead.",
  starting: "The kernel is starting.",
  idle: "This kernel does not know the run.",
  unreachable: "There is no connection to the kernel.",
};
