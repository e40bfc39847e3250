/** Tells screen readers how the run stands, in whole sentences and not too often. */

import { effect } from "@preact/signals-core";
import { h, say } from "../dom";
import { headline } from "../select";
import type { Store } from "../store";

const AT_MOST_EVERY_MS = 3000;

export function announcer(store: Store, signal: AbortSignal): HTMLElement {
  const element = h("div", { class: "gr-unseen", "aria-live": "polite" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    store.heard.value;
    timer ??= setTimeout(() => {
      timer = undefined;
      if (store.live.seq > 0) say(element, headline(store.live));
    }, AT_MOST_EVERY_MS);
  });
  signal.addEventListener("abort", () => {
    stop();
    clearTimeout(timer);
  });
  return element;
}
