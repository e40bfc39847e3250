/** A stretch of time laid over a width in px. Immutable. */

import { clamp } from "./viewport";

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
const MIN_SPAN = 1e-3;
const BREAK_PX = 14;

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A gap as it is drawn: cut down to a few px. */
export interface Break extends Stretch {
  readonly x: number;
  readonly width: number;
}

/** Time in proportion, but for gaps, which are cut down to a mark. Between `from` and `to` there is one x for each instant. */
export class Axis {
  readonly breaks: readonly Break[];
  /** Px a second, outside of gaps. */
  readonly scale: number;

  constructor(
    readonly from: number,
    readonly to: number,
    readonly width: number,
    gaps: readonly Stretch[] = [],
  ) {
    const cuts = gaps
      .map((gap) => ({ from: Math.max(gap.from, from), to: Math.min(gap.to, to) }))
      .filter((cut) => cut.to > cut.from && cut.to - cut.from < to - from);
    const px = Math.min(BREAK_PX, width / 2 / (cuts.length + 1));
    const kept = cuts.reduce((left, cut) => left - (cut.to - cut.from), to - from);
    this.scale = (width - px * cuts.length) / Math.max(kept, MIN_SPAN);
    let [x, at] = [0, from];
    this.breaks = cuts.map((cut) => {
      x += (cut.from - at) * this.scale;
      const gap = { ...cut, x, width: px };
      [x, at] = [x + px, cut.to];
      return gap;
    });
  }

  x(at: number): number {
    let x = (at - this.from) * this.scale;
    for (const { from, to, width } of this.breaks)
      x -= clamp(at - from, 0, to - from) * (this.scale - width / (to - from));
    return x;
  }

  at(x: number): number {
    let [from, start] = [this.from, 0];
    for (const gap of this.breaks) {
      if (x < gap.x) break;
      if (x < gap.x + gap.width) return gap.from + ((x - gap.x) / gap.width) * (gap.to - gap.from);
      [from, start] = [gap.to, gap.x + gap.width];
    }
    return from + (x - start) / this.scale;
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
