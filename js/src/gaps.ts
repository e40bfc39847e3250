/** Long stretches of a run in which nothing was queued or running, for a timeline to leave out. Pure. */

import type { Stretch } from "./axis";
import { isAfter, type Row, shownBar } from "./timeline";

/** A gap is left out if it is this long, also as a share of all that is no gap. */
const LEAST_S = 2;
const LEAST_SHARE = 0.25;
/** What is kept of a gap on either side of the cut, for waits and signs, as a share of all that is no gap. */
const MARGIN_SHARE = 0.03;

/** When something was queued or running as of event `seq`, or now: waits do not count, nor what is made of other nodes. */
export function busyStretches(rows: readonly Row[], seq: number, now: number): Stretch[] {
  const busy: Stretch[] = [];
  for (const { container, bars } of rows) {
    if (container) continue;
    for (const bar of bars) {
      const shown = shownBar(bar, seq, now);
      if (shown === null) continue;
      let from = bar.readyAt;
      for (const pause of bar.pauses) {
        if (pause.fromSeq > seq) continue;
        busy.push({ from, to: pause.from });
        from = Math.max(from, isAfter(pause.toSeq, seq) ? now : pause.to);
      }
      busy.push({ from, to: shown.endedAt });
    }
  }
  return busy.filter(({ from, to }) => to > from);
}

/** The parts of `whole` to leave out, in order. */
export function longGaps(busy: readonly Stretch[], whole: Stretch): readonly Stretch[] {
  const idle: Stretch[] = [];
  let at = whole.from;
  let rest = whole.to - at;
  for (const { from, to } of [...busy, { from: whole.to, to: whole.to }].sort((a, b) => a.from - b.from)) {
    if (from > at) {
      idle.push({ from: at, to: from });
      rest -= from - at;
    }
    at = Math.max(at, to);
  }
  const margin = rest * MARGIN_SHARE;
  return idle
    .filter(({ from, to }) => rest > 0 && to - from >= Math.max(LEAST_S, rest * LEAST_SHARE))
    .map(({ from, to }) => ({ from: from + margin, to: to - margin }));
}
