/** Keeps the mirror's elements over what they stand for, but not in every frame: moving them costs more than the picture. */

import type { Viewport } from "../viewport";
import { MAX_ITEMS, type Mirror, type MirrorScene } from "./mirror";

const AT_REST_MS = 100;
/** So often at most it is put off while the view moves on. */
const MOST_PUT_OFF = 30;

export interface Reflected extends MirrorScene {
  readonly viewport: Viewport;
}

export class Reflection {
  #at: Viewport | null = null;
  #stale = true;
  #putOff = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly mirror: Mirror,
    private readonly scene: () => Reflected,
    signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** What the elements say is no longer so. */
  spoil(): void {
    this.#stale = true;
  }

  /** The node that was hit: where elements lag behind, what is drawn `under` the pointer, and without that the element. */
  hit(target: EventTarget | null, viewport: Viewport, under: () => number | null): number | null {
    const element = this.mirror.nodeOf(target);
    return element !== null && this.#at?.equals(viewport) ? element : (under() ?? element);
  }

  /** After a frame was drawn. At rest, and with few nodes, what has changed is told in that frame. */
  follow(viewport: Viewport, gliding: boolean, nNodes: number): void {
    const moves = gliding || this.#at === null || !viewport.equals(this.#at);
    if (moves || (this.#stale && nNodes > MAX_ITEMS)) this.#soon();
    else if (this.#stale) this.#update();
  }

  #soon(): void {
    if (this.#timer !== undefined && ++this.#putOff > MOST_PUT_OFF) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#update(), AT_REST_MS);
  }

  #update(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#putOff = 0;
    this.#stale = false;
    const scene = this.scene();
    this.mirror.move(scene.viewport);
    this.mirror.update(scene);
    this.#at = scene.viewport;
  }
}
