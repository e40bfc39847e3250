/** Finds what lies in a part of the world without looking at everything. */

import { CARD_HEIGHT, CARD_WIDTH, type Placement } from "./placement";
import type { Box, Point } from "./viewport";

const CELL = 512;

export class Buckets {
  readonly #cells = new Map<string, number[]>();

  constructor(
    private readonly placement: Placement,
    members: readonly number[],
  ) {
    for (const i of members) {
      const key = cell(placement.x[i] ?? 0, placement.y[i] ?? 0);
      const known = this.#cells.get(key);
      if (known === undefined) this.#cells.set(key, [i]);
      else known.push(i);
    }
  }

  /** The nodes whose cards touch `box`, in no order. */
  within(box: Box): number[] {
    const left = box.x - CARD_WIDTH / 2;
    const right = box.x + box.width + CARD_WIDTH / 2;
    const top = box.y - CARD_HEIGHT / 2;
    const bottom = box.y + box.height + CARD_HEIGHT / 2;
    const found: number[] = [];
    for (let column = Math.floor(left / CELL); column <= Math.floor(right / CELL); column++) {
      for (let row = Math.floor(top / CELL); row <= Math.floor(bottom / CELL); row++) {
        for (const i of this.#cells.get(`${column} ${row}`) ?? []) {
          const x = this.placement.x[i] ?? 0;
          const y = this.placement.y[i] ?? 0;
          if (x >= left && x <= right && y >= top && y <= bottom) found.push(i);
        }
      }
    }
    return found;
  }

  at(point: Point): number | null {
    return this.within({ ...point, width: 0, height: 0 }).at(-1) ?? null;
  }
}

function cell(x: number, y: number): string {
  return `${Math.floor(x / CELL)} ${Math.floor(y / CELL)}`;
}
