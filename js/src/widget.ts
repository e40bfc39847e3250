/** The entry point: puts the views around one store and one link, and takes all of it away again. */

import type { AnyModel, Render } from "@anywidget/types";
import { effect } from "@preact/signals-core";
import { h, set } from "./dom";
import { type Channel, Link } from "./link";
import { Local } from "./local";
import { othersOf } from "./others";
import { digest } from "./state";
import { hideStatic } from "./static";
import { Store } from "./store";
import { watchTheme } from "./theme";
import { announcer } from "./views/announcer";
import { detail } from "./views/detail";
import { GraphView } from "./views/graph";
import { notice } from "./views/notice";
import { toolbar } from "./views/toolbar";
import { waits } from "./views/wait";

interface Traits {
  run_id: string;
  graph_name: string;
  others: readonly string[];
}

const TICK_MS = 1000;

function render({ model, el }: { model: AnyModel<Traits>; el: HTMLElement }): () => void {
  const over = new AbortController();
  const { signal } = over;
  const store = new Store();
  const link = new Link(model as Channel, store);
  const local = new Local(store);
  const runId = model.get("run_id");
  const graphName = (): string => store.state.graph || model.get("graph_name");

  const graph = new GraphView(store, local, signal);
  const leave = (): void => {
    local.selected.value = null;
    graph.focus();
  };
  const root = h(
    "div",
    { class: "gr", role: "region", "aria-label": `Run ${model.get("graph_name")}`, "data-run": runId },
    toolbar(store, link, local, { runId, graphName, fit: () => graph.fit() }, signal),
    notice(store, link, runId, othersOf(model, signal), signal),
    waits(store, link, local, signal),
    h("div", { class: "gr-body" }, graph.element, detail(store, link, local, leave, signal)),
    announcer(store, signal),
  );
  root.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Escape" && local.selected.peek() !== null) leave();
      else if (event.key === "Enter" && event.target === root.querySelector("[role=tree]"))
        root.querySelector<HTMLElement>("[role=tab]")?.focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );

  const tellDigest = (): void => set(root, "data-digest", digest(store.state));
  root.addEventListener("graphrun:digest", tellDigest, { signal });
  const tick = (): void => {
    if (store.state.finished === null) local.now.value = Date.now() / 1000 - link.skew;
  };
  const timer = setInterval(tick, TICK_MS);
  const stops = [
    effect(() => {
      store.version.value;
      tick();
      set(root, "data-seq", store.state.seq);
      if (store.state.finished !== null) tellDigest();
      else root.removeAttribute("data-digest");
    }),
    hideStatic(store, runId),
  ];
  watchTheme((theme) => {
    root.dataset["theme"] = theme;
    graph.restyle();
  }, signal);
  el.append(root);

  return () => {
    over.abort();
    clearInterval(timer);
    for (const stop of stops) stop();
    link.close();
    root.remove();
  };
}

export default { render: render as Render<Traits> };
