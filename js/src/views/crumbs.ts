/** Where in the run one looks: the containers around what is drawn, each a way back out. */

import { effect } from "@preact/signals-core";
import { fill, h, set } from "../dom";
import type { Local } from "../local";
import { around } from "../topology";

export function crumbs(local: Local, graphName: () => string, signal: AbortSignal): HTMLElement {
  const list = h("ol", { class: "gr-crumbs-list" });
  const element = h("nav", { class: "gr-crumbs", "aria-label": "Inside", hidden: true }, list);
  const crumb = (label: string, isLast: boolean, act: () => void): HTMLElement => {
    const button = h("button", { type: "button", class: "gr-crumb", title: label, on: { click: act } }, label);
    set(button, "aria-current", isLast ? "location" : null);
    return h("li", {}, button);
  };
  let drawn = "";

  const stop = effect(() => {
    const topology = local.topology.value;
    const { inside, ids, index } = topology;
    const at = index.get(inside);
    element.hidden = at === undefined;
    const path = at === undefined ? [] : [...around(topology, at), at].map((i) => ids[i] ?? "");
    const next = JSON.stringify([graphName(), ...path]);
    if (next === drawn) return;
    drawn = next;
    fill(
      list,
      crumb(graphName(), false, () => local.enter("")),
      ...path.map((id) => {
        const short = id.slice(id.lastIndexOf("/") + 1);
        return id === inside ? crumb(short, true, () => local.select(id)) : crumb(short, false, () => local.enter(id));
      }),
    );
  });
  signal.addEventListener("abort", stop);
  return element;
}
