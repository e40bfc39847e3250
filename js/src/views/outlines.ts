/** Draws the frames of groups, below edges and cards. */

import type { Frame } from "../frames";
import type { Palette } from "../theme";
import type { Viewport } from "../viewport";
import type { Labels } from "./labels";

const NAME_FROM_PX = 48;

export function drawFrames(
  context: CanvasRenderingContext2D,
  frames: readonly Frame[],
  viewport: Viewport,
  palette: Palette,
  labels: Labels,
): void {
  const { k } = viewport;
  context.lineWidth = 1;
  context.strokeStyle = palette.line;
  for (const { name, box } of frames) {
    const { x, y } = viewport.toScreen(box);
    const [width, height] = [box.width * k, box.height * k];
    context.beginPath();
    context.roundRect(x, y, width, height, Math.max(11 * k, 4));
    context.globalAlpha = 0.07;
    context.fillStyle = palette.soft;
    context.fill();
    context.globalAlpha = 1;
    context.stroke();
    if (width < NAME_FROM_PX) continue;
    const size = Math.max(11 * k, 9);
    const text = labels.cut(`▾ ${name}`, size, width - 12 * k, 600);
    context.font = labels.font(size, 600);
    context.fillStyle = palette.soft;
    context.textBaseline = k < 0.5 ? "bottom" : "middle";
    context.textAlign = "left";
    const top = k < 0.5 ? y - 2 : y + 14 * k;
    context.fillText(text, x + (k < 0.5 ? 2 : 12 * k), top);
  }
}
