/** The selected node: a tab list, in which tabs with nothing to show are faint, and the panel of one of them. */

import { signal as makeSignal } from "@preact/signals-core";
import { fill, focused, h, icon, plainButton, say, set } from "../dom";
import { effects } from "../effects";
import type { Link } from "../link";
import type { Local, Tab } from "../local";
import { detailAt } from "../past";
import { type NodeDetail, readNodeDetail } from "../protocol";
import { failedParts } from "../select";
import type { NodeState } from "../state";
import { NODE_STATUS } from "../status";
import type { Store } from "../store";
import { errorText } from "./action";
import { LogView, logLines } from "./logs";
import { overview, storyOf } from "./overview";
import { errorPanel, sourcePanel } from "./panels";
import { failedPartsPanel, lookInside } from "./parts";
import { valuePanel } from "./values";

const ASK_AFTER_MS = 100;
const EMPTY: Readonly<Record<Tab, string>> = {
  Overview: "",
  Inputs: "No inputs.",
  Outputs: "No outputs yet.",
  Logs: "Nothing was printed or logged.",
  Error: "No error.",
  Source: "The source is not known here.",
};
const TABS = Object.keys(EMPTY) as readonly Tab[];
let details = 0;

interface Shown {
  readonly id: string;
  readonly node: NodeState;
  readonly detail: NodeDetail | null;
  readonly problem: string;
}

export function detail(
  store: Store,
  link: Link,
  local: Local,
  { leave, actions }: { readonly leave: () => void; readonly actions: HTMLElement },
  signal: AbortSignal,
): HTMLElement {
  const prefix = `gr-detail-${details++}-`;
  const answer = makeSignal<{
    readonly key: string;
    readonly detail: NodeDetail | null;
    readonly problem: string;
  } | null>(null);
  const tabs = h("div", {
    class: "gr-tabs",
    role: "tablist",
    "aria-label": "Node",
    on: { keydown: (event) => arrows(event) },
  });
  const panel = h("div", { class: "gr-panel", role: "tabpanel", id: `${prefix}panel`, tabindex: 0 });
  const title = h("strong", { class: "gr-detail-name" });
  const word = h("span", { class: "gr-badge" });
  const close = plainButton(
    { class: "gr-close", "aria-label": "Close details", title: "Close (Esc)", on: { click: leave } },
    "×",
  );
  const element = h(
    "aside",
    { class: "gr-detail", hidden: true },
    h("div", { class: "gr-detail-head" }, word, title, actions, close),
    tabs,
    panel,
  );
  const logs = new LogView(panel);
  const chosenFor = makeSignal<string | null>(null);
  let drawn = "";
  let asked = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** What the kernel is asked for again whenever it may have changed. */
  const keyOf = (id: string, node: NodeState): string =>
    [id, node.status, node.attempt, node.failures, node.waits.length].join("\n");

  function ask(id: string, key: string): void {
    asked = key;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const reply = await link.send({ kind: "detail", node_id: id }).reply;
      if (asked !== key) return;
      try {
        const known = reply.error === "" && reply.data !== null ? readNodeDetail(reply.data) : null;
        answer.value = { key, detail: known, problem: errorText(reply) };
      } catch (error) {
        answer.value = { key, detail: null, problem: String(error) };
      }
    }, ASK_AFTER_MS);
  }

  function arrows(event: KeyboardEvent): void {
    const all = [...tabs.children].filter((tab) => tab instanceof HTMLElement);
    const at = all.indexOf(focused(tabs) as HTMLElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined || at < 0) return;
    const next = all[(at + step + all.length) % all.length];
    next?.click();
    next?.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  function choose(tab: Tab): void {
    chosenFor.value = local.selected.value;
    local.tab.value = tab;
  }

  fill(
    tabs,
    ...TABS.map((name) =>
      plainButton(
        {
          class: "gr-tab",
          role: "tab",
          id: prefix + name,
          "aria-controls": panel.id,
          on: { click: () => choose(name) },
        },
        name,
      ),
    ),
  );

  function drawTabs(has: Readonly<Record<Tab, boolean>>, current: Tab): void {
    TABS.forEach((name, i) => {
      const tab = tabs.children[i] as HTMLElement;
      set(tab, "data-empty", has[name] ? "false" : "true");
      set(tab, "aria-selected", name === current ? "true" : "false");
      set(tab, "tabindex", name === current ? 0 : -1);
    });
    set(panel, "aria-labelledby", prefix + current);
  }

  function content(current: Tab, isEmpty: boolean, { id, node, detail: known, problem }: Shown): HTMLElement {
    if (isEmpty) return h("p", { class: "gr-note" }, problem || EMPTY[current]);
    switch (current) {
      case "Overview":
        return overview({
          id,
          node,
          store,
          local,
          detail: known,
          problem,
          lookInside: lookInside(store, local, id, leave),
        });
      case "Inputs":
        return valuePanel(known?.inputs ?? [], { link, nodeId: id, side: "inputs" });
      case "Outputs":
        return valuePanel(known?.outputs ?? [], { link, nodeId: id, side: "outputs" });
      case "Logs":
        logs.update(logLines(known, store.lines(id)), storyOf(store, id, known).attempts);
        return logs.element;
      case "Error":
        return errorOf(id, node);
      case "Source":
        return sourcePanel(known, node.error);
    }
  }

  function errorOf(id: string, { error }: NodeState): HTMLElement {
    const failed = failedParts(store.state, id);
    if (failed.length === 0) return errorPanel(error);
    const parts = h("div", {}, failedPartsPanel(store, local, failed), lookInside(store, local, id, leave));
    return errorPanel(error, failed, parts);
  }

  effects(signal, () => {
    store.version.value;
    store.telemetry.value;
    store.progressed.value;
    const id = local.selected.value;
    const node = id === null ? undefined : store.state.nodes.get(id);
    element.hidden = node === undefined;
    if (node === undefined || id === null) {
      asked = "";
      drawn = "";
      return;
    }
    const key = keyOf(id, node);
    if (asked !== key && link.answers) ask(id, key);
    const latest = answer.value?.key.startsWith(`${id}\n`) ? answer.value : null;
    const shown: Shown = {
      id,
      node,
      detail: detailAt(store, node, latest?.detail ?? null),
      problem: latest?.problem ?? "",
    };
    const has = whatIsIn(shown, store);
    const current = has[local.tab.value] || chosenFor.value === id ? local.tab.value : "Overview";
    const row = NODE_STATUS[node.status];
    if (word.textContent !== row.word) fill(word, icon(node.status), row.word);
    set(word, "data-tone", row.colour);
    say(title, node.info.name);
    title.title = id;
    drawTabs(has, current);
    const next = [
      key,
      current,
      has[current],
      latest?.key ?? "",
      current === "Logs" ? store.telemetry.value : 0,
      store.cursor.value ?? "",
      failedParts(store.state, id).join("\n"),
      local.inside.value,
      current === "Overview" ? local.now.value : 0,
      current === "Overview" ? store.progressed.value : 0,
    ].join("\n");
    if (next === drawn) return;
    const sameView = drawn.startsWith(`${id}\n`) && panel.dataset["tab"] === current;
    const top = panel.scrollTop;
    drawn = next;
    panel.dataset["tab"] = current;
    replace(panel, content(current, !has[current], shown));
    if (current === "Logs") logs.shown();
    else if (sameView) panel.scrollTop = top;
    else panel.scrollTop = topOfFailing(panel);
  });
  signal.addEventListener("abort", () => clearTimeout(timer));
  return element;
}

/** Puts `content` into the panel; whoever had the focus at the same place in it keeps it. */
function replace(panel: HTMLElement, content: HTMLElement): void {
  if (panel.firstElementChild === content) return;
  const focusable = "a, button, select, summary, [tabindex]";
  const at = [...panel.querySelectorAll(focusable)].indexOf(focused(panel) as HTMLElement);
  fill(panel, content);
  if (at >= 0) panel.querySelectorAll<HTMLElement>(focusable)[at]?.focus({ preventScroll: true });
}

/** How far the panel is to be scrolled so that the line that failed is in its middle. */
function topOfFailing(panel: HTMLElement): number {
  const line = panel.querySelector<HTMLElement>(".gr-source .gr-bad");
  if (line === null) return 0;
  const within = line.getBoundingClientRect().top - panel.getBoundingClientRect().top;
  return Math.max(within - panel.clientHeight / 2, 0);
}

function whatIsIn({ id, node, detail: known }: Shown, store: Store): Readonly<Record<Tab, boolean>> {
  return {
    Overview: true,
    Inputs: (known?.inputs.length ?? 0) > 0,
    Outputs: (known?.outputs.length ?? 0) > 0,
    Logs: logLines(known, store.lines(id)).length > 0,
    Error: node.error !== null,
    Source: known !== null && known.source !== "",
  };
}
