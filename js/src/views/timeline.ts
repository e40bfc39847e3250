/** Attempts over time: a list of rows for screen readers and the keyboard, with their bars drawn beneath it. */

import { signal as makeSignal, type Signal } from "@preact/signals-core";
import { Axis, moved, type Stretch, zoomed } from "../axis";
import { cleared } from "../canvas";
import { type CriticalPath, criticalPath } from "../critical";
import { h, plainButton, say, set } from "../dom";
import { effects } from "../effects";
import { duration } from "../format";
import { busyStretches, longGaps } from "../gaps";
import type { Local } from "../local";
import { firstProblem } from "../select";
import type { Store } from "../store";
import { type Palette, readPalette } from "../theme";
import { barText, type Row, rowsOf, type Shown, shownBar, Timeline } from "../timeline";
import { clamp, type Point } from "../viewport";
import { drawBars, HEAD_PX } from "./bars";
import { type Brushed, brush } from "./brush";
import { Lanes, ROW_PX } from "./lanes";
import { Tip } from "./mirror";

const LABEL_PX = 168;
const LABEL_SHARE = 0.32;
const END_PX = 18;
const ZOOM_STEP = 1.5;
const PAN_SHARE = 0.2;
const TIP_PX = 280;
let timelines = 0;

export interface TimelineView {
  readonly element: HTMLElement;
  /** The button that shows and hides it. */
  readonly button: HTMLElement;
  /** The style sheet's colours may have changed. */
  restyle(): void;
}

export function timeline(store: Store, local: Local, signal: AbortSignal): TimelineView {
  const prefix = `gr-timeline-${timelines++}-`;
  const isOpen = makeSignal(false);
  const zoom = makeSignal<Stretch | null>(null);
  const isCritical = makeSignal(false);
  let history = store.history;
  let told = new Timeline();
  let rows: readonly Row[] = [];
  let gaps: readonly Stretch[] = [];
  let path: CriticalPath | null = null;
  let onPath: ReadonlySet<string> | null = null;
  let palette: Palette | null = null;
  let marked: readonly [number, number] | null = null;
  let frame = 0;

  const canvas = h("canvas", { class: "gr-bars", "aria-hidden": "true" });
  const lanes = new Lanes();
  const breaks = h("div");
  const tip = new Tip();
  const note = h("span", { class: "gr-timeline-note", "aria-live": "polite" });
  const critical = toggle("Critical path", "The longest chain of nodes that waited for each other (c)", isCritical);
  const reset = plainButton({ title: "Show the whole run (0)", on: { click: () => look(null) } }, "Reset zoom");
  const body = h("div", { class: "gr-timeline-body" }, canvas, breaks, lanes.element, tip.element);
  const element = h(
    "section",
    { class: "gr-timeline", id: `${prefix}panel`, "aria-label": "Attempts over time", hidden: true },
    h("div", { class: "gr-timeline-head" }, note, reset, critical),
    body,
  );
  const button = toggle("Timeline", "Attempts over time", isOpen);
  set(button, "aria-controls", element.id);

  function look(part: Stretch | null): void {
    zoom.value = part;
  }

  function whole(): Stretch {
    const { started_at: from, ended_at: ended } = store.state;
    const to = Math.max(ended > 0 ? ended : local.now.peek(), from);
    return { from, to: Math.max(to, from + 1e-3) };
  }

  function labelPx(): number {
    return Math.min(LABEL_PX, body.clientWidth * LABEL_SHARE);
  }

  function axis({ from, to }: Stretch = zoom.peek() ?? whole()): Axis {
    return new Axis(from, to, Math.max(body.clientWidth - labelPx() - END_PX, 10), gaps);
  }

  /** Looks at another part of the run; `change` is told in px of the whole, in which gaps count for little. */
  function change(to: (all: Axis, whole: Stretch, seen: Stretch) => Stretch | null): void {
    const [all, seen] = [axis(whole()), axis()];
    const part = to(all, { from: 0, to: all.width }, { from: all.x(seen.from), to: all.x(seen.to) });
    look(part && { from: all.at(part.from), to: all.at(part.to) });
  }

  function key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = rows.findIndex((row) => row.id === local.selected.peek());
    const { page } = lanes;
    const pan = (share: number) => () => {
      if (zoom.peek() !== null) change((_, whole, seen) => moved(whole, seen, share * (seen.to - seen.from)));
    };
    const actions: Readonly<Record<string, () => void>> = {
      ArrowDown: () => choose(at + 1),
      ArrowUp: () => choose(Math.max(at - 1, 0)),
      PageDown: () => choose(at + page),
      PageUp: () => choose(Math.max(at - page, 0)),
      Home: () => choose(0),
      End: () => choose(rows.length - 1),
      ArrowLeft: pan(-PAN_SHARE),
      ArrowRight: pan(PAN_SHARE),
      "+": () => magnify(ZOOM_STEP),
      "=": () => magnify(ZOOM_STEP),
      "-": () => magnify(1 / ZOOM_STEP),
      "0": () => look(null),
      c: () => critical.click(),
    };
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
    if (action === undefined) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  }

  /** Around the selected row's last bar where it is in view, else around the middle. */
  function magnify(factor: number, around: number | null = null): void {
    const shown = axis();
    const bar = rows.find((row) => row.id === local.selected.peek())?.bars.at(-1);
    const inView = bar !== undefined && bar.startedAt >= shown.from && bar.startedAt <= shown.to;
    const at = around ?? (inView ? bar.startedAt : shown.at(shown.width / 2));
    change((all, whole, seen) => zoomed(whole, seen, all.x(at), factor));
  }

  function choose(i: number): void {
    const row = rows[clamp(i, 0, rows.length - 1)];
    if (row !== undefined) local.select(row.id);
  }

  /** Where the pointer is: a row, and the bar of it that lies there or before. */
  function under({ x, y }: Point): { readonly row: Row | undefined; readonly bar: Shown | null } {
    const { first, offset } = lanes.scrolled;
    const row = rows[first + Math.floor((y + offset) / ROW_PX)];
    const at = axis().at(x);
    const found = row?.bars.findLast((bar) => bar.readyAt <= at && shown(bar) !== null) ?? row?.bars[0];
    return { row, bar: found === undefined || x < 0 ? null : shown(found) };
  }

  function hover(at: Point | null): void {
    const { row, bar } = at === null ? { row: undefined, bar: null } : under(at);
    if (at === null || row === undefined || bar === null) {
      tip.hide();
      return;
    }
    const x = clamp(at.x + labelPx(), TIP_PX / 2, Math.max(body.clientWidth - TIP_PX / 2, TIP_PX / 2));
    tip.show(barText(row, bar), x, Math.max(at.y + HEAD_PX - 8, 24));
  }

  function shown(bar: Row["bars"][number]): Shown | null {
    return shownBar(bar, store.cursor.peek() ?? Infinity, local.now.peek());
  }

  /** Brings the rows up to date with what is known, and the list with what is in view. */
  function update(): void {
    if (history !== store.history) {
      history = store.history;
      told = new Timeline();
    }
    told.advance(history);
    const cursor = store.cursor.value ?? Infinity;
    const whole = history.known >= Math.min(cursor, store.live.seq) && history.forgotten === 0;
    const all = whole ? told.rows() : rowsOf(store.state);
    rows = cursor === Infinity ? all : all.filter(({ bars }) => (bars[0]?.startedSeq ?? 0) <= cursor);
    path = isCritical.value && whole ? criticalPath(told.ran(cursor, local.now.peek())) : null;
    say(note, noteText(whole));
    local.critical.value = path?.ids ?? null;
    onPath = path === null ? null : new Set(path.ids);
    lanes.resize(rows.length);
    measure();
  }

  function measure(): void {
    gaps = longGaps(busyStretches(rows, store.cursor.peek() ?? Infinity, local.now.peek()), whole());
    draw();
  }

  function noteText(whole: boolean): string {
    if (!whole) return "Latest attempts only: the history is on its way";
    if (path === null) return `${rows.length} of ${store.state.nodes.size} nodes have begun`;
    const { started_at: from, ended_at: ended } = store.state;
    const all = (ended > 0 ? ended : local.now.peek()) - from;
    return `${path.ids.length} nodes, ${duration(path.seconds)} of ${duration(all)}`;
  }

  function draw(): void {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      paint();
    });
  }

  function paint(): void {
    const { clientWidth: width, clientHeight: height } = body;
    if (!isOpen.peek() || width === 0) return;
    const scene = {
      rows,
      left: labelPx(),
      selected: local.selected.peek(),
      critical: onPath,
      seq: store.cursor.peek() ?? Infinity,
      now: local.now.peek(),
    };
    lanes.update(scene);
    const shownAxis = axis();
    breaks.replaceChildren(...shownAxis.breaks.map((gap) => breakMark(gap, shownAxis, scene.left)));
    const context = cleared(canvas, { width, height });
    if (context === null) return;
    palette ??= readPalette(canvas);
    drawBars(context, palette, {
      ...scene,
      ...lanes.scrolled,
      width,
      height,
      axis: shownAxis,
      zero: store.state.started_at,
      past: store.cursor.peek() !== null,
      marked,
    });
  }

  lanes.element.addEventListener("scroll", draw, { signal });
  lanes.element.addEventListener("keydown", key, { signal });
  const brushed: Brushed = {
    left: labelPx,
    axis,
    look,
    hover,
    marked(stretch) {
      marked = stretch;
      draw();
    },
    zoom: (at, factor) => magnify(factor, at),
    click(at) {
      const { row } = under(at);
      if (row !== undefined) local.select(row.id);
    },
  };
  brush(lanes.element, brushed, signal);
  const observer = new ResizeObserver(draw);
  observer.observe(body);
  effects(
    signal,
    () => {
      element.hidden = !isOpen.value;
      set(button, "aria-pressed", isOpen.value ? "true" : "false");
      set(critical, "aria-pressed", isCritical.value ? "true" : "false");
      if (!isOpen.value) return;
      store.heard.value;
      store.version.value;
      update();
    },
    () => {
      const id = local.selected.value ?? firstProblem(store.state);
      const i = isOpen.value ? rows.findIndex((row) => row.id === id) : -1;
      if (i >= 0) lanes.bring(i);
      draw();
    },
    () => {
      isOpen.value;
    },
    () => {
      reset.hidden = zoom.value === null;
      draw();
    },
    () => {
      local.now.value;
      if (isOpen.peek()) measure();
    },
  );
  signal.addEventListener("abort", () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  });
  return {
    element,
    button,
    restyle: () => {
      palette = null;
      draw();
    },
  };
}

/** A cut of the axis, in words. */
function breakMark({ from, to }: Stretch, axis: Axis, left: number): HTMLElement {
  const title = `${duration(to - from)} left out: no tool ran`;
  const mark = h("span", { class: "gr-break", role: "img", "aria-label": title, title });
  mark.style.left = `${left + axis.x(from)}px`;
  mark.style.width = `${axis.x(to) - axis.x(from)}px`;
  return mark;
}

function toggle(name: string, title: string, on: Signal<boolean>): HTMLButtonElement {
  const flip = (): void => {
    on.value = !on.peek();
  };
  return plainButton({ title, on: { click: flip } }, name);
}
