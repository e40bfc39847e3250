/** A run's history under one's hand: a slider over its events, playback, and the way back to how it is. */

import type { ReadonlySignal } from "@preact/signals-core";
import { cleared } from "../canvas";
import { type Child, fill, h, plainButton, say, set } from "../dom";
import { effects } from "../effects";
import { clockTime } from "../format";
import type { Contact, Link } from "../link";
import type { Local } from "../local";
import { MARKED, Marks, momentText, phrase } from "../moments";
import { Playback } from "../playback";
import type { Store } from "../store";
import { readPalette } from "../theme";
import { clamp } from "../viewport";
import { actionButton, errorText, nodeLink } from "./action";
import { sign } from "./sign";

const SPEEDS = [1, 4, 16, 64];
const PAGE_SHARE = 0.1;
const MARK_PX = 2;

export interface Scrubber {
  readonly element: HTMLElement;
  /** The style sheet's colours may have changed. */
  restyle(): void;
}

/** `beside` stands before the slider; `offers` tells whether a run may begin where this one stood. */
export function scrubber(
  store: Store,
  link: Link,
  local: Local,
  offers: ReadonlySignal<ReadonlySet<string>>,
  beside: HTMLElement,
  signal: AbortSignal,
): Scrubber {
  const contact = (): Contact => link.contact.value;
  const playback = new Playback(store);
  let marks = new Marks();
  let history = store.history;
  let frame = 0;
  let refused = "";
  const canvas = h("canvas", { class: "gr-marks", "aria-hidden": "true" });
  const done = h("div", { class: "gr-track-done" });
  const thumb = h("div", { class: "gr-thumb" });
  const slider = h(
    "div",
    {
      class: "gr-slider",
      role: "slider",
      "aria-label": "Run history",
      tabindex: 0,
      on: { keydown: (event) => key(event) },
    },
    h("div", { class: "gr-track" }, done),
    canvas,
    thumb,
  );
  const caption = h("div", { class: "gr-caption" });
  const live = plainButton(
    { class: "gr-button gr-live", title: "Show the run as it is (End)", on: { click: () => go(null) } },
    "Live",
  );
  const fork = actionButton(
    link,
    "Fork here",
    () => ({ kind: "fork", at: shown() }),
    (reply) => {
      refused = errorText(reply);
      update();
    },
  );
  fork.classList.add("gr-fork");
  fork.title = "Begin a new run where this one stood; this one stays as it is";
  const play = plainButton({ class: "gr-button gr-icon-button", on: { click: () => playback.toggle() } });
  const speed = h(
    "select",
    {
      class: "gr-input gr-speed",
      "aria-label": "Speed",
      on: {
        change: () => {
          playback.speed = Number(speed.value);
        },
      },
    },
    ...SPEEDS.map((each) => h("option", { value: each }, `${each}×`)),
  );
  const element = h(
    "div",
    { class: "gr-time", role: "group", "aria-label": "History" },
    beside,
    play,
    speed,
    h("div", { class: "gr-scrub" }, slider, caption),
    fork,
    live,
  );

  const first = (): number => store.history.forgotten + 1;
  const last = (): number => Math.max(store.live.seq, 1);
  const shown = (): number => store.cursor.peek() ?? last();

  function go(seq: number | null): void {
    refused = "";
    playback.stop();
    store.show(seq);
  }

  function key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(10, Math.round((last() - first()) * PAGE_SHARE));
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -page,
      PageUp: page,
    };
    const step = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined;
    if (event.key === "Home") go(first());
    else if (event.key === "End") go(null);
    else if (step === undefined) return;
    else go(event.shiftKey ? nextMark(Math.sign(step)) : clamp(shown() + step, first(), last()));
    event.preventDefault();
    event.stopPropagation();
  }

  /** Where the next failure, wait or answer is in this direction, or the end. */
  function nextMark(direction: number): number | null {
    const found = marks.advance(store.history);
    const at = shown();
    const next = direction > 0 ? found.find((each) => each.seq > at) : found.findLast((each) => each.seq < at);
    return next?.seq ?? (direction > 0 ? null : first());
  }

  function drag(event: PointerEvent): void {
    if (event.type === "pointerdown" ? event.button !== 0 : !slider.hasPointerCapture(event.pointerId)) return;
    if (event.type === "pointerdown") slider.setPointerCapture(event.pointerId);
    const box = slider.getBoundingClientRect();
    const share = clamp((event.clientX - box.left) / Math.max(box.width, 1), 0, 1);
    const seq = first() + Math.round(share * (last() - first()));
    if (seq !== shown()) go(seq);
  }
  slider.addEventListener("pointerdown", drag, { signal });
  slider.addEventListener("pointermove", drag, { signal });

  function pastText(seq: number, instant: number): Child[] {
    const recorded = store.history.event(seq);
    const [before, id, after] = recorded === null ? ["", "", ""] : phrase(recorded.event);
    return [
      `As it was at ${clockTime(instant)}, event ${seq} of ${store.live.seq}${recorded === null ? "" : ": "}${before}`,
      id === "" ? null : nodeLink(local, id),
      `${after}. Questions and actions rest.`,
    ];
  }

  /** Nobody tells of the run any more. */
  function isPast(): boolean {
    return contact() === "saved" || contact() === "lost";
  }

  function liveText(): string {
    const { live } = store;
    const gap = store.history.gap();
    const missing = gap === null ? 0 : gap.until - gap.first + 1;
    if (missing > 0)
      return contact() === "live"
        ? `${live.seq} events; the history of ${missing} is on its way`
        : `${live.seq} events; the history of ${missing} is not here`;
    if (store.history.forgotten > 0)
      return `${live.seq} events; of the first ${store.history.forgotten} no history is kept here`;
    return live.seq === 0
      ? ""
      : `${isPast() ? "As last seen" : "Live"}, ${live.seq} ${live.seq === 1 ? "event" : "events"}`;
  }

  function update(): void {
    if (history !== store.history) {
      history = store.history;
      marks = new Marks();
    }
    const [from, to, at] = [first(), last(), shown()];
    const past = store.cursor.value !== null;
    const share = to === from ? 1 : clamp((at - from) / (to - from), 0, 1);
    set(slider, "aria-valuemin", from);
    set(slider, "aria-valuemax", to);
    set(slider, "aria-valuenow", at);
    set(slider, "aria-valuetext", `${past ? "" : "live, "}${momentText(at, to, store.history.event(at))}`);
    thumb.style.left = done.style.width = `${share * 100}%`;
    set(element, "data-past", past);
    set(live, "aria-pressed", past ? "false" : "true");
    live.classList.toggle("gr-primary", past);
    const { instant } = store;
    fork.hidden = !past || at < 2 || contact() !== "live" || !offers.value.has("fork");
    const content = refused !== "" ? [refused] : past && instant !== null ? pastText(at, instant) : [liveText()];
    const text = content.map((each) => (typeof each === "string" ? each : (each?.textContent ?? ""))).join("");
    if (caption.textContent !== text) fill(caption, ...content);
    caption.title = text;
    element.hidden = store.live.seq === 0;
    frame ||= requestAnimationFrame(draw);
  }

  /** One line of each colour a pixel is all that can be seen; the more important ones are drawn last. */
  function draw(): void {
    frame = 0;
    const { clientWidth: width, clientHeight: height } = canvas;
    const context = width === 0 ? null : cleared(canvas, { width, height });
    if (context === null) return;
    const { status } = readPalette(canvas);
    const [from, to] = [first(), last()];
    const found = marks.advance(store.history);
    for (const like of MARKED.toReversed()) {
      context.fillStyle = status[like];
      const columns = new Set<number>();
      for (const each of found)
        if (each.like === like && each.seq >= from)
          columns.add(Math.round(((each.seq - from) / Math.max(to - from, 1)) * (width - MARK_PX)));
      for (const x of columns) context.fillRect(x, like === "DONE" ? height / 2 : 0, MARK_PX, height / 2);
    }
  }

  const observer = new ResizeObserver(() => update());
  observer.observe(canvas);
  effects(
    signal,
    () => {
      store.heard.value;
      store.version.value;
      say(live, isPast() ? "Last" : "Live");
      update();
    },
    () => {
      const playing = playback.playing.value;
      const name = playing ? "Pause" : "Play history";
      set(play, "aria-label", name);
      play.title = name;
      play.replaceChildren(sign(playing ? "pause" : "play"));
    },
  );
  signal.addEventListener("abort", () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
    playback.stop();
  });
  return { element, restyle: update };
}
