/**
 * Pointer and wheel on the graph. A plain wheel scrolls the notebook, always: a graph that swallows it is a trap in a
 * long page. Zooming takes Ctrl or ⌘ with the wheel (which is also what a pinch on a trackpad is), or + and − keys.
 */

import type { Point } from "../viewport";

export interface Gestures {
  pan(dx: number, dy: number): void;
  zoom(at: Point, factor: number): void;
  click(at: Point, target: EventTarget | null): void;
  /** A second click in the same place. */
  open(at: Point, target: EventTarget | null): void;
  hover(at: Point | null): void;
}

const DRAG_FROM_PX = 4;
const PX_PER_LINE = 16;

export function gestures(stage: HTMLElement, act: Gestures, signal: AbortSignal): void {
  const point = (event: MouseEvent): Point => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  let pressed: Point | null = null;
  let dragging = false;

  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    pressed = point(event);
    dragging = false;
  };
  const move = (event: PointerEvent): void => {
    const here = point(event);
    if (pressed === null) {
      act.hover(here);
      return;
    }
    if (!dragging && Math.hypot(here.x - pressed.x, here.y - pressed.y) < DRAG_FROM_PX) return;
    if (!dragging) {
      dragging = true;
      stage.setPointerCapture(event.pointerId);
      stage.classList.add("gr-dragging");
      act.hover(null);
    }
    act.pan(here.x - pressed.x, here.y - pressed.y);
    pressed = here;
  };
  const up = (): void => {
    pressed = null;
    stage.classList.remove("gr-dragging");
  };
  const click = (event: MouseEvent): void => {
    if (!dragging) act.click(point(event), event.target);
    dragging = false;
  };
  const wheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const px = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? PX_PER_LINE : 1);
    act.zoom(point(event), Math.exp(-Math.max(-60, Math.min(60, px)) / 100));
  };
  stage.addEventListener("pointerdown", down, { signal });
  stage.addEventListener("pointermove", move, { signal });
  stage.addEventListener("pointerup", up, { signal });
  stage.addEventListener("pointercancel", up, { signal });
  stage.addEventListener("pointerleave", () => act.hover(null), { signal });
  stage.addEventListener("click", click, { signal });
  stage.addEventListener("dblclick", (event) => act.open(point(event), event.target), { signal });
  stage.addEventListener("wheel", wheel, { signal, passive: false });
}
