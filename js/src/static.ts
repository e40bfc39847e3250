/** Hides the still picture of a run while its live view stands beside it. */

import { effect } from "@preact/signals-core";
import type { Store } from "./store";

/** Returns what brings the picture back. */
export function hideStatic(store: Store, runId: string): () => void {
  const picture = `[data-graphrun-static=${JSON.stringify(runId)}]`;
  // The wrapper as well: an empty output of JupyterLab still has its padding.
  const sheet = new CSSStyleSheet(); // no element: a page's policy may forbid those
  sheet.replaceSync(`${picture}, .jp-OutputArea-child:has(${picture}) { display: none !important; }`);
  const put = (isThere: boolean): void => {
    const others = document.adoptedStyleSheets.filter((each) => each !== sheet);
    document.adoptedStyleSheets = isThere ? [...others, sheet] : others;
  };
  const stop = effect(() => {
    store.heard.value;
    put(store.live.seq > 0);
  });
  return () => {
    stop();
    put(false);
  };
}
