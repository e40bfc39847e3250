/** One line between header and graph: the kernel cannot be reached as usual, drives another run, or not this one. */

import { effect, type ReadonlySignal } from "@preact/signals-core";
import { fill, h } from "../dom";
import type { Link } from "../link";
import type { Store } from "../store";
import { copyButton, PHASE_WORDS } from "./action";

type Kind = "" | "lost" | "saved" | "busy" | "trouble" | "driven" | "left" | "others";

interface Told {
  readonly runId: string;
  readonly others: ReadonlySignal<readonly string[]>;
  readonly driver: ReadonlySignal<string | null>;
}

export function notice(store: Store, link: Link, { runId, others, driver }: Told, signal: AbortSignal): HTMLElement {
  const element = h("div", { class: "gr-notice", hidden: true });
  let shown = "";
  const show = (kind: Kind): void => {
    const what = [kind, ...(kind === "others" ? others.value : []), kind === "driven" ? driver.value : ""].join(" ");
    if (what === shown) return;
    shown = what;
    element.hidden = kind === "";
    element.dataset["kind"] = kind;
    const attach = `%graphrun attach ${runId}`;
    if (kind === "lost") {
      const command = copyButton(`Copy ${attach}`, () => attach, h("code", {}, attach));
      fill(element, "The kernel is gone. This is the run as it was last seen; to go on with it:", " ", command);
    } else if (kind === "saved") {
      fill(element, "Saved run, no kernel: everything can be looked at, and nothing started.");
    } else if (kind === "busy") {
      fill(element, `${PHASE_WORDS.busy}.`);
    } else if (kind === "trouble") {
      fill(element, h("span", { role: "alert" }, `This view cannot follow the run: ${link.trouble.value}`));
    } else if (kind === "driven") {
      fill(element, `Driven by ${driver.value}. Answers and Cancel run reach it from here.`);
    } else if (kind === "left") {
      const command = copyButton(`Copy ${attach}`, () => attach, h("code", {}, attach));
      fill(element, "No process goes on with this run; to go on with it here:", " ", command);
    } else if (kind === "others") {
      const commands = others.value.map((id) => {
        const command = `%graphrun show ${id}`;
        return copyButton(`Copy ${command}`, () => command, h("code", {}, command));
      });
      const many = commands.length > 1;
      const text = many
        ? "Other runs of this graph are alive; to see them:"
        : "Another run of this graph is alive; to see it:";
      fill(element, text, ...commands.flatMap((command) => [" ", command]));
    }
  };
  const stop = effect(() => {
    store.heard.value;
    const contact = link.contact.value;
    if (link.trouble.value !== "") show("trouble");
    else if (contact === "lost" && store.live.finished === null) show("lost");
    else if (contact === "saved") show("saved");
    else if (link.slow.value > 0) show("busy");
    else if (contact === "live" && driver.value !== null && store.state.finished === null)
      show(driver.value === "" ? "left" : "driven");
    else show(contact === "live" && others.value.length > 0 ? "others" : "");
  });
  signal.addEventListener("abort", stop);
  return element;
}
