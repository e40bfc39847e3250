/** Draws the nodes: cards with all they say when near, chips with a name further out, coloured marks from afar. */

import { ICONS } from "../icons";
import { CARD_HEIGHT, CARD_WIDTH, cardSize, type Placement } from "../placement";
import { attempts, subtitle } from "../select";
import type { NodeState } from "../state";
import { NODE_STATUSES, type NodeStatus } from "../status";
import type { Progress } from "../store";
import { inWords, type Tally } from "../tally";
import type { Palette } from "../theme";
import type { Viewport } from "../viewport";
import type { Labels } from "./labels";

/** Round corners cost several times a plain rectangle and are hardly seen among so many. */
const ROUND_UP_TO = 500;
const CHIP_FROM = 0.24;
const TRIES_FROM = 0.36;
const CARD_FROM = 0.72;
const TINTED: ReadonlySet<NodeStatus> = new Set(["RUNNING", "WAITING", "RETRYING", "FAILED"]);
/** From afar what is over steps back, so that what goes on and what went wrong stand out. */
const MARK_ALPHA: { readonly [K in NodeStatus]?: number } = { PENDING: 0.4, DONE: 0.6, SKIPPED: 0.5, CANCELLED: 0.5 };
const FADED: ReadonlySet<NodeStatus> = new Set(["SKIPPED", "CANCELLED"]);
const DIMMED_ALPHA = 0.22;

export interface CardScene {
  readonly nodes: readonly NodeState[];
  readonly placement: Placement;
  readonly viewport: Viewport;
  readonly palette: Palette;
  readonly labels: Labels;
  /** The container whose parts are drawn. */
  readonly inside: string;
  readonly selected: number | null;
  readonly hovered: number | null;
  readonly now: number;
  /** What containers say instead of their own subtitle. */
  readonly tallies: ReadonlyMap<number, Tally>;
  /** Those that fit the query, or have such inside; null without one. */
  readonly matched: ReadonlySet<number> | null;
  /** Those on the path under the pointer. */
  readonly onPath: ReadonlySet<number>;
  /** How far nodes are that have said so. */
  readonly moving: ReadonlyMap<NodeState, Progress>;
}

/** What a card shows at this scale; the mirror's tooltip fills in where it shows less than all. */
export function showsAll(k: number): boolean {
  return k >= CARD_FROM;
}

export function drawCards(context: CanvasRenderingContext2D, scene: CardScene, shown: readonly number[]): void {
  if (scene.viewport.k < CHIP_FROM) drawMarks(context, scene, shown);
  else for (const i of shown) drawCard(context, scene, i);
}

function drawMarks(context: CanvasRenderingContext2D, scene: CardScene, shown: readonly number[]): void {
  const { nodes, placement, viewport, palette, matched } = scene;
  const width = Math.max(CARD_WIDTH * viewport.k * 0.86, 3);
  const height = Math.max(CARD_HEIGHT * viewport.k * 0.8, 2);
  const round = height > 5 && shown.length <= ROUND_UP_TO;
  const byStatus = new Map<NodeStatus, number[]>(NODE_STATUSES.map((status) => [status, []]));
  for (const i of shown) {
    const status = nodes[i]?.status;
    if (status !== undefined) byStatus.get(status)?.push(i);
  }
  for (const [status, these] of byStatus) {
    context.fillStyle = palette.status[status];
    const isProblem = status === "FAILED" || status === "WAITING";
    const [wide, high] = isProblem ? [Math.max(width, 6), Math.max(height, 5)] : [width, height];
    context.globalAlpha = MARK_ALPHA[status] ?? 1;
    for (const i of these) {
      if (matched !== null) context.globalAlpha = matched.has(i) ? 1 : DIMMED_ALPHA * 0.7;
      const x = (placement.x[i] ?? 0) * viewport.k + viewport.x - wide / 2;
      const y = (placement.y[i] ?? 0) * viewport.k + viewport.y - high / 2;
      if (!round) {
        context.fillRect(x, y, wide, high);
        continue;
      }
      context.beginPath();
      context.roundRect(x, y, wide, high, 2);
      context.fill();
    }
  }
  context.globalAlpha = 1;
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  for (const i of [scene.selected, scene.hovered]) {
    if (i === null) continue;
    const { x, y } = viewport.toScreen({ x: placement.x[i] ?? 0, y: placement.y[i] ?? 0 });
    context.strokeRect(x - width / 2 - 2, y - height / 2 - 2, width + 4, height + 4);
  }
}

function drawCard(context: CanvasRenderingContext2D, scene: CardScene, i: number): void {
  const node = scene.nodes[i];
  if (node === undefined) return;
  const { viewport, palette, placement } = scene;
  const { k } = viewport;
  const card = cardSize(k);
  const [width, height] = [card.width * k, card.height * k];
  const left = (placement.x[i] ?? 0) * k + viewport.x - width / 2;
  const top = (placement.y[i] ?? 0) * k + viewport.y - height / 2;
  const { status } = node;
  const tally = scene.tallies.get(i);
  context.globalAlpha = scene.matched === null || scene.matched.has(i) ? 1 : DIMMED_ALPHA;
  const selected = scene.selected === i;
  const lit = selected || scene.hovered === i || scene.onPath.has(i);
  context.fillStyle = TINTED.has(status) ? palette.tint[status] : palette.card;
  context.strokeStyle = lit ? palette.accent : TINTED.has(status) ? palette.status[status] : palette.line;
  context.lineWidth = 1;
  if (FADED.has(status)) context.setLineDash([3, 3]);
  if (tally !== undefined) drawStack(context, left, top, width, height, k);
  context.lineWidth = selected ? 2 : 1;
  context.beginPath();
  context.roundRect(left, top, width, height, Math.max(8 * k, 3));
  context.fill();
  context.stroke();
  context.setLineDash([]);
  const share = scene.moving.get(node)?.share ?? null;
  if (tally !== undefined || share !== null) {
    const bar = Math.max(3 * k, 2);
    context.save();
    context.clip();
    if (tally !== undefined) drawTally(context, palette, tally, left, top + height - bar, width, bar);
    else {
      context.fillStyle = palette.status[status];
      context.fillRect(left, top + height - bar, width * (share ?? 0), bar);
    }
    context.restore();
  }
  const { icon, pad, gap } = insideOf(k);
  drawIcon(context, palette, status, left + pad, top + (height - icon) / 2, icon);
  drawText(context, scene, i, left + pad + icon + gap, top, left + width - pad);
  context.globalAlpha = 1;
}

/** What a card leaves free for its name, in px: little where it is small. */
function insideOf(k: number): { icon: number; pad: number; gap: number } {
  if (k >= CARD_FROM) return { icon: 16 * k, pad: 10 * k, gap: 8 * k };
  return { icon: Math.max(15 * k, 8), pad: Math.max(8 * k, 2.5), gap: Math.max(6 * k, 2.5) };
}

/** A second card behind the first: there is something inside. */
function drawStack(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  width: number,
  height: number,
  k: number,
): void {
  const by = Math.max(4 * k, 2);
  context.beginPath();
  context.roundRect(left + by, top + by, width, height, Math.max(8 * k, 3));
  context.fill();
  context.stroke();
}

/** The parts by status, as a share of all of them; what is to come stays empty. */
function drawTally(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { counts, total }: Tally,
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  let x = left;
  for (const { status, n } of counts) {
    const length = (width * n) / total;
    if (status !== "PENDING") {
      context.fillStyle = palette.status[status];
      context.fillRect(x, top, Math.max(length, status === "FAILED" ? 2 : 0), height);
    }
    x += length;
  }
}

function drawText(
  context: CanvasRenderingContext2D,
  { viewport, palette, labels, now, tallies, moving, nodes, inside }: CardScene,
  i: number,
  left: number,
  top: number,
  right: number,
): void {
  const node = nodes[i];
  if (node === undefined) return;
  const { k } = viewport;
  const middle = top + (cardSize(k).height * k) / 2;
  const muted = FADED.has(node.status) || node.status === "PENDING";
  const both = k >= CARD_FROM;
  const nameSize = Math.max(Math.round(12.5 * k * 2) / 2, k < TRIES_FROM ? 9 : 9.5);
  context.textBaseline = "middle";
  context.textAlign = "left";
  const tries = k < TRIES_FROM ? "" : attempts(node);
  const triesSize = Math.max(10.5 * k, 9);
  const triesWidth = tries === "" ? 0 : labels.width(tries, triesSize, 500) + 6;
  const nameRoom = right - left - (both ? 0 : triesWidth);
  const write = (text: string, x: number, y: number, size: number, weight: number, colour: string): void => {
    context.font = labels.font(size, weight);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  };
  const name = shortName(node.info.name, inside);
  const isTall = !both && cardSize(k).height * k > 2 * nameSize;
  const lines = isTall ? labels.inTwo(name, nameSize, nameRoom, 500) : [labels.cut(name, nameSize, nameRoom, 500)];
  lines.forEach((line, n) => {
    const y = both ? middle - 8 * k : middle + 0.5 + (n - (lines.length - 1) / 2) * nameSize * 1.04;
    write(line, left, y, nameSize, 500, muted ? palette.soft : palette.text);
  });
  if (tries !== "") {
    const colour = palette.status[node.status === "DONE" ? "RETRYING" : node.status];
    write(tries, right - triesWidth + 6, both ? middle + 9 * k : middle + 0.5, triesSize, 500, colour);
  }
  if (!both) return;
  const size = Math.round(11 * k * 2) / 2;
  const colour = TINTED.has(node.status) ? palette.status[node.status] : palette.soft;
  const tally = tallies.get(i);
  const said = tally === undefined ? (moving.get(node)?.text ?? subtitle(node, now)) : inWords(tally);
  write(labels.cut(said, size, right - left - triesWidth), left, middle + 9 * k, size, 400, colour);
}

/** Inside of a container its own name goes without saying. */
function shortName(name: string, inside: string): string {
  return inside !== "" && name.startsWith(`${inside}/`) ? name.slice(inside.length + 1) : name;
}

const paths = new Map<string, Path2D>();

function pathOf(data: string): Path2D {
  let path = paths.get(data);
  if (path === undefined) {
    path = new Path2D(data);
    paths.set(data, path);
  }
  return path;
}

function drawIcon(
  context: CanvasRenderingContext2D,
  palette: Palette,
  status: NodeStatus,
  x: number,
  y: number,
  size: number,
): void {
  const { body, mark, solid } = ICONS[status];
  const colour = palette.status[status];
  context.save();
  context.translate(x, y);
  context.scale(size / 16, size / 16);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = 1.5;
  context.strokeStyle = colour;
  if (solid) {
    context.fillStyle = colour;
    context.fill(pathOf(body));
    context.strokeStyle = palette.mark;
    context.lineWidth = 1.7;
  } else if (body !== "") {
    if (status === "PENDING") context.setLineDash([2.2, 2.2]);
    context.stroke(pathOf(body));
    context.setLineDash([]);
  }
  context.stroke(pathOf(mark));
  context.restore();
}
