/** Attempts over time: a list of rows for screen readers and the keyboard, with their bars drawn beneath it. */

import { effect, signal as makeSignal, type Signal } from "@preact/signals-core";
import { Axis, moved, type Stretch, zoomed } from "../axis";
import { type CriticalPath, criticalPath } from "../critical";
import { h, say, set } from "../dom";
import { duration } from "../format";
import type { Local } from "../local";
import { firstProblem } from "../select";
import { NODE_STATUS } from "../status";
import type { Store } from "../store";
import { type Palette, readPalette } from "../theme";
import { type Row, rowsOf, type Shown, shownBar, Timeline } from "../timeline";
import { clamp } from "../viewport";
import { drawBars, HEAD_PX, ROW_PX } from "./bars";
import { Tip } from "./mirror";

const LABEL_PX = 168;
const LABEL_SHARE = 0.32;
const END_PX = 18;
const ZOOM_STEP = 1.5;
const PAN_SHARE = 0.2;
const DRAG_FROM_PX = 4;
const SPARE_ROWS = 4;
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
  let path: CriticalPath | null = null;
  let onPath: ReadonlySet<string> | null = null;
  let palette: Palette | null = null;
  let brush: readonly [number, number] | null = null;
  let pressed: number | null = null;
  let frame = 0;

  const canvas = h("canvas", { class: "gr-bars", "aria-hidden": "true" });
  const inner = h("div", { class: "gr-lanes-inner", role: "presentation" });
  const list = h(
    "div",
    {
      class: "gr-lanes",
      role: "listbox",
      "aria-label": "Timeline",
      tabindex: 0,
      on: { keydown: (event) => key(event) },
    },
    inner,
  );
  const tip = new Tip();
  const note = h("span", { class: "gr-timeline-note", "aria-live": "polite" });
  const critical = toggle("Critical path", "The longest chain of nodes that waited for each other (c)", isCritical);
  const reset = h(
    "button",
    { type: "button", class: "gr-button", title: "Show the whole run (0)", on: { click: () => look(null) } },
    "Reset zoom",
  );
  const body = h("div", { class: "gr-timeline-body" }, canvas, list, tip.element);
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

  function axis(): Axis {
    const { from, to } = zoom.peek() ?? whole();
    return new Axis(from, to, Math.max(body.clientWidth - labelPx() - END_PX, 10));
  }

  function key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = rows.findIndex((row) => row.id === local.selected.peek());
    const page = Math.max(1, Math.floor(list.clientHeight / ROW_PX) - 1);
    const seen = zoom.peek() ?? whole();
    const pan = (share: number) => () =>
      zoom.peek() === null ? undefined : look(moved(whole(), seen, share * (seen.to - seen.from)));
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
    const seen = zoom.peek() ?? whole();
    const bar = rows.find((row) => row.id === local.selected.peek())?.bars.at(-1);
    const inView = bar !== undefined && bar.startedAt >= seen.from && bar.startedAt <= seen.to;
    look(zoomed(whole(), seen, around ?? (inView ? bar.startedAt : (seen.from + seen.to) / 2), factor));
  }

  function choose(i: number): void {
    const row = rows[clamp(i, 0, rows.length - 1)];
    if (row !== undefined) local.select(row.id);
  }

  function bring(id: string | null): void {
    const i = rows.findIndex((row) => row.id === id);
    if (i < 0) return;
    const room = list.clientHeight;
    if (i * ROW_PX < list.scrollTop) list.scrollTop = i * ROW_PX;
    else if ((i + 1) * ROW_PX > list.scrollTop + room) list.scrollTop = (i + 1) * ROW_PX - room;
  }

  function point(event: MouseEvent): { readonly x: number; readonly row: Row | undefined } {
    const box = body.getBoundingClientRect();
    const i = Math.floor((event.clientY - box.top - HEAD_PX + list.scrollTop) / ROW_PX);
    return { x: event.clientX - box.left - labelPx(), row: event.clientY - box.top < HEAD_PX ? undefined : rows[i] };
  }

  function down(event: PointerEvent): void {
    const { x } = point(event);
    if (event.button === 0 && x >= 0 && x <= body.clientWidth - labelPx()) pressed = x;
  }

  function move(event: PointerEvent): void {
    const { x, row } = point(event);
    if (pressed !== null && (brush !== null || Math.abs(x - pressed) >= DRAG_FROM_PX)) {
      if (brush === null) list.setPointerCapture(event.pointerId);
      brush = [pressed, clamp(x, 0, axis().width)];
      tip.hide();
      draw();
      return;
    }
    const at = axis().at(x);
    const found = row?.bars.findLast((bar) => bar.readyAt <= at && shown(bar) !== null) ?? row?.bars[0];
    const bar = found === undefined ? null : shown(found);
    if (row === undefined || bar === null || x < 0) tip.hide();
    else
      tip.show(
        barText(row, bar),
        clamp(event.clientX - body.getBoundingClientRect().left, 140, Math.max(body.clientWidth - 140, 140)),
        Math.max(event.clientY - body.getBoundingClientRect().top - 8, 24),
      );
  }

  function up(event: PointerEvent): void {
    if (brush !== null) {
      const along = axis();
      const [from, to] = [Math.min(...brush), Math.max(...brush)].map((x) => along.at(x));
      if (from !== undefined && to !== undefined && to > from) look({ from, to });
    } else if (event.type === "pointerup") {
      const { row } = point(event);
      if (row !== undefined) local.select(row.id);
    }
    pressed = brush = null;
    draw();
  }

  function wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    magnify(Math.exp(-clamp(event.deltaY, -60, 60) / 100), axis().at(point(event).x));
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
    inner.style.height = `${rows.length * ROW_PX}px`;
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
    const first = Math.floor(list.scrollTop / ROW_PX);
    windowRows(first, Math.ceil(height / ROW_PX));
    const context = canvas.getContext("2d");
    if (context === null) return;
    const ratio = devicePixelRatio || 1;
    const [w, hh] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== hh) [canvas.width, canvas.height] = [w, hh];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    palette ??= readPalette(canvas);
    drawBars(context, palette, {
      rows,
      first,
      offset: list.scrollTop - first * ROW_PX,
      left: labelPx(),
      width,
      height,
      axis: axis(),
      zero: store.state.started_at,
      seq: store.cursor.peek() ?? Infinity,
      now: local.now.peek(),
      past: store.cursor.peek() !== null,
      selected: local.selected.peek(),
      critical: onPath,
      brush,
    });
  }

  /** Only the rows in view are elements, and the selected one, which the list's focus is at. */
  function windowRows(first: number, n: number): void {
    const selected = rows.findIndex((row) => row.id === local.selected.peek());
    const wanted = new Set<number>();
    for (let i = Math.max(first - SPARE_ROWS, 0); i < Math.min(first + n + SPARE_ROWS, rows.length); i++) wanted.add(i);
    if (selected >= 0) wanted.add(selected);
    const kept = new Map<number, HTMLElement>();
    for (const each of [...inner.children]) {
      const i = Number((each as HTMLElement).dataset["i"]);
      if (wanted.has(i)) kept.set(i, each as HTMLElement);
      else each.remove();
    }
    for (const i of [...wanted].sort((a, b) => a - b)) {
      const row = rows[i];
      if (row === undefined) continue;
      let item = kept.get(i);
      if (item === undefined) {
        item = h(
          "div",
          { class: "gr-lane", role: "option", id: `${prefix}${i}`, "data-i": i },
          h("span", { class: "gr-lane-name" }),
        );
        inner.append(item);
        item.style.top = `${i * ROW_PX}px`;
      }
      const name = item.firstElementChild as HTMLElement;
      say(name, row.name);
      name.style.paddingLeft = `${10 + Math.min(row.depth, 4) * 10}px`;
      name.style.width = `${labelPx()}px`;
      set(item, "aria-label", rowText(row));
      set(item, "aria-selected", i === selected ? "true" : "false");
      set(item, "aria-setsize", rows.length);
      set(item, "aria-posinset", i + 1);
      item.classList.toggle("gr-critical", onPath?.has(row.id) ?? false);
    }
    set(list, "aria-activedescendant", selected < 0 ? null : `${prefix}${selected}`);
  }

  function rowText({ id, bars }: Row): string {
    const seen = bars.flatMap((bar) => shown(bar) ?? []);
    const last = seen.at(-1);
    const tries = seen.length > 1 ? [`${seen.length} attempts`] : [];
    return last === undefined ? id : [`${id}: ${NODE_STATUS[last.status].word}`, ...tries, ...times(last)].join(", ");
  }

  function barText({ name, bars }: Row, last: Shown): string {
    const attempt = bars.length > 1 ? [`attempt ${last.bar.attempt}`] : [];
    return [name, ...attempt, NODE_STATUS[last.status].word, ...times(last)].join(" · ");
  }

  list.addEventListener("scroll", draw, { signal });
  list.addEventListener("pointerdown", down, { signal });
  list.addEventListener("pointermove", move, { signal });
  list.addEventListener("pointerup", up, { signal });
  list.addEventListener("pointercancel", up, { signal });
  list.addEventListener("pointerleave", () => tip.hide(), { signal });
  list.addEventListener("dblclick", () => look(null), { signal });
  list.addEventListener("wheel", wheel, { signal, passive: false });
  const observer = new ResizeObserver(draw);
  observer.observe(body);
  const stops = [
    effect(() => {
      element.hidden = !isOpen.value;
      set(button, "aria-pressed", isOpen.value ? "true" : "false");
      set(critical, "aria-pressed", isCritical.value ? "true" : "false");
      if (!isOpen.value) return;
      store.heard.value;
      store.version.value;
      update();
    }),
    effect(() => {
      if (isOpen.value) bring(local.selected.value ?? firstProblem(store.state));
      draw();
    }),
    effect(() => {
      reset.hidden = zoom.value === null;
      draw();
    }),
    effect(() => {
      local.now.value;
      draw();
    }),
  ];
  signal.addEventListener("abort", () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
    for (const stop of stops) stop();
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

/** How long it was ready without running, and how long it ran. */
function times({ bar, endedAt }: Shown): readonly string[] {
  const queued = bar.startedAt - bar.readyAt;
  const ran = `ran ${duration(endedAt - bar.startedAt)}`;
  return queued < 0.0005 ? [ran] : [`queued ${duration(queued)}`, ran];
}

function toggle(name: string, title: string, on: Signal<boolean>): HTMLButtonElement {
  const flip = (): void => {
    on.value = !on.peek();
  };
  return h("button", { type: "button", class: "gr-button", title, on: { click: flip } }, name);
}
