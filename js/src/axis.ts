/** A stretch of time laid over a width in px. Immutable. */

import { clamp } from "./viewport";

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
const MIN_SPAN_S = 1e-3;

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export class Axis {
  constructor(
    readonly from: number,
    readonly to: number,
    readonly width: number,
  ) {}

  get span(): number {
    return Math.max(this.to - this.from, MIN_SPAN_S);
  }

  x(at: number): number {
    return ((at - this.from) / this.span) * this.width;
  }

  at(x: number): number {
    return this.from + (x / Math.max(this.width, 1)) * this.span;
  }

  /** Seconds since `zero` at which to draw a line, at least `px` apart. */
  ticks(zero: number, px: number): readonly number[] {
    const step = niceStep((this.span * px) / Math.max(this.width, 1));
    const ticks: number[] = [];
    for (let tick = Math.ceil((this.from - zero) / step); zero + tick * step <= this.to; tick++)
      ticks.push(tick * step);
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
  const span = Math.max((part.to - part.from) / factor, MIN_SPAN_S);
  if (span >= whole.to - whole.from) return null;
  const share = (at - part.from) / Math.max(part.to - part.from, MIN_SPAN_S);
  return moved(whole, { from: at - share * span, to: at + (1 - share) * span }, 0);
}

/** `part` moved by `seconds`, as far as `whole` goes. */
export function moved(whole: Stretch, part: Stretch, seconds: number): Stretch {
  const span = part.to - part.from;
  const from = clamp(part.from + seconds, whole.from, Math.max(whole.to - span, whole.from));
  return { from, to: from + span };
}

/** `4 s`, `0.2 s`, `1m 30s`: seconds as an axis tells them. */
export function tickText(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toPrecision(6))} s`;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), Math.round(seconds % 60)];
  return [h > 0 ? `${h}h` : "", m > 0 ? `${m}m` : "", s > 0 ? `${s}s` : ""].filter((each) => each !== "").join(" ");
}
