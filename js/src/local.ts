/** What only this view knows: where one is looking and what is selected. Nothing of it travels. */

import { computed, signal } from "@preact/signals-core";
import type { Store } from "./store";
import type { Topology } from "./topology";
import { topologyOf } from "./topology";

export type Tab = "Overview" | "Inputs" | "Outputs" | "Logs" | "Error" | "Source";

export class Local {
  readonly selected = signal<string | null>(null);
  readonly hovered = signal<number | null>(null);
  readonly tab = signal<Tab>("Overview");
  /** The kernel's time in Unix seconds; ticks once a second while anything moves. */
  readonly now = signal(0);
  readonly topology;
  /** The person has chosen where to look: from then on nothing moves the view by itself. */
  steered = false;

  constructor(store: Store) {
    this.topology = computed<Topology>(() => {
      store.topology.value;
      return topologyOf(store.state);
    });
  }

  select(id: string | null): void {
    this.selected.value = id;
  }
}
