/** Small controls that several views share. */

import { effect } from "@preact/signals-core";
import { type Child, h, plainButton, say, set } from "../dom";
import { calledId } from "../groups";
import type { Command, Link, Phase } from "../link";
import type { Local } from "../local";
import type { Reply } from "../protocol";

const COPIED_MS = 1500;
const MAX_LINKS = 12;

export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  sending: "Sending…",
  busy: "Kernel busy: will act when it is free",
  answered: "",
};

/** A button that sends a command and shows until the reply that it is under way. */
export function actionButton(
  link: Link,
  label: string,
  command: () => Command,
  answered: (reply: Reply) => void,
): HTMLButtonElement {
  const button = plainButton({ on: { click: () => void act() } }, label);
  async function act(): Promise<void> {
    if (button.getAttribute("aria-disabled") === "true") return;
    set(button, "aria-disabled", "true");
    const { phase, reply } = link.send(command());
    const stop = effect(() => set(button, "data-phase", phase.value));
    const answer = await reply;
    stop();
    set(button, "aria-disabled", null);
    answered(answer);
  }
  return button;
}

export function copyButton(
  label: string,
  text: () => string | Promise<string>,
  ...content: (Node | string)[]
): HTMLButtonElement {
  const button = plainButton(
    { class: "gr-copy", "aria-label": label, title: label, on: { click: () => void copy() } },
    ...content,
  );
  async function copy(): Promise<void> {
    await copyText(await text(), button);
  }
  return button;
}

/** Copies a text, and says for a moment at `element` whether that was done. */
export async function copyText(text: string, element: HTMLElement): Promise<void> {
  const done = await navigator.clipboard.writeText(text).then(
    () => "Copied",
    () => "Copying was refused by the browser",
  );
  set(element, "data-said", done);
  setTimeout(() => set(element, "data-said", null), COPIED_MS);
}

export function errorText(reply: Reply): string {
  return [reply.error, reply.hint].filter((part) => part !== "").join(" ");
}

/** What leads to a node, by default its id. A link and no button: a node may be called like one of the run's buttons. */
export function nodeLink(local: Local, id: string, text = id): HTMLElement {
  const follow = (event: Event): void => {
    event.preventDefault();
    local.find(id);
  };
  return h("a", { class: "gr-link", href: "#", title: `Select ${id}`, on: { click: follow } }, text);
}

/** Links to the first of many nodes, and how many more there are. */
export function nodeLinks(local: Local, ids: readonly string[]): Child[] {
  const links = ids.slice(0, MAX_LINKS).flatMap((id, i) => {
    const link = nodeLink(local, id, calledId(id));
    return i === 0 ? [link] : [", ", link];
  });
  return ids.length > MAX_LINKS ? [...links, ` and ${ids.length - MAX_LINKS} more`] : links;
}

/** A line for what went wrong; empty, it takes no room. */
export function alertLine(): { readonly element: HTMLElement; say(text: string): void } {
  const element = h("div", { class: "gr-alert", role: "alert", hidden: true });
  return {
    element,
    say(text) {
      say(element, text);
      element.hidden = text === "";
    },
  };
}
