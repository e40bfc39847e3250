/** The canvas: given where everything stands, it draws the graph. */

import { cleared } from "../canvas";
import { h } from "../dom";
import type { Frame } from "../frames";
import type { Placement } from "../placement";
import type { NodeState } from "../state";
import type { Progress } from "../store";
import type { Tally } from "../tally";
import { type Palette, readPalette } from "../theme";
import type { Edge, Topology } from "../topology";
import type { Size, Viewport } from "../viewport";
import { drawCards } from "./cards";
import { drawEdges, EdgeBitmap } from "./edges";
import { Labels } from "./labels";
import { drawFrames } from "./outlines";

export interface Scene {
  readonly topology: Topology;
  readonly placement: Placement;
  readonly nodes: readonly NodeState[];
  readonly viewport: Viewport;
  readonly size: Size;
  /** The edges of the path under the pointer. */
  readonly lit: ReadonlySet<Edge>;
  readonly selected: number | null;
  readonly hovered: number | null;
  readonly now: number;
  readonly tallies: ReadonlyMap<number, Tally>;
  readonly frames: readonly Frame[];
  readonly matched: ReadonlySet<number> | null;
  readonly onPath: ReadonlySet<number>;
  readonly moving: ReadonlyMap<NodeState, Progress>;
  /** Nodes are on their way to their places. */
  readonly gliding: boolean;
}

export class Picture {
  readonly element = h("canvas", { class: "gr-canvas", "aria-hidden": "true" });
  readonly #bitmap = new EdgeBitmap();
  #palette: Palette | null = null;
  #labels: Labels | null = null;

  get palette(): Palette {
    this.#palette ??= readPalette(this.element);
    return this.#palette;
  }

  /** The style sheet's colours may have changed. */
  restyle(): void {
    this.#palette = null;
  }

  draw(scene: Scene, shown: readonly number[]): void {
    const context = cleared(this.element, scene.size);
    if (context === null) return;
    const { palette } = this;
    if (this.#labels?.family !== palette.font) this.#labels = new Labels(context, palette.font);
    if (!scene.gliding) drawFrames(context, scene.frames, scene.viewport, palette, this.#labels);
    if (scene.gliding || !this.#bitmap.draw(context, { ...scene, palette })) drawEdges(context, { ...scene, palette });
    drawCards(context, { ...scene, palette, labels: this.#labels, inside: scene.topology.inside }, shown);
  }
}
