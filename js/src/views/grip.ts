/** The lower edge of the widget: dragged, or moved with the arrow keys, it changes the height. */

import { h, set } from "../dom";
import { clamp } from "../viewport";

const LEAST_PX = 240;
const USUAL_PX = 420;
const STEP_PX = 20;
const LARGE_STEP_PX = 100;

export function grip(root: () => HTMLElement, signal: AbortSignal): HTMLElement {
  const element = h("div", {
    class: "gr-grip",
    role: "separator",
    "aria-orientation": "horizontal",
    "aria-label": "Height of the view",
    "aria-valuemin": LEAST_PX,
    tabindex: 0,
    title: "Drag, or press the up and down arrows; double-click for the usual height",
  });
  let grabbed: { readonly y: number; readonly height: number } | null = null;

  const most = (): number => Math.max(Math.round(globalThis.innerHeight * 0.9), LEAST_PX);
  const height = (): number => root().getBoundingClientRect().height;
  function resize(to: number): void {
    const px = Math.round(clamp(to, LEAST_PX, most()));
    root().style.height = `${px}px`;
    tell(px);
  }
  function tell(px: number): void {
    set(element, "aria-valuenow", px);
    set(element, "aria-valuemax", most());
    set(element, "aria-valuetext", `${px} pixels`);
  }

  const key = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? LARGE_STEP_PX : STEP_PX;
    if (event.key === "ArrowDown") resize(height() + step);
    else if (event.key === "ArrowUp") resize(height() - step);
    else if (event.key === "Home") resize(LEAST_PX);
    else if (event.key === "End") resize(most());
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const press = (event: PointerEvent): void => {
    grabbed = { y: event.clientY, height: height() };
    element.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent): void => {
    if (grabbed !== null) resize(grabbed.height + event.clientY - grabbed.y);
  };
  const release = (): void => {
    grabbed = null;
  };
  element.addEventListener("keydown", key, { signal });
  element.addEventListener("pointerdown", press, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", release, { signal });
  element.addEventListener("pointercancel", release, { signal });
  element.addEventListener("dblclick", () => resize(USUAL_PX), { signal });
  tell(USUAL_PX);
  return element;
}
