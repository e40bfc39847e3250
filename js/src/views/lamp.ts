/** The loop lamp in the header: whether the kernel's event loop turns, and what keeps it if it does not. */

import { h, say, set } from "../dom";
import { effects } from "../effects";
import { lampOf } from "../lamp";
import type { Link } from "../link";
import type { Store } from "../store";

const TICK_MS = 500;

export function lamp(store: Store, link: Link, signal: AbortSignal): HTMLElement {
  const text = h("span", {});
  const element = h("span", { class: "gr-lamp", hidden: true }, h("span", { class: "gr-lamp-light" }), text);

  function update(): void {
    const pulses = link.pulses.value;
    element.hidden = pulses === null || link.contact.value !== "live" || store.live.finished !== null;
    if (pulses === null || element.hidden) return;
    const running: string[] = [];
    for (const [id, node] of store.live.nodes) if (node.status === "RUNNING") running.push(id);
    const { tone, text: said, detail } = lampOf(pulses, Date.now(), running);
    say(text, said);
    element.title = detail;
    set(element, "data-tone", tone);
  }

  const timer = setInterval(update, TICK_MS);
  effects(signal, () => {
    store.heard.value;
    update();
  });
  signal.addEventListener("abort", () => clearInterval(timer));
  return element;
}
