/** The counts strip: how many nodes are in each status; each count is also a filter for the graph. */

import { fill, focused, h, plainButton, set } from "../dom";
import { effects } from "../effects";
import type { Local } from "../local";
import { statusesIn, toggled } from "../query";
import { counts } from "../select";
import { NODE_STATUS, type NodeStatus } from "../status";
import type { Store } from "../store";

export function countsStrip(store: Store, local: Local, signal: AbortSignal): HTMLElement {
  const element = h("span", { class: "gr-counts", role: "status", "aria-live": "off" });
  const buttons = new Map<NodeStatus, HTMLButtonElement>();
  let drawn = "";

  function buttonOf(status: NodeStatus): HTMLButtonElement {
    let button = buttons.get(status);
    if (button === undefined) {
      const { word, colour } = NODE_STATUS[status];
      button = plainButton({
        class: "gr-count",
        "data-tone": colour,
        title: `Show the ${word} nodes, dim the others`,
        on: { click: () => (local.query.value = toggled(local.query.peek(), word)) },
      });
      buttons.set(status, button);
    }
    return button;
  }

  effects(signal, () => {
    store.version.value;
    const numbers = counts(store.state);
    const named = statusesIn(local.query.value);
    for (const { status, n } of numbers) {
      const button = buttonOf(status);
      const { word } = NODE_STATUS[status];
      button.textContent = `${n} ${word}`;
      set(button, "aria-pressed", named.includes(word) ? "true" : "false");
    }
    const next = numbers.map(({ status }) => status).join();
    if (next === drawn) return;
    drawn = next;
    const within = focused(element);
    const held = element.contains(within) ? (within as HTMLElement) : null;
    fill(element, ...numbers.flatMap(({ status }, i) => (i === 0 ? [buttonOf(status)] : [" · ", buttonOf(status)])));
    held?.focus();
  });
  return element;
}
