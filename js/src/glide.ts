/** Where the nodes are while they move from one placement to another. */

import { eased } from "./camera";
import { between, type Placement } from "./placement";
import { prefersStillness } from "./theme";

const GLIDE_MS = 420;

export class Glide {
  #from: Placement;
  #start = Number.NEGATIVE_INFINITY;

  /** `target`: where the nodes are, or are going to. */
  constructor(public target: Placement) {
    this.#from = target;
  }

  at(now: number): Placement {
    return this.moving(now) ? between(this.#from, this.target, eased((now - this.#start) / GLIDE_MS)) : this.target;
  }

  moving(now: number): boolean {
    return now - this.#start < GLIDE_MS;
  }

  jump(to: Placement): void {
    this.target = to;
    this.#start = Number.NEGATIVE_INFINITY;
  }

  go(to: Placement, now: number): void {
    if (prefersStillness()) {
      this.jump(to);
      return;
    }
    this.#from = this.at(now);
    this.target = to;
    this.#start = now;
  }
}
