/** What only this view knows: where one is looking, what is selected and what is searched for. Nothing of it travels. */

import { computed, signal } from "@preact/signals-core";
import { groupId } from "./groups";
import { testOf } from "./query";
import type { Store } from "./store";
import { type Topology, topologyOf } from "./topology";

export type Tab = "Overview" | "Inputs" | "Outputs" | "Logs" | "Error" | "Source";

export class Local {
  readonly selected = signal<string | null>(null);
  readonly hovered = signal<number | null>(null);
  readonly tab = signal<Tab>("Overview");
  /** The kernel's time in Unix seconds; ticks once a second while anything moves. */
  readonly now = signal(0);
  readonly query = signal("");
  /** The nodes of the critical path, in order, as long as one asks for it. */
  readonly critical = signal<readonly string[] | null>(null);
  /** What an action could not do, and why; or empty. */
  readonly problem = signal("");
  /** The container that one has chosen to look into; empty for the run as a whole, null as long as none was chosen. */
  readonly #chosen = signal<string | null>(null);
  /** The container whose parts are drawn: a run that is nothing but one body is shown from inside. */
  readonly inside = computed(() => {
    const chosen = this.#chosen.value;
    this.store.topology.value;
    return chosen !== null && (chosen === "" || this.store.state.nodes.has(chosen)) ? chosen : this.home();
  });
  /** The groups that are shown as one card. */
  readonly #closed = signal<ReadonlySet<string>>(new Set());
  readonly topology = computed<Topology>(() => {
    this.store.topology.value;
    return topologyOf(this.store.state, this.inside.value, this.#closed.value);
  });
  /** The nodes that fit the query, in order of definition; null without one. */
  readonly matches = computed<readonly number[] | null>(() => {
    const fits = testOf(this.query.value);
    this.store.version.value;
    if (fits === null) return null;
    return [...this.store.state.nodes.values()].flatMap((node, i) => (fits(node) ? [i] : []));
  });
  /** The person has chosen where to look: from then on nothing moves the view by itself. */
  steered = false;
  /** What is being selected was not in front of the person's eyes. */
  seeking = false;

  constructor(private readonly store: Store) {}

  /** Selects a node, and looks to where it is drawn; a body that one looks into may be selected from inside. */
  select(id: string | null): void {
    const node = id === null ? undefined : this.store.state.nodes.get(id);
    const inside = this.inside.peek();
    const home = this.home();
    if (node !== undefined && id !== inside && node.info.parent !== inside)
      this.#chosen.value = id === home ? home : node.info.parent;
    if (node !== undefined) this.#setClosed(groupId(node.info.parent, node.info.group), false);
    this.selected.value = id;
  }

  /** Opens a closed group, and closes an open one; where the selection was, there is one afterwards. */
  toggle(group: string): void {
    const { index, ids, parent, parts } = this.topology.peek();
    const isClosed = this.#closed.peek().has(group);
    const selected = this.selected.peek();
    const around = ids[parent[index.get(selected ?? "") ?? -1] ?? -1];
    this.#setClosed(group, !isClosed);
    if (isClosed && selected === group) this.selected.value = ids[parts.get(index.get(group) ?? -1)?.[0] ?? -1] ?? null;
    else if (!isClosed && around === group) this.selected.value = group;
  }

  #setClosed(group: string, isClosed: boolean): void {
    const closed = this.#closed.peek();
    if (closed.has(group) === isClosed) return;
    const next = new Set(closed);
    if (isClosed) next.add(group);
    else next.delete(group);
    this.#closed.value = next;
  }

  /** Selects a node that may be anywhere, and goes near enough to read it. */
  find(id: string | null): void {
    this.seeking = true;
    this.select(id);
    this.seeking = false;
  }

  /** Looks into a container. */
  enter(id: string): void {
    this.selected.value = null;
    this.#chosen.value = id;
  }

  /** Looks at what the container is a part of, with the container selected. */
  leave(): void {
    const inside = this.inside.peek();
    const node = this.store.state.nodes.get(inside);
    if (node === undefined || inside === this.home()) return;
    this.#chosen.value = node.info.parent;
    this.selected.value = inside;
  }

  /** The body that is all there is to a run, or empty: its first call comes right after it. */
  home(): string {
    const [first, second] = this.store.state.nodes.values();
    const isBody = first !== undefined && first.info.kind === "body" && second?.info.parent === first.info.node_id;
    return isBody ? first.info.node_id : "";
  }
}
