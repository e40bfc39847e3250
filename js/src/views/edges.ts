/** Draws the edges: flat past the ranks, curved in the channels between them. */

import { CARD_HEIGHT, cardSize, type Placement } from "../placement";
import type { NodeState } from "../state";
import type { Palette } from "../theme";
import type { Edge, Topology } from "../topology";
import { type Box, type Size, Viewport } from "../viewport";

const ARROW_FROM = 0.4;
const STRAIGHT_BELOW = 0.2;
const DASH = [4, 4];

export interface EdgeScene {
  readonly topology: Topology;
  readonly placement: Placement;
  readonly nodes: readonly NodeState[];
  readonly viewport: Viewport;
  readonly size: Size;
  readonly palette: Palette;
  readonly lit: ReadonlySet<Edge>;
}

export function drawEdges(context: CanvasRenderingContext2D, scene: EdgeScene): void {
  const { topology, viewport, size, palette, lit, nodes } = scene;
  const seen = viewport.visible(size);
  const shown = topology.edges.filter((edge) => touches(scene.placement, edge, seen));
  const flowing = (edge: Edge): boolean => nodes[edge.to]?.status === "RUNNING";
  const plain = shown.filter((edge) => !lit.has(edge) && !flowing(edge));
  const width = Math.min(Math.max(1.4 * viewport.k, 0.8), 1.6);
  context.lineWidth = width;
  context.globalAlpha = lit.size > 0 ? 0.45 : viewport.k < STRAIGHT_BELOW ? 0.55 : 1;
  strokeKinds(context, scene, plain, palette.edge);
  context.globalAlpha = 1;
  strokeKinds(
    context,
    scene,
    shown.filter((edge) => !lit.has(edge) && flowing(edge)),
    palette.status.RUNNING,
  );
  context.lineWidth = width + 0.6;
  strokeKinds(
    context,
    scene,
    shown.filter((edge) => lit.has(edge)),
    palette.accent,
  );
}

function strokeKinds(
  context: CanvasRenderingContext2D,
  scene: EdgeScene,
  edges: readonly Edge[],
  colour: string,
): void {
  if (edges.length === 0) return;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  for (const dashed of [false, true]) {
    const these = edges.filter((edge) => (edge.kind !== "data") === dashed);
    if (these.length === 0) continue;
    context.setLineDash(dashed && scene.viewport.k >= STRAIGHT_BELOW ? DASH : []);
    context.beginPath();
    for (const edge of these) trace(context, scene, edge);
    context.stroke();
  }
  context.setLineDash([]);
  if (scene.viewport.k < ARROW_FROM) return;
  context.beginPath();
  for (const edge of edges) arrow(context, scene, edge);
  context.fill();
}

function trace(context: CanvasRenderingContext2D, { placement, viewport }: EdgeScene, edge: Edge): void {
  const { k } = viewport;
  const half = (cardSize(k).width / 2) * k;
  const at = (x: number, y: number): [number, number] => [x * k + viewport.x, y * k + viewport.y];
  const [fromX, fromY] = at(placement.x[edge.from] ?? 0, placement.y[edge.from] ?? 0);
  const [toX, toY] = at(placement.x[edge.to] ?? 0, placement.y[edge.to] ?? 0);
  const bends = placement.bends.get(edge) ?? [];
  let [x, y] = [fromX + half, fromY];
  const endX = toX - half - (k < ARROW_FROM ? 0 : 5 * k);
  context.moveTo(x, y);
  bends.forEach((bend, i) => {
    const [bendX, bendY] = at(bend.x, bend.y);
    const after = bends[i + 1];
    const nextX = after === undefined ? endX : after.x * k + viewport.x;
    const before = flat(bendX - x, half, k);
    const beyond = flat(nextX - bendX, half, k);
    curve(context, x, y, bendX - before, bendY, k);
    context.lineTo(bendX + beyond, bendY);
    [x, y] = [bendX + beyond, bendY];
  });
  curve(context, x, y, endX, toY, k);
  if (k >= ARROW_FROM) context.lineTo(toX - half - 2 * k, toY);
}

/** How far an edge runs level beside a bend: past the cards of that rank, as long as room is left for the curve. */
function flat(room: number, half: number, k: number): number {
  return Math.max(Math.min(half, room - Math.min(24 * k, room * 0.4)), 0);
}

function curve(context: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number, k: number): void {
  if (k < STRAIGHT_BELOW || Math.abs(toY - y) < 0.5) {
    context.lineTo(toX, toY);
    return;
  }
  const bow = Math.max(Math.abs(toX - x) / 2, 18 * k);
  context.bezierCurveTo(x + bow, y, toX - bow, toY, toX, toY);
}

function arrow(context: CanvasRenderingContext2D, { placement, viewport }: EdgeScene, edge: Edge): void {
  const { k } = viewport;
  const x = ((placement.x[edge.to] ?? 0) - cardSize(k).width / 2) * k + viewport.x - 1;
  const y = (placement.y[edge.to] ?? 0) * k + viewport.y;
  const size = Math.max(6 * k, 3.5);
  context.moveTo(x, y);
  context.lineTo(x - size, y - size * 0.55);
  context.lineTo(x - size, y + size * 0.55);
  context.closePath();
}

function touches(placement: Placement, edge: Edge, box: Box): boolean {
  const [x0, y0] = [placement.x[edge.from] ?? 0, placement.y[edge.from] ?? 0];
  const [x1, y1] = [placement.x[edge.to] ?? 0, placement.y[edge.to] ?? 0];
  if (Math.max(x0, x1) < box.x || Math.min(x0, x1) > box.x + box.width) return false;
  let [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)];
  for (const bend of placement.bends.get(edge) ?? []) {
    top = Math.min(top, bend.y);
    bottom = Math.max(bottom, bend.y);
  }
  return bottom + CARD_HEIGHT >= box.y && top - CARD_HEIGHT <= box.y + box.height;
}

const MAX_BITMAP_PX = 1200;

/** All edges at once as a picture, for when the view is far out and there are thousands. */
export class EdgeBitmap {
  #canvas: HTMLCanvasElement | null = null;
  #of: readonly unknown[] = [];

  draw(context: CanvasRenderingContext2D, scene: EdgeScene): void {
    const { placement, topology, palette, viewport } = scene;
    const { box } = placement;
    const k = Math.min(MAX_BITMAP_PX / Math.max(box.width, box.height), STRAIGHT_BELOW);
    const of = [placement, topology, palette];
    if (this.#canvas === null || of.some((each, i) => each !== this.#of[i])) {
      this.#of = of;
      this.#canvas = document.createElement("canvas");
      this.#canvas.width = Math.ceil(box.width * k);
      this.#canvas.height = Math.ceil(box.height * k);
      const inner = this.#canvas.getContext("2d");
      if (inner === null) return;
      const all = { ...scene, nodes: [], lit: new Set<Edge>(), size: { width: box.width * k, height: box.height * k } };
      drawEdges(inner, { ...all, viewport: new Viewport(k, -box.x * k, -box.y * k) });
    }
    const { x, y } = viewport.toScreen(box);
    context.drawImage(this.#canvas, x, y, box.width * viewport.k, box.height * viewport.k);
  }
}
