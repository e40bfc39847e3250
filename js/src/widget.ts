/** The whole inspector: puts the views around one store and one link, and takes all of it away again. */

import { effect, signal as makeSignal, type ReadonlySignal } from "@preact/signals-core";
import { h, set } from "./dom";
import type { HostKernel } from "./host";
import { type Channel, Link } from "./link";
import { Local } from "./local";
import type { Replay } from "./replay";
import { digest } from "./state";
import { hideStatic } from "./static";
import { Store } from "./store";
import { watchTheme } from "./theme";
import type { Again } from "./views/again";
import { announcer } from "./views/announcer";
import { crumbs } from "./views/crumbs";
import { detail } from "./views/detail";
import { GraphView } from "./views/graph";
import { grip } from "./views/grip";
import { help } from "./views/help";
import { nodeMenu } from "./views/node_menu";
import { notice } from "./views/notice";
import { scrubber } from "./views/scrubber";
import { search } from "./views/search";
import { timeline } from "./views/timeline";
import { toolbar } from "./views/toolbar";
import { trouble } from "./views/trouble";
import { type Controls, waits } from "./views/wait";

/** A run, and who tells of it. */
export interface Source {
  readonly channel: Channel;
  readonly runId: string;
  readonly graph: string;
  readonly others: ReadonlySignal<readonly string[]>;
  /** The runs that this view has shown, oldest first, if there are more than this one. */
  readonly runs: ReadonlySignal<readonly string[]>;
  /** What can be done with the run without being refused. */
  readonly offers: ReadonlySignal<ReadonlySet<string>>;
  /** The other process that drives the run, empty if none does; null if it is the kernel's own run. */
  readonly driver: ReadonlySignal<string | null>;
  /** What the host says of the kernel just now. */
  host(): HostKernel;
  /** What a saved notebook or page has of the run; null where there is nothing, or not yet. */
  readonly replay: ReadonlySignal<Replay | null>;
}

/** What changes a run from its view; a page that plays a recording has none of it. */
export interface Acting {
  readonly controls: Controls;
  again(link: Link, local: Local): Again;
}

const TICK_MS = 1000;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** Shows a run in `el`; returns what takes it away. */
export function mount(source: Source, el: HTMLElement, acting?: Acting): () => void {
  const { channel, runId, graph: given, others, runs, offers, driver, replay, host } = source;
  const over = new AbortController();
  const { signal } = over;
  const store = new Store();
  const link = new Link(channel, store);
  const local = new Local(store);
  const kernel = makeSignal(host());
  const graphName = (): string => store.live.graph || given;

  const graph = new GraphView(store, local, (inside) => void link.send({ kind: "place", inside }), signal);
  const attempts = timeline(store, local, signal);
  const time = scrubber(store, link, local, offers, attempts.button, signal);
  const leave = (): void => {
    local.selected.value = null;
    graph.focus();
  };
  const keysCard = help(() => graph.focus(), signal);
  const again = acting?.again(link, local);
  const actions = nodeMenu(store, link, local, offers, signal);
  const finder = search(local, () => graph.focus(), signal);
  const canvas = h(
    "div",
    { class: "gr-graph" },
    graph.element,
    graph.minimap,
    crumbs(store, local, graphName, signal),
    finder.element,
    keysCard.element,
  );
  const asks = waits(store, link, local, acting?.controls, signal);
  const answer = (): boolean => {
    const first = asks.querySelector<HTMLElement>(".gr-ask :is(button, input, select, textarea)");
    first?.focus();
    return first !== null;
  };
  const root: HTMLElement = h(
    "div",
    { class: "gr", role: "region", "aria-label": `Run ${given}`, "data-run": runId },
    toolbar(
      store,
      link,
      local,
      {
        runId,
        graphName,
        fit: () => graph.fit(),
        offers,
        runs,
        driver,
        again: (opener) => void again?.open(opener),
        finder: finder.button,
        keys: keysCard,
      },
      signal,
    ),
    notice(store, link, { runId, others, driver, kernel }, signal),
    again?.element ?? null,
    trouble(store, local, signal),
    asks,
    h("div", { class: "gr-body" }, canvas, detail(store, link, local, { leave, actions }, signal)),
    attempts.element,
    time.element,
    grip(() => root, signal),
    announcer(store, signal),
  );
  root.addEventListener(
    "keydown",
    (event) => {
      const isCommand = !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (event.key === "Escape" && local.selected.peek() !== null) leave();
      else if (event.key === "Enter" && event.target === root.querySelector("[role=tree]"))
        root.querySelector<HTMLElement>("[role=tab]")?.focus();
      else if (event.key === "/" && isCommand) finder.open();
      else if (event.key === "?" && isCommand) keysCard.toggle();
      else if (event.key !== "a" || !isCommand || !answer()) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );

  const tellDigest = (): void => set(root, "data-digest", digest(store.live));
  root.addEventListener("graphrun:digest", tellDigest, { signal });
  const tick = (): void => {
    kernel.value = host();
    const { instant } = store;
    const saved = link.contact.value === "saved" ? replay.peek() : null;
    if (instant !== null) local.now.value = instant;
    else if (saved !== null) local.now.value = saved.recording.saved_at;
    else if (driver.value === "") local.now.value = store.latest;
    else if (store.live.finished === null && link.contact.value !== "lost")
      local.now.value = Date.now() / 1000 - link.skew;
  };
  const timer = setInterval(tick, TICK_MS);
  const stops = [
    effect(() => {
      store.version.value;
      link.contact.value;
      tick();
    }),
    effect(() => {
      store.heard.value;
      set(root, "data-seq", store.live.seq);
      if (store.live.finished !== null) tellDigest();
      else root.removeAttribute("data-digest");
    }),
    effect(() => {
      const gone = kernel.value === "none" || kernel.value === "dead";
      if (gone && link.contact.value === "live") link.lose(); // a kernel that is shut down closes no comms
    }),
    effect(() => {
      if (replay.value !== null) link.adopt(replay.value);
    }),
    hideStatic(store, runId),
  ];
  watchTheme((theme) => {
    root.dataset["theme"] = theme;
    graph.restyle();
    attempts.restyle();
    time.restyle();
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
