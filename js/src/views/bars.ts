/** Draws the bars of a timeline's rows: queued pale, running in the colour of the outcome, waits hatched. */

import type { Axis } from "../axis";
import { tickText } from "../axis";
import { ICONS } from "../icons";
import type { Palette } from "../theme";
import { isAfter, type Row, type Shown, shownBar } from "../timeline";
import { ROW_PX } from "./lanes";

export const HEAD_PX = 18;
const BAR_PX = 12;
const TICK_PX = 90;
const SIGN_PX = 12;

export interface BarScene {
  readonly rows: readonly Row[];
  /** The first row that is in view, and how far it is scrolled out, px. */
  readonly first: number;
  readonly offset: number;
  /** Where the axis begins on the canvas, and how large the canvas is, px. */
  readonly left: number;
  readonly width: number;
  readonly height: number;
  readonly axis: Axis;
  /** When the run began. */
  readonly zero: number;
  readonly seq: number;
  readonly now: number;
  readonly past: boolean;
  readonly selected: string | null;
  readonly critical: ReadonlySet<string> | null;
  /** What is being marked for a closer look, px on the axis. */
  readonly marked: readonly [number, number] | null;
}

export function drawBars(context: CanvasRenderingContext2D, palette: Palette, scene: BarScene): void {
  const { axis, left, width, height, rows, first, offset } = scene;
  drawAxis(context, palette, scene);
  context.save();
  context.beginPath();
  context.rect(0, HEAD_PX, width, height - HEAD_PX);
  context.clip();
  const last = Math.min(rows.length, first + Math.ceil((height - HEAD_PX + offset) / ROW_PX));
  for (let i = first; i < last; i++) {
    const row = rows[i];
    if (row !== undefined) drawRow(context, palette, scene, row, HEAD_PX - offset + (i - first) * ROW_PX);
  }
  context.restore();
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, height);
  context.clip();
  if (scene.past) {
    context.fillStyle = palette.accent;
    context.fillRect(left + axis.x(scene.now) - 1, 0, 2, height);
  }
  if (scene.marked !== null) {
    const [a, b] = scene.marked;
    context.globalAlpha = 0.18;
    context.fillStyle = palette.accent;
    context.fillRect(left + Math.min(a, b), 0, Math.abs(b - a), height);
    context.globalAlpha = 1;
  }
  context.restore();
}

function drawAxis(context: CanvasRenderingContext2D, palette: Palette, scene: BarScene): void {
  const { axis, left, zero, width, height } = scene;
  context.font = `11px ${palette.font}`;
  context.textBaseline = "middle";
  for (const tick of axis.ticks(zero, TICK_PX)) {
    const x = Math.round(left + axis.x(zero + tick));
    context.fillStyle = palette.line;
    context.globalAlpha = 0.6;
    context.fillRect(x, HEAD_PX, 1, height - HEAD_PX);
    context.globalAlpha = 1;
    context.fillStyle = palette.soft;
    const [text, from] = [tickText(tick), x + (tick === 0 ? 0 : -8)];
    const to = from + context.measureText(text).width;
    if (to <= width && !axis.breaks.some((gap) => left + axis.x(gap.from) < to && left + axis.x(gap.to) > from))
      context.fillText(text, from, HEAD_PX / 2);
  }
}

function drawRow(context: CanvasRenderingContext2D, palette: Palette, scene: BarScene, row: Row, top: number): void {
  const { left, width, selected, critical } = scene;
  if (row.id === selected) {
    context.globalAlpha = 0.12;
    context.fillStyle = palette.accent;
    context.fillRect(0, top, width, ROW_PX);
    context.globalAlpha = 1;
  }
  const faint = critical !== null && !critical.has(row.id);
  context.save();
  context.beginPath();
  context.rect(left, top, width - left, ROW_PX);
  context.clip();
  for (const bar of row.bars) {
    const shown = shownBar(bar, scene.seq, scene.now);
    if (shown === null) continue;
    context.globalAlpha = faint ? 0.3 : 1;
    drawBar(context, palette, scene, shown, row.container, top + (ROW_PX - BAR_PX) / 2);
  }
  context.restore();
}

function drawBar(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { axis, left, width, seq, now }: BarScene,
  { bar, endedAt, status, open }: Shown,
  container: boolean,
  top: number,
): void {
  const at = (instant: number): number => Math.min(Math.max(left + axis.x(instant), left - 8), width + 8);
  const [ready, start, end] = [at(bar.readyAt), at(bar.startedAt), Math.max(at(endedAt), at(bar.startedAt) + 2)];
  const solid = context.globalAlpha;
  const colour = palette.status[status];
  if (start - ready >= 1) {
    context.globalAlpha = solid * 0.35;
    context.fillStyle = palette.status.PENDING;
    context.fillRect(ready, top + 3, start - ready, BAR_PX - 6);
  }
  context.globalAlpha = solid * (status === "DONE" ? 0.75 : 1);
  context.fillStyle = colour;
  if (container) {
    context.fillRect(start, top + 1, end - start, 3);
    context.fillRect(start, top + 1, 2, BAR_PX - 3);
    context.fillRect(end - 2, top + 1, 2, BAR_PX - 3);
  } else {
    context.beginPath();
    context.roundRect(start, top, end - start, BAR_PX, Math.min(3, (end - start) / 2));
    context.fill();
  }
  context.globalAlpha = solid;
  for (const pause of bar.pauses)
    if (pause.fromSeq <= seq)
      drawPause(context, palette, at(pause.from), at(isAfter(pause.toSeq, seq) ? now : pause.to), top);
  if (bar.dueAt > 0 && !open) {
    const due = at(Math.min(bar.dueAt, Math.max(now, endedAt)));
    context.fillStyle = palette.status.RETRYING;
    for (let x = end + (status === "FAILED" ? SIGN_PX + 4 : 2); x < due; x += 5)
      context.fillRect(x, top + BAR_PX / 2 - 1, Math.min(2, due - x), 2);
  }
  if ((status === "FAILED" || status === "CANCELLED") && !container) {
    drawSign(context, ICONS[status].mark, colour, end + 3, top + (BAR_PX - SIGN_PX) / 2);
  }
}

function drawSign(context: CanvasRenderingContext2D, path: string, colour: string, x: number, y: number): void {
  context.save();
  context.translate(x, y);
  context.scale(SIGN_PX / 16, SIGN_PX / 16);
  context.lineWidth = 2.5;
  context.strokeStyle = colour;
  context.stroke(new Path2D(path));
  context.restore();
}

function drawPause(context: CanvasRenderingContext2D, palette: Palette, from: number, to: number, top: number): void {
  if (to - from < 1) return;
  context.save();
  context.beginPath();
  context.rect(from, top, to - from, BAR_PX);
  context.clip();
  context.fillStyle = palette.tint.WAITING;
  context.fill();
  context.strokeStyle = palette.status.WAITING;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = from - BAR_PX; x < to; x += 6) {
    context.moveTo(x, top + BAR_PX);
    context.lineTo(x + BAR_PX, top);
  }
  context.stroke();
  context.strokeRect(from + 0.5, top + 0.5, to - from - 1, BAR_PX - 1);
  context.restore();
}
