/** Where one looks: at the whole graph as long as the person has not chosen, then where they went. */

import { Camera } from "../camera";
import type { Local } from "../local";
import { CARD_HEIGHT, CARD_WIDTH, type Placement } from "../placement";
import type { Topology } from "../topology";
import { type Box, broughtIn, centred, fitted, type Point, type Size, type Viewport } from "../viewport";

const PADDING_PX = 28;
const CRUMBS_PX = 24;
const READABLE_K = 0.75;
const NAMES_FROM_K = 0.36;
/** How much further away the first look into a container begins. */
const STEP_IN = 0.85;

export interface World {
  readonly topology: Topology;
  readonly placement: Placement;
}

export class Lookout {
  readonly camera = new Camera();
  size: Size = { width: 0, height: 0 };
  /** Where one looked inside of containers that one has left. */
  readonly #looks = new Map<string, Viewport>();
  #subject: string | null = null;
  #problemShown = false;

  constructor(
    private readonly local: Local,
    private readonly world: () => World,
  ) {}

  get isOpen(): boolean {
    return this.size.width > 0;
  }

  /** Nobody has gone anywhere, so the view may move by itself. */
  get isFree(): boolean {
    return this.isOpen && !this.local.steered && this.local.selected.peek() === null;
  }

  /** Shows all, and keeps it in view as it grows. */
  fit(): void {
    this.local.steered = false;
    this.#problemShown = true;
    this.#subject = null;
    this.#glide(this.#aim());
  }

  resize(size: Size, selected: number | null): void {
    this.size = size;
    const aim = this.#aim();
    if (!this.local.steered && (selected === null || aim.k >= READABLE_K)) this.camera.jump(aim);
    else if (selected !== null) this.bringIn(selected);
  }

  /** Follows a graph that has grown or moved. */
  follow(isFirst: boolean): void {
    if (!this.isFree) return;
    if (isFirst) this.camera.jump(this.#aim());
    else this.#glide(this.#aim());
  }

  /** The layout has come of what one has gone into for the sake of a node. */
  settle(node: number): void {
    if (!this.isOpen || this.local.steered) return;
    const aim = this.#aim();
    if (aim.k < NAMES_FROM_K) this.#closeIn(node);
    else {
      this.#glide(aim);
      this.bringIn(node);
    }
  }

  /** From one container to another: closer or further, to where one looked before. */
  step(before: Topology, selected: number | null): void {
    const { topology } = this.world();
    if (this.local.steered) this.#looks.set(before.inside, this.camera.target);
    else this.#looks.delete(before.inside);
    const look = this.#looks.get(topology.inside);
    this.local.steered = look !== undefined;
    this.#subject = null;
    if (!this.isOpen) return;
    const to = look ?? this.#aim();
    const entered = before.index.get(topology.inside);
    const isDeeper = entered !== undefined && (before.member[entered] ?? -1) >= 0;
    this.camera.jump(to.zoomedAt(this.#middle(), isDeeper ? STEP_IN : 1 / STEP_IN));
    this.#glide(to);
    if (selected !== null) this.bringIn(selected);
  }

  /** A problem is shown once, and only where the whole graph is too small to read. */
  showProblem(first: () => string | null): void {
    if (this.#problemShown || !this.isFree) return;
    const id = first();
    if (id === null) return;
    this.#problemShown = true;
    if (this.camera.target.k >= NAMES_FROM_K) return;
    this.#subject = id;
    this.#glide(this.#aim());
  }

  /** As a selection asks for; without one, back to the whole. */
  choose(selected: number | null): void {
    if (selected === null) {
      if (this.isOpen && !this.local.steered) this.#glide(this.#aim());
    } else if (this.local.seeking && this.camera.target.k < NAMES_FROM_K) this.#closeIn(selected);
    else this.bringIn(selected);
  }

  /** No further than needed for the node to be seen. */
  bringIn(node: number): void {
    if (!this.isOpen || this.world().topology.member[node] !== node) return;
    const to = broughtIn(this.camera.target, this.cardBox(node), this.size, PADDING_PX);
    if (!to.equals(this.camera.target)) this.#glide(to);
  }

  #closeIn(node: number): void {
    const { topology, placement } = this.world();
    if (!this.isOpen || topology.member[node] !== node) return;
    this.#glide(centred({ x: placement.x[node] ?? 0, y: placement.y[node] ?? 0 }, this.size, READABLE_K));
  }

  zoom(factor: number): void {
    this.#glide(this.camera.target.zoomedAt(this.#middle(), factor));
  }

  centre(world: Point): void {
    this.camera.jump(centred(world, this.size, this.camera.target.k));
  }

  /** Fills the screen with a part of the world. */
  closeUp(box: Box): void {
    this.#glide(fitted(box, this.size, PADDING_PX));
  }

  cardBox(node: number): Box {
    const { x, y } = this.world().placement;
    const [left, top] = [(x[node] ?? 0) - CARD_WIDTH / 2, (y[node] ?? 0) - CARD_HEIGHT / 2];
    return { x: left, y: top, width: CARD_WIDTH, height: CARD_HEIGHT };
  }

  #aim(): Viewport {
    const { topology, placement } = this.world();
    const node = this.#subject === null ? undefined : topology.index.get(this.#subject);
    if (node === undefined) return fitted(placement.box, this.size, PADDING_PX, topology.inside === "" ? 0 : CRUMBS_PX);
    return centred({ x: placement.x[node] ?? 0, y: placement.y[node] ?? 0 }, this.size, READABLE_K);
  }

  #glide(to: Viewport): void {
    this.camera.glide(to, performance.now());
  }

  #middle(): Point {
    return { x: this.size.width / 2, y: this.size.height / 2 };
  }
}
