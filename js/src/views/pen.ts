/** Draws in the graph's own directions, along the ranks and across them, whichever way they lie on the screen. */

import { cardSize, type Placement } from "../placement";
import type { Edge } from "../topology";
import type { Viewport } from "../viewport";

const ARROW_FROM = 0.4;
/** Below this scale curves are not told from lines. */
export const STRAIGHT_BELOW = 0.2;

export class Pen {
  readonly #k: number;
  readonly #down: boolean;
  readonly #along: Float64Array;
  readonly #across: Float64Array;
  readonly #left: number;
  readonly #top: number;
  /** Half of a card's length along the ranks, px. */
  readonly #half: number;

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly placement: Placement,
    { k, x, y }: Viewport,
  ) {
    this.#k = k;
    this.#down = placement.direction === "down";
    const { width, height } = cardSize(k);
    [this.#along, this.#across] = this.#down ? [placement.y, placement.x] : [placement.x, placement.y];
    [this.#left, this.#top] = this.#down ? [y, x] : [x, y];
    this.#half = ((this.#down ? height : width) / 2) * k;
  }

  get hasArrows(): boolean {
    return this.#k >= ARROW_FROM;
  }

  /** Level past the ranks, curved in the channels between them. */
  trace(edge: Edge): void {
    const k = this.#k;
    let along = this.#alongOf(edge.from) + this.#half;
    let across = this.#acrossOf(edge.from);
    const to = this.#alongOf(edge.to) - this.#half;
    const end = to - (this.hasArrows ? 5 * k : 0);
    this.#move(along, across);
    const bends = this.placement.bends.get(edge);
    if (bends !== undefined) {
      for (let i = 0; i < bends.length; i++) {
        const [at, level] = this.#bend(bends, i);
        const next = i + 1 < bends.length ? this.#bend(bends, i + 1)[0] : end;
        const before = this.#level(at - along);
        const beyond = this.#level(next - at);
        this.#curve(along, across, at - before, level);
        this.#line(at + beyond, level);
        [along, across] = [at + beyond, level];
      }
    }
    this.#curve(along, across, end, this.#acrossOf(edge.to));
    if (this.hasArrows) this.#line(to - 2 * k, this.#acrossOf(edge.to));
  }

  arrow(edge: Edge): void {
    const size = Math.max(6 * this.#k, 3.5);
    const along = this.#alongOf(edge.to) - this.#half - 1;
    const across = this.#acrossOf(edge.to);
    this.#move(along, across);
    this.#line(along - size, across - size * 0.55);
    this.#line(along - size, across + size * 0.55);
    this.context.closePath();
  }

  #alongOf(node: number): number {
    return (this.#along[node] ?? 0) * this.#k + this.#left;
  }

  #acrossOf(node: number): number {
    return (this.#across[node] ?? 0) * this.#k + this.#top;
  }

  #bend(bends: readonly { readonly x: number; readonly y: number }[], i: number): readonly [number, number] {
    const { x = 0, y = 0 } = bends[i] ?? {};
    const [along, across] = this.#down ? [y, x] : [x, y];
    return [along * this.#k + this.#left, across * this.#k + this.#top];
  }

  /** How far an edge runs level beside a bend: past the cards of that rank, as long as room is left for the curve. */
  #level(room: number): number {
    return Math.max(Math.min(this.#half, room - Math.min(44 * this.#k, room * 0.6)), 0);
  }

  #curve(along: number, across: number, toAlong: number, toAcross: number): void {
    if (this.#k < STRAIGHT_BELOW || Math.abs(toAcross - across) < 0.5) {
      this.#line(toAlong, toAcross);
      return;
    }
    const bow = Math.max(Math.abs(toAlong - along) / 2, 18 * this.#k);
    if (this.#down) this.context.bezierCurveTo(across, along + bow, toAcross, toAlong - bow, toAcross, toAlong);
    else this.context.bezierCurveTo(along + bow, across, toAlong - bow, toAcross, toAlong, toAcross);
  }

  #move(along: number, across: number): void {
    if (this.#down) this.context.moveTo(across, along);
    else this.context.moveTo(along, across);
  }

  #line(along: number, across: number): void {
    if (this.#down) this.context.lineTo(across, along);
    else this.context.lineTo(along, across);
  }
}
