/** Pointer and wheel on a timeline: a drag over the bars marks what to look at closely, a click chooses a row. */

import type { Axis, Stretch } from "../axis";
import { clamp, type Point } from "../viewport";

const DRAG_FROM_PX = 4;

/** What the brush needs to know and may do; points are px from the corner of the element, x on the axis. */
export interface Brushed {
  left(): number;
  axis(): Axis;
  /** What is being marked, or null. */
  marked(stretch: readonly [number, number] | null): void;
  look(stretch: Stretch | null): void;
  zoom(at: number, factor: number): void;
  click(at: Point): void;
  hover(at: Point | null): void;
}

export function brush(element: HTMLElement, act: Brushed, signal: AbortSignal): void {
  let pressed: number | null = null;
  let mark: readonly [number, number] | null = null;

  const point = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left - act.left(), y: event.clientY - box.top };
  };
  /** Right of all rows there is the scroll bar. */
  const isBeside = ({ x }: Point): boolean => x > element.clientWidth - act.left();
  const show = (next: typeof mark): void => {
    mark = next;
    act.marked(mark);
  };
  const down = (event: PointerEvent): void => {
    const at = point(event);
    if (event.button === 0 && at.x >= 0 && !isBeside(at)) pressed = at.x;
  };
  const move = (event: PointerEvent): void => {
    const at = point(event);
    if (pressed === null || (mark === null && Math.abs(at.x - pressed) < DRAG_FROM_PX)) {
      act.hover(at);
      return;
    }
    if (mark === null) element.setPointerCapture(event.pointerId);
    act.hover(null);
    show([pressed, clamp(at.x, 0, act.axis().width)]);
  };
  const up = (event: PointerEvent): void => {
    const axis = act.axis();
    const at = point(event);
    if (mark === null && !isBeside(at)) act.click(at);
    else if (mark !== null) act.look({ from: axis.at(Math.min(...mark)), to: axis.at(Math.max(...mark)) });
    pressed = null;
    show(null);
  };
  const cancel = (): void => {
    pressed = null;
    show(null);
  };
  const wheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    act.zoom(act.axis().at(point(event).x), Math.exp(-clamp(event.deltaY, -60, 60) / 100));
  };
  element.addEventListener("pointerdown", down, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", cancel, { signal });
  element.addEventListener("pointerleave", () => act.hover(null), { signal });
  element.addEventListener("dblclick", () => act.look(null), { signal });
  element.addEventListener("wheel", wheel, { signal, passive: false });
}
