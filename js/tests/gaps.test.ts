import { expect, test } from "vitest";
import { Axis, type Stretch } from "../src/axis";
import { busyStretches, longGaps } from "../src/gaps";
import type { Bar, Pause, Row } from "../src/timeline";

const ZERO = 1_700_000_000;

function bar(readyAt: number, endedAt: number, pauses: Pause[] = []): Bar {
  const seqs = { startedSeq: 1, endedSeq: endedAt === Infinity ? Infinity : 9 };
  return { attempt: 1, readyAt, startedAt: readyAt, endedAt, ...seqs, status: "DONE", pauses, dueAt: 0 };
}

function row(bars: Bar[], container = false): Row {
  return { id: "n", name: "n", container, depth: 0, bars };
}

function pause(from: number, to: number): Pause {
  return { no: 0, from, fromSeq: 2, to, toSeq: to === Infinity ? Infinity : 3 };
}

/** Stretches that are made up, the same ones each time. */
function* madeUp(): Generator<{ whole: Stretch; gaps: readonly Stretch[]; axis: Axis }> {
  let seed = 7;
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let i = 0; i < 60; i++) {
    const busy: Stretch[] = [];
    let at = ZERO;
    for (let n = 0; n < 1 + random() * 8; n++) {
      const from = at + (random() < 0.5 ? random() : 10 ** (random() * 5));
      at = from + 0.05 + random() * 4;
      busy.push({ from, to: at });
    }
    const whole = { from: ZERO, to: at + (random() < 0.5 ? 0 : 3000 * random()) };
    const gaps = longGaps(busy.reverse(), whole);
    const part = random() < 0.5 ? whole : { from: ZERO + random() * (at - ZERO - 0.05), to: at - random() * 0.04 };
    yield { whole, gaps, axis: new Axis(part.from, part.to, 100 + random() * 900, gaps) };
  }
}

test("an axis with cuts has one x for each instant, in their order, and fills its width", () => {
  for (const { axis } of madeUp()) {
    expect(axis.x(axis.from)).toBeCloseTo(0, 3);
    expect(axis.x(axis.to)).toBeCloseTo(axis.width, 3);
    let last = -Infinity;
    for (let x = -20; x <= axis.width + 20; x += 3.7) {
      const at = axis.at(x);
      expect(at).toBeGreaterThan(last);
      expect(axis.x(at)).toBeCloseTo(x, 1);
      last = at;
    }
  }
});

test("outside of cuts a second is as wide everywhere, and a cut is narrow", () => {
  for (const { axis } of madeUp()) {
    let { from } = axis;
    for (const gap of [...axis.breaks, { from: axis.to, to: axis.to }]) {
      expect(axis.x(gap.from) - axis.x(from)).toBeCloseTo((gap.from - from) * axis.scale, 2);
      expect(axis.x(gap.to) - axis.x(gap.from)).toBeLessThan(14.001);
      from = gap.to;
    }
  }
});

test("no line is drawn inside of a cut, and few in all, however long it is", () => {
  for (const { axis } of madeUp()) {
    const ticks = axis.ticks(ZERO, 90).map((tick) => ZERO + tick);
    expect(ticks.filter((at) => axis.breaks.some((gap) => at > gap.from + 1e-6 && at < gap.to - 1e-6))).toEqual([]);
    expect(ticks.length).toBeLessThanOrEqual(axis.width / 90 + axis.breaks.length + 1);
  }
});

test("cuts are in order, inside the run, and only where a gap is long, also beside all that is none", () => {
  expect(
    longGaps(
      [
        { from: 0, to: 1 },
        { from: 2.9, to: 4 },
      ],
      { from: 0, to: 4 },
    ),
  ).toEqual([]);
  expect(
    longGaps(
      [
        { from: 0, to: 50 },
        { from: 60, to: 100 },
      ],
      { from: 0, to: 100 },
    ),
  ).toEqual([]);
  expect(longGaps([], { from: 0, to: 100 })).toEqual([]);
  expect(
    longGaps(
      [
        { from: 70, to: 75 },
        { from: 0, to: 5 },
        { from: 1, to: 4 },
      ],
      { from: 0, to: 75 },
    ),
  ).toEqual([{ from: 5.3, to: 69.7 }]);
  for (const { whole, gaps } of madeUp()) {
    const ends = [whole.from, ...gaps.flatMap(({ from, to }) => [from, to]), whole.to];
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
  }
});

test("without cuts, and for a look inside of one, time is in proportion", () => {
  const gaps = [{ from: 20, to: 80 }];
  for (const axis of [new Axis(0, 100, 500), new Axis(0, 20, 100, gaps), new Axis(30, 50, 100, gaps)]) {
    expect(axis.breaks).toEqual([]);
    expect(axis.x(axis.from + 10)).toBeCloseTo(10 * axis.scale);
  }
});

test("waits, containers and what comes after the event shown do not count as busy", () => {
  const waited = row([bar(0, 3700, [pause(1, 3601)]), bar(3765, 3766)]);
  expect(busyStretches([row([bar(0, 4000)], true), waited], Infinity, 9999)).toEqual([
    { from: 0, to: 1 },
    { from: 3601, to: 3700 },
    { from: 3765, to: 3766 },
  ]);
  expect(busyStretches([row([bar(0, Infinity, [pause(1, Infinity)])])], Infinity, 500)).toEqual([{ from: 0, to: 1 }]);
  expect(busyStretches([waited], 2, 30)).toEqual([{ from: 0, to: 1 }]);
});
