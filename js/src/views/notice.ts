/** One line between header and graph, when the kernel cannot be reached as usual. */

import { effect } from "@preact/signals-core";
import { fill, h } from "../dom";
import type { Link } from "../link";
import type { Store } from "../store";
import { copyButton, PHASE_WORDS } from "./action";

export function notice(store: Store, link: Link, runId: string, signal: AbortSignal): HTMLElement {
  const element = h("div", { class: "gr-notice", hidden: true });
  let shown = "";
  const show = (kind: "" | "lost" | "busy" | "trouble"): void => {
    if (kind === shown) return;
    shown = kind;
    element.hidden = kind === "";
    element.dataset["kind"] = kind;
    const attach = `%graphrun attach ${runId}`;
    if (kind === "lost") {
      const command = copyButton(`Copy ${attach}`, () => attach, h("code", {}, attach));
      fill(element, "The kernel is gone. This is the run as it was last seen; to go on with it:", " ", command);
    } else if (kind === "busy") {
      fill(element, `${PHASE_WORDS.busy}.`);
    } else if (kind === "trouble") {
      fill(element, h("span", { role: "alert" }, `This view cannot follow the run: ${link.trouble.value}`));
    }
  };
  const stop = effect(() => {
    store.version.value;
    const lost = link.contact.value === "lost" && store.state.finished === null;
    show(link.trouble.value !== "" ? "trouble" : lost ? "lost" : link.slow.value > 0 ? "busy" : "");
  });
  signal.addEventListener("abort", stop);
  return element;
}
