/** The signs of small buttons, drawn with a stroke in a box of 16 × 16; what they mean is said by the button's name. */

import { svg } from "../dom";

const PATHS = {
  search: "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9zM10.4 10.4l3.1 3.1",
  help: "M5.4 5.9a2.6 2.6 0 1 1 3.9 2.3c-.8.45-1.3.95-1.3 1.9M8 13v.05",
  up: "M4 10l4-4l4 4",
  down: "M4 6l4 4l4-4",
  close: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
} as const;

export function sign(name: keyof typeof PATHS): SVGElement {
  return svg("svg", { viewBox: "0 0 16 16", class: "gr-sign", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
