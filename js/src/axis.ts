/** A stretch of time laid over a width in px. Immutable. */

import { clamp } from "./viewport";

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
const MIN_SPAN = 1e-3;
const BREAK_PX = 14;

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

type Knot = readonly [at: number, x: number];

/** Time in proportion, but for gaps, which are cut down to a mark. Between `from` and `to` there is one x for each instant. */
export class Axis {
  /** The gaps in view. */
  readonly breaks: readonly Stretch[];
  /** Px a second, outside of gaps. */
  readonly scale: number;
  /** Instants and their px; in between, and beyond, all is in proportion. */
  readonly #knots: Knot[];

  constructor(
    readonly from: number,
    readonly to: number,
    readonly width: number,
    gaps: readonly Stretch[] = [],
  ) {
    this.breaks = gaps
      .map((gap) => ({ from: Math.max(gap.from, from), to: Math.min(gap.to, to) }))
      .filter((gap) => gap.to > gap.from && gap.to - gap.from < to - from);
    const n = this.breaks.length;
    const px = Math.min(BREAK_PX, width / 2 / (n + 1));
    const kept = this.breaks.reduce((left, gap) => left - (gap.to - gap.from), to - from);
    this.scale = (width - px * n) / Math.max(kept, MIN_SPAN);
    let [at, x] = [from - 1, -this.scale];
    this.#knots = [[at, x]];
    for (const gap of [...this.breaks, { from: to + 1, to: to + 1 }]) {
      x += (gap.from - at) * this.scale;
      this.#knots.push([gap.from, x], [gap.to, x + px]);
      [at, x] = [gap.to, x + px];
    }
  }

  x(at: number): number {
    return this.#map(at, 0, 1);
  }

  at(x: number): number {
    return this.#map(x, 1, 0);
  }

  #map(value: number, a: 0 | 1, b: 0 | 1): number {
    const knots = this.#knots;
    let i = 1;
    while (i < knots.length - 2 && value >= (knots[i] as Knot)[a]) i++;
    const [p, q] = [knots[i - 1] as Knot, knots[i] as Knot];
    return p[b] + ((value - p[a]) / (q[a] - p[a])) * (q[b] - p[b]);
  }

  /** Seconds since `zero` at which to draw a line, at least `px` apart but for gaps, in which there is none. */
  ticks(zero: number, px: number): readonly number[] {
    const step = niceStep(px / this.scale);
    const ticks: number[] = [];
    let { from } = this;
    for (const gap of [...this.breaks, { from: this.to, to: this.to }]) {
      for (let tick = Math.ceil((from - zero) / step); zero + tick * step <= gap.from; tick++) ticks.push(tick * step);
      from = gap.to;
    }
    return ticks;
  }
}

/** The first good step that is no smaller than `seconds`. */
function niceStep(seconds: number): number {
  if (seconds > 0.5) return STEPS_S.find((step) => step >= seconds) ?? Math.ceil(seconds / 86_400) * 86_400;
  const power = 10 ** Math.floor(Math.log10(seconds));
  return power * ([1, 2, 5].find((each) => each * power >= seconds) ?? 10);
}

/** `part` enlarged (below 1) or narrowed around `at`, inside `whole`; null if that is all of it. */
export function zoomed(whole: Stretch, part: Stretch, at: number, factor: number): Stretch | null {
  const span = Math.max((part.to - part.from) / factor, MIN_SPAN);
  if (span >= whole.to - whole.from) return null;
  const share = (at - part.from) / Math.max(part.to - part.from, MIN_SPAN);
  return moved(whole, { from: at - share * span, to: at + (1 - share) * span }, 0);
}

/** `part` moved by `by`, as far as `whole` goes. */
export function moved(whole: Stretch, part: Stretch, by: number): Stretch {
  const span = part.to - part.from;
  const from = clamp(part.from + by, whole.from, Math.max(whole.to - span, whole.from));
  return { from, to: from + span };
}

/** `4 s`, `0.2 s`, `1m 30s`: seconds as an axis tells them. */
export function tickText(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toPrecision(6))} s`;
  const whole = Number(seconds.toFixed(3));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), Number((whole % 60).toFixed(3))];
  return [h > 0 ? `${h}h` : "", m > 0 ? `${m}m` : "", s > 0 ? `${s}s` : ""].filter((each) => each !== "").join(" ");
}
