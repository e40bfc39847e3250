/** Tells screen readers how the run stands, in whole sentences and not too often. */

import { h, say } from "../dom";
import { effects } from "../effects";
import { headline } from "../select";
import type { Store } from "../store";

const AT_MOST_EVERY_MS = 3000;

export function announcer(store: Store, signal: AbortSignal): HTMLElement {
  const element = h("div", { class: "gr-unseen", "aria-live": "polite" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  effects(signal, () => {
    store.heard.value;
    timer ??= setTimeout(() => {
      timer = undefined;
      if (store.live.seq > 0) say(element, headline(store.live));
    }, AT_MOST_EVERY_MS);
  });
  signal.addEventListener("abort", () => clearTimeout(timer));
  return element;
}
