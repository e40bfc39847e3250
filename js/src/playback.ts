/** Plays a run's history back: moves the cursor as time went by, faster or slower. */

import { signal } from "@preact/signals-core";
import { playedOn } from "./moments";
import type { Store } from "./store";
import { prefersStillness } from "./theme";

const FRAME_MS = 50;
const STILL_MS = 1000;

export class Playback {
  readonly playing = signal(false);
  speed = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = { seq: 0, instant: 0 };
  #since = 0;

  constructor(private readonly store: Store) {}

  /** From where the cursor is, or from the beginning. */
  toggle(): void {
    if (this.playing.peek()) {
      this.stop();
      return;
    }
    const { history, cursor } = this.store;
    this.store.show(cursor.peek() ?? history.forgotten + 1);
    const { instant } = this.store;
    if (instant === null) return;
    this.#at = { seq: this.store.state.seq, instant };
    this.#since = Date.now();
    this.playing.value = true;
    this.#later();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.playing.value = false;
  }

  #later(): void {
    this.#timer = setTimeout(() => this.#move(), prefersStillness() ? STILL_MS : FRAME_MS);
  }

  #move(): void {
    const now = Date.now();
    const before = this.#at.seq;
    this.#at = playedOn(this.store.history, this.#at, (now - this.#since) / 1000, this.speed);
    this.#since = now;
    if (this.#at.seq > before) this.store.show(this.#at.seq);
    if (this.store.cursor.peek() === null) this.stop();
    else this.#later();
  }
}
