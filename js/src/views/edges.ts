/** Draws the edges: those in view, by colour and kind; all at once as a picture when the view is far out. */

import { CARD_HEIGHT, CARD_WIDTH, type Placement } from "../placement";
import type { NodeState } from "../state";
import type { Palette } from "../theme";
import type { Edge, Topology } from "../topology";
import { type Box, type Size, Viewport } from "../viewport";
import { Pen, STRAIGHT_BELOW } from "./pen";

const DASH = [4, 4];

export interface EdgeScene {
  readonly topology: Topology;
  readonly placement: Placement;
  readonly nodes: readonly NodeState[];
  readonly viewport: Viewport;
  readonly size: Size;
  readonly palette: Palette;
  readonly lit: ReadonlySet<Edge>;
  readonly matched: ReadonlySet<number> | null;
}

export function drawEdges(context: CanvasRenderingContext2D, scene: EdgeScene): void {
  const { viewport, size, palette, lit, matched, nodes } = scene;
  const plain: Edge[] = [];
  const flowing: Edge[] = [];
  const path: Edge[] = [];
  for (const edge of inView(scene, viewport.visible(size))) {
    if (lit.has(edge)) path.push(edge);
    else if (nodes[edge.to]?.status === "RUNNING") flowing.push(edge);
    else plain.push(edge);
  }
  const steppedBack = lit.size > 0 || matched !== null;
  context.lineWidth = lineWidth(viewport.k);
  context.globalAlpha = steppedBack ? 0.4 : viewport.k < STRAIGHT_BELOW ? 0.55 : 1;
  strokeKinds(context, scene, plain, palette.edge);
  context.globalAlpha = steppedBack ? 0.4 : 1;
  strokeKinds(context, scene, flowing, palette.status.RUNNING);
  context.globalAlpha = 1;
  drawPath(context, scene, path);
}

/** The lit edges alone, over whatever is there. */
export function drawPath(context: CanvasRenderingContext2D, scene: EdgeScene, path: Iterable<Edge>): void {
  context.lineWidth = lineWidth(scene.viewport.k) + 0.6;
  strokeKinds(context, scene, [...path], scene.palette.accent);
}

function lineWidth(k: number): number {
  return Math.min(Math.max(1.4 * k, 0.8), 1.6);
}

function strokeKinds(
  context: CanvasRenderingContext2D,
  { placement, viewport }: EdgeScene,
  edges: readonly Edge[],
  colour: string,
): void {
  if (edges.length === 0) return;
  const pen = new Pen(context, placement, viewport);
  context.strokeStyle = colour;
  context.fillStyle = colour;
  for (const dashed of [false, true]) {
    const these = edges.filter((edge) => (edge.kind !== "data") === dashed);
    if (these.length === 0) continue;
    context.setLineDash(dashed && viewport.k >= STRAIGHT_BELOW ? DASH : []);
    context.beginPath();
    for (const edge of these) pen.trace(edge);
    context.stroke();
  }
  context.setLineDash([]);
  if (!pen.hasArrows) return;
  context.beginPath();
  for (const edge of edges) pen.arrow(edge);
  context.fill();
}

const boxes = new WeakMap<Placement, Float32Array>();

/** O(edges), but only four comparisons each. */
function inView({ topology: { edges }, placement }: EdgeScene, seen: Box): Edge[] {
  let bounds = boxes.get(placement);
  if (bounds?.length !== edges.length * 4) {
    bounds = boundsOf(edges, placement);
    boxes.set(placement, bounds);
  }
  const [right, bottom] = [seen.x + seen.width, seen.y + seen.height];
  const found: Edge[] = [];
  for (let i = 0, at = 0; i < edges.length; i++, at += 4) {
    const edge = edges[i];
    if (
      edge !== undefined &&
      (bounds[at] ?? 0) <= right &&
      (bounds[at + 1] ?? 0) <= bottom &&
      (bounds[at + 2] ?? 0) >= seen.x &&
      (bounds[at + 3] ?? 0) >= seen.y
    )
      found.push(edge);
  }
  return found;
}

function boundsOf(edges: readonly Edge[], { x, y, bends }: Placement): Float32Array {
  const bounds = new Float32Array(edges.length * 4);
  edges.forEach((edge, i) => {
    const points = [
      { x: x[edge.from] ?? 0, y: y[edge.from] ?? 0 },
      { x: x[edge.to] ?? 0, y: y[edge.to] ?? 0 },
      ...(bends.get(edge) ?? []),
    ];
    let [left, top] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    let [right, bottom] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const point of points) {
      left = Math.min(left, point.x);
      top = Math.min(top, point.y);
      right = Math.max(right, point.x);
      bottom = Math.max(bottom, point.y);
    }
    bounds.set([left - CARD_WIDTH / 2, top - CARD_HEIGHT, right + CARD_WIDTH / 2, bottom + CARD_HEIGHT], i * 4);
  });
  return bounds;
}

const BITMAP_FROM_EDGES = 1500;
const MAX_BITMAP_PX = 2400;
/** How much the picture may be enlarged before it looks blurred. */
const MAX_ENLARGED = 2;

/** All edges at once as a picture, for when the view is far out and there are thousands. */
export class EdgeBitmap {
  #canvas: HTMLCanvasElement | null = null;
  #of: readonly unknown[] = [];

  /** False if it is of no use for this view. */
  draw(context: CanvasRenderingContext2D, scene: EdgeScene): boolean {
    const { placement, topology, palette, viewport, lit, matched } = scene;
    const { box } = placement;
    const k = Math.min(MAX_BITMAP_PX / Math.max(box.width, box.height), STRAIGHT_BELOW * 0.99);
    if (topology.edges.length < BITMAP_FROM_EDGES || viewport.k > Math.min(k * MAX_ENLARGED, STRAIGHT_BELOW))
      return false;
    const of = [placement, topology, palette];
    if (this.#canvas === null || of.some((each, i) => each !== this.#of[i])) {
      this.#of = of;
      this.#canvas = document.createElement("canvas");
      this.#canvas.width = Math.ceil(box.width * k);
      this.#canvas.height = Math.ceil(box.height * k);
      const inner = this.#canvas.getContext("2d");
      if (inner === null) return false;
      const size = { width: box.width * k, height: box.height * k };
      const all = { ...scene, nodes: [], lit: new Set<Edge>(), matched: null, size };
      drawEdges(inner, { ...all, viewport: new Viewport(k, -box.x * k, -box.y * k) });
    }
    const { x, y } = viewport.toScreen(box);
    context.globalAlpha = lit.size > 0 || matched !== null ? 0.5 : 1;
    context.drawImage(this.#canvas, x, y, box.width * viewport.k, box.height * viewport.k);
    context.globalAlpha = 1;
    drawPath(context, scene, lit);
    return true;
  }
}
