/** What can be done with the selected node. */

import type { ReadonlySignal } from "@preact/signals-core";
import { h } from "../dom";
import type { Link } from "../link";
import type { Local } from "../local";
import type { Store } from "../store";
import { copyText, errorText } from "./action";
import { type Item, menu } from "./menu";

export function nodeMenu(
  store: Store,
  link: Link,
  local: Local,
  offers: ReadonlySignal<ReadonlySet<string>>,
  signal: AbortSignal,
): HTMLElement {
  const made = menu("Node actions", items, signal, h("span", { "aria-hidden": "true" }, "⋯"));
  made.button.classList.add("gr-quiet");

  function items(): readonly Item[] {
    const id = local.selected.peek();
    if (id === null) return [];
    const copy: Item = { label: "Copy node id", act: () => void copyText(id, made.element) };
    const may = link.contact.peek() === "live" && store.cursor.peek() === null && offers.peek().has("from");
    const retry: Item = { label: "Retry from here", hint: "and all below", act: () => void again(id) };
    return may ? [retry, copy] : [copy];
  }

  async function again(id: string): Promise<void> {
    const reply = await link.send({ kind: "retry", node_id: id }).reply;
    local.problem.value = reply.error === "" ? "" : `Retry from ${id}: ${errorText(reply)}`;
  }

  return made.element;
}
