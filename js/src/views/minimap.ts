/** The whole graph in a corner, with the part that is on screen marked; dragging there moves the view. For the mouse:
 * the keyboard has its own ways. */

import { cleared } from "../canvas";
import { h } from "../dom";
import type { Placement } from "../placement";
import type { NodeState } from "../state";
import { NODE_STATUSES } from "../status";
import type { Palette } from "../theme";
import { clamp, type Point, type Size, type Viewport } from "../viewport";

const FROM_MEMBERS = 60;
const FROM_WIDTH_PX = 560;
const MOST: Size = { width: 176, height: 110 };
const LEAST_HEIGHT_PX = 26;
const PAD_PX = 5;
/** With so much of the graph on screen, the map would hide more than it shows. */
const NEARLY_ALL = 0.6;
const REDRAW_MS = 250;

export interface MinimapScene {
  readonly members: readonly number[];
  readonly nodes: readonly NodeState[];
  readonly placement: Placement;
  readonly viewport: Viewport;
  readonly size: Size;
  readonly palette: Palette;
}

export class Minimap {
  readonly #canvas = h("canvas", {});
  readonly #window = h("div", { class: "gr-minimap-window" });
  readonly element = h("div", { class: "gr-minimap", "aria-hidden": "true", hidden: true }, this.#canvas, this.#window);
  #k = 1;
  #scene: MinimapScene | null = null;
  #of: readonly unknown[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `look` is told the point of the world that is to be in the middle. */
  constructor(look: (world: Point) => void, signal: AbortSignal) {
    const world = (event: PointerEvent): Point => {
      const { left, top } = this.#canvas.getBoundingClientRect();
      const { x = 0, y = 0 } = this.#scene?.placement.box ?? {};
      return { x: x + (event.clientX - left - PAD_PX) / this.#k, y: y + (event.clientY - top - PAD_PX) / this.#k };
    };
    const press = (event: PointerEvent): void => {
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
      look(world(event));
    };
    const drag = (event: PointerEvent): void => {
      if (this.element.hasPointerCapture(event.pointerId)) look(world(event));
    };
    this.element.addEventListener("pointerdown", press, { signal });
    this.element.addEventListener("pointermove", drag, { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** Follows the camera at once, and the nodes' statuses a few times a second. */
  show(scene: MinimapScene): void {
    this.#scene = scene;
    const { placement, size, viewport, members } = scene;
    const seen = viewport.visible(size);
    const { box } = placement;
    const [right, bottom] = [seen.x + seen.width, seen.y + seen.height];
    const width = Math.min(right, box.x + box.width) - Math.max(seen.x, box.x);
    const height = Math.min(bottom, box.y + box.height) - Math.max(seen.y, box.y);
    const isNearlyAll = Math.max(width, 0) * Math.max(height, 0) > NEARLY_ALL * box.width * box.height;
    this.element.hidden = members.length <= FROM_MEMBERS || size.width < FROM_WIDTH_PX || isNearlyAll;
    if (this.element.hidden) return;
    const of = [placement, scene.palette, members];
    if (of.some((each, i) => each !== this.#of[i])) {
      this.#of = of;
      this.#redraw();
    } else this.#timer ??= setTimeout(() => this.#redraw(), REDRAW_MS);
    const left = clamp((seen.x - box.x) * this.#k, -PAD_PX, box.width * this.#k + PAD_PX);
    const top = clamp((seen.y - box.y) * this.#k, -PAD_PX, box.height * this.#k + PAD_PX);
    const end = clamp((right - box.x) * this.#k, left + 4, box.width * this.#k + PAD_PX);
    const foot = clamp((bottom - box.y) * this.#k, top + 4, box.height * this.#k + PAD_PX);
    const { style } = this.#window;
    style.transform = `translate(${left + PAD_PX}px, ${top + PAD_PX}px)`;
    style.width = `${end - left}px`;
    style.height = `${foot - top}px`;
  }

  #redraw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#scene === null) return;
    const { members, nodes, placement, palette } = this.#scene;
    const { box } = placement;
    this.#k = Math.min((MOST.width - 2 * PAD_PX) / box.width, (MOST.height - 2 * PAD_PX) / box.height);
    const size = {
      width: box.width * this.#k + 2 * PAD_PX,
      height: Math.max(box.height * this.#k + 2 * PAD_PX, LEAST_HEIGHT_PX),
    };
    this.#canvas.style.width = `${size.width}px`;
    this.#canvas.style.height = `${size.height}px`;
    const context = cleared(this.#canvas, size);
    if (context === null) return;
    context.translate(PAD_PX, PAD_PX);
    const [width, height] = [Math.max(150 * this.#k, 1), Math.max(36 * this.#k, 1)];
    for (const status of NODE_STATUSES) {
      const isProblem = status === "FAILED" || status === "WAITING";
      const [wide, high] = isProblem ? [Math.max(width, 3), Math.max(height, 3)] : [width, height];
      context.fillStyle = palette.status[status];
      context.globalAlpha = isProblem || status === "RUNNING" ? 1 : 0.5;
      for (const i of members) {
        if (nodes[i]?.status !== status) continue;
        const x = ((placement.x[i] ?? 0) - box.x) * this.#k;
        const y = ((placement.y[i] ?? 0) - box.y) * this.#k;
        context.fillRect(x - wide / 2, y - high / 2, wide, high);
      }
    }
  }
}
