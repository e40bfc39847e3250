/** The viewport over time: it glides where motion is welcome and jumps where it is not. */

import { prefersStillness } from "./theme";
import { Viewport } from "./viewport";

const GLIDE_MS = 320;

export function eased(t: number): number {
  return t >= 1 ? 1 : 1 - (1 - t) ** 3;
}

export class Camera {
  #from = new Viewport(1, 0, 0);
  #to = new Viewport(1, 0, 0);
  #start = Number.NEGATIVE_INFINITY;

  /** Where the camera is, or is going to. */
  get target(): Viewport {
    return this.#to;
  }

  at(now: number): Viewport {
    return this.moving(now) ? this.#from.towards(this.#to, eased((now - this.#start) / GLIDE_MS)) : this.#to;
  }

  moving(now: number): boolean {
    return now - this.#start < GLIDE_MS;
  }

  jump(to: Viewport): void {
    this.#to = to;
    this.#start = Number.NEGATIVE_INFINITY;
  }

  glide(to: Viewport, now: number): void {
    if (prefersStillness()) {
      this.jump(to);
      return;
    }
    this.#from = this.at(now);
    this.#to = to;
    this.#start = now;
  }
}
