/** Where in the run one looks: the containers around what is drawn, each a way back out. */

import { fill, h, icon, plainButton, set } from "../dom";
import { effects } from "../effects";
import type { Local } from "../local";
import type { NodeStatus } from "../status";
import type { Store } from "../store";
import { around } from "../topology";

export function crumbs(store: Store, local: Local, graphName: () => string, signal: AbortSignal): HTMLElement {
  const list = h("ol", { class: "gr-crumbs-list" });
  const element = h("nav", { class: "gr-crumbs", "aria-label": "Inside", hidden: true }, list);
  const crumb = (label: string, status: NodeStatus | null, isLast: boolean, act: () => void): HTMLElement => {
    const sign = status === null ? null : icon(status);
    const text = h("span", { class: "gr-crumb-text" }, label);
    const button = plainButton({ class: "gr-crumb", title: label, on: { click: act } }, sign, text);
    set(button, "aria-current", isLast ? "location" : null);
    return h("li", {}, button);
  };
  let drawn = "";

  effects(signal, () => {
    store.version.value;
    const topology = local.topology.value;
    const { inside, ids, index } = topology;
    const at = index.get(inside);
    element.hidden = at === undefined;
    const path = at === undefined ? [] : [...around(topology, at), at].map((i) => ids[i] ?? "");
    const statuses = path.map((id) => store.state.nodes.get(id)?.status ?? null);
    // A body is the whole of its run: the way out of it leads nowhere else.
    const top = path[0] === local.home() ? null : graphName();
    const next = JSON.stringify([top, path, statuses]);
    if (next === drawn) return;
    drawn = next;
    fill(
      list,
      top === null ? null : crumb(top, null, false, () => local.enter("")),
      ...path.map((id, i) => {
        const [short, status] = [id.slice(id.lastIndexOf("/") + 1), statuses[i] ?? null];
        return id === inside
          ? crumb(short, status, true, () => local.select(id))
          : crumb(short, status, false, () => local.enter(id));
      }),
    );
  });
  return element;
}
