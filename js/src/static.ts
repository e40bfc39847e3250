/** Hides the still picture of a run while its live view stands beside it. */

import { effect } from "@preact/signals-core";
import { h } from "./dom";
import type { Store } from "./store";

/** Returns what brings the picture back. */
export function hideStatic(store: Store, runId: string): () => void {
  const picture = `[data-graphrun-static=${JSON.stringify(runId)}]`;
  // The wrapper as well: an empty output of JupyterLab still has its padding.
  const style = h("style", {}, `${picture}, .jp-OutputArea-child:has(${picture}) { display: none !important; }`);
  const stop = effect(() => {
    store.heard.value;
    if (store.live.seq === 0) style.remove();
    else if (!style.isConnected) document.head.append(style);
  });
  return () => {
    stop();
    style.remove();
  };
}
