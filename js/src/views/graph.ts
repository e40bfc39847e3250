/** The graph: a canvas that is drawn when something changed, under a mirror of real elements. */

import { effect } from "@preact/signals-core";
import { Camera, eased } from "../camera";
import { h } from "../dom";
import type { Local } from "../local";
import { neighbour } from "../navigate";
import { between, CARD_HEIGHT, CARD_WIDTH, type Placement, placementOf } from "../placement";
import { elementCounts, firstProblem, inOneLine, nextProblem } from "../select";
import { Buckets } from "../spatial";
import type { NodeState } from "../state";
import type { Store } from "../store";
import { prefersStillness } from "../theme";
import { type Edge, pathEdges } from "../topology";
import { type Box, broughtIn, centred, fitted, type Point, type Size, type Viewport } from "../viewport";
import { showsAll } from "./cards";
import { gestures } from "./gestures";
import { keys } from "./keys";
import { MAX_ITEMS, mirror, Tip } from "./mirror";
import { Picture } from "./picture";

const PADDING_PX = 28;
const GLIDE_MS = 420;
const READABLE_K = 0.75;
const NAMES_FROM_K = 0.36;
const MIRROR_MS = 120;

export class GraphView {
  readonly element: HTMLElement;
  readonly #picture = new Picture();
  readonly #mirror = mirror((dx, dy) => this.#steer(() => this.#camera.jump(this.#camera.target.panned(dx, dy))));
  readonly #tip = new Tip();
  readonly #empty = h("div", { class: "gr-empty" }, "Waiting for the kernel…");
  readonly #camera = new Camera();
  #size: Size = { width: 0, height: 0 };
  #placement: Placement;
  #from: Placement;
  #glideStart = Number.NEGATIVE_INFINITY;
  #buckets: Buckets;
  #nodes: NodeState[] = [];
  #lit: ReadonlySet<Edge> = new Set();
  #frame = 0;
  #problemShown = false;
  #subject: string | null = null;
  #mirrorStale = true;
  #mirrorTimer: ReturnType<typeof setTimeout> | undefined;
  #shown: readonly number[] = [];

  constructor(
    private readonly store: Store,
    private readonly local: Local,
    signal: AbortSignal,
  ) {
    this.#placement = placementOf(local.topology.value, store.layout);
    this.#from = this.#placement;
    this.#buckets = new Buckets(this.#placement, local.topology.peek().element);
    this.element = h(
      "div",
      { class: "gr-stage" },
      this.#picture.element,
      this.#mirror.element,
      this.#tip.element,
      this.#empty,
    );
    gestures(
      this.element,
      {
        pan: (dx, dy) => this.#steer(() => this.#camera.jump(this.#camera.target.panned(dx, dy))),
        zoom: (at, factor) => this.#steer(() => this.#camera.jump(this.#camera.target.zoomedAt(at, factor))),
        click: (at, target) => this.#click(at, target),
        hover: (at) => this.#hover(at),
      },
      signal,
    );
    const problem = (): void => local.select(nextProblem(store.state, local.selected.peek()));
    keys(
      this.element,
      { zoom: (factor) => this.#zoom(factor), fit: () => this.fit(), problem, go: (key) => this.#go(key) },
      signal,
    );
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this.element);
    const stops = [
      effect(() => this.#replace(store.placed.value)),
      effect(() => this.#refresh(store.version.value)),
      effect(() => this.#choose(local.selected.value)),
      effect(() => this.#light(local.hovered.value)),
      effect(() => this.#tick(local.now.value)),
      effect(() => this.#progress(store.progressed.value)),
    ];
    signal.addEventListener("abort", () => {
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#mirrorTimer);
      for (const stop of stops) stop();
    });
  }

  /** Shows all of the graph, and keeps it in view as it grows. */
  fit(): void {
    this.local.steered = false;
    this.#problemShown = true;
    this.#subject = null;
    this.#camera.glide(this.#aim(), performance.now());
    this.#draw();
  }

  focus(): void {
    this.#mirror.tree.focus({ preventScroll: true });
  }

  /** The style sheet's colours may have changed. */
  restyle(): void {
    this.#picture.restyle();
    this.#draw();
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width === 0 || height === 0) return;
    this.#size = { width, height };
    this.#picture.resize(this.#size);
    const selected = this.#selected();
    const aim = this.#aim();
    if (!this.local.steered && (selected === null || aim.k >= READABLE_K)) this.#camera.jump(aim);
    else if (selected !== null) this.#bringIn(selected);
    // Now and not in the next frame: a canvas that has just been given a size is blank.
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#paint(performance.now());
  }

  /** A new layout, or a graph that has grown: glide there. */
  #replace(_: number): void {
    const next = placementOf(this.local.topology.value, this.store.layout);
    const now = performance.now();
    const first = this.#placement.x.length === 0;
    this.#from = this.#shownPlacement(now);
    this.#placement = next;
    this.#buckets = new Buckets(next, this.local.topology.peek().element);
    this.#mirrorStale = true;
    this.#glideStart = first || prefersStillness() ? Number.NEGATIVE_INFINITY : now;
    if (this.#free() && this.#size.width > 0) {
      if (first) this.#camera.jump(this.#aim());
      else this.#camera.glide(this.#aim(), now);
    }
    this.#draw();
  }

  #refresh(_: number): void {
    this.#nodes = [...this.store.state.nodes.values()];
    this.#mirrorStale = true;
    this.#empty.hidden = this.store.state.seq > 0;
    this.#showProblem();
    this.#draw();
  }

  /** Where to look as long as the person has not chosen: at the whole graph, or at what needs them. */
  #aim(): Viewport {
    const i = this.#subject === null ? undefined : this.local.topology.peek().index.get(this.#subject);
    if (i === undefined) return fitted(this.#placement.box, this.#size, PADDING_PX);
    const at = { x: this.#placement.x[i] ?? 0, y: this.#placement.y[i] ?? 0 };
    return centred(at, this.#size, READABLE_K);
  }

  #free(): boolean {
    return !this.local.steered && this.local.selected.peek() === null;
  }

  /** Once, and only where the whole graph is too small to read. */
  #showProblem(): void {
    if (this.#problemShown || !this.#free() || this.#size.width === 0) return;
    const id = firstProblem(this.store.state);
    if (id === null) return;
    this.#problemShown = true;
    if (this.#camera.target.k >= NAMES_FROM_K) return;
    this.#subject = id;
    this.#camera.glide(this.#aim(), performance.now());
  }

  #choose(id: string | null): void {
    const i = id === null ? undefined : this.local.topology.peek().index.get(id);
    if (i !== undefined) this.#bringIn(i);
    else if (this.#size.width > 0 && !this.local.steered) this.#camera.glide(this.#aim(), performance.now());
    this.#mirrorStale = true;
    this.#draw();
  }

  #bringIn(i: number): void {
    if (this.#size.width === 0) return;
    const to = broughtIn(this.#camera.target, this.#cardBox(i), this.#size, PADDING_PX);
    if (!to.equals(this.#camera.target)) this.#camera.glide(to, performance.now());
  }

  #light(hovered: number | null): void {
    const topology = this.local.topology.peek();
    this.#lit = hovered === null ? new Set() : pathEdges(topology, hovered);
    const node = hovered === null ? undefined : this.#nodes[hovered];
    if (node === undefined || hovered === null || showsAll(this.#camera.target.k)) {
      this.#tip.hide();
    } else {
      const at = this.#camera.target.toScreen(this.#cardBox(hovered));
      const text = inOneLine(node, this.local.now.peek());
      this.#tip.show(text, at.x + (CARD_WIDTH * this.#camera.target.k) / 2, Math.max(at.y - 6, 26));
    }
    this.#draw();
  }

  #tick(_: number): void {
    if (this.#nodes.some(({ status }) => status === "RUNNING" || status === "RETRYING" || status === "WAITING"))
      this.#draw();
  }

  #progress(_: number): void {
    this.#draw();
  }

  #steer(move: () => void): void {
    this.local.steered = true;
    move();
    this.#tip.hide();
    this.#draw();
  }

  #click(at: Point, target: EventTarget | null): void {
    const i = this.#mirror.nodeOf(target) ?? this.#buckets.at(this.#camera.target.toWorld(at));
    this.local.select(i === null ? null : (this.local.topology.peek().ids[i] ?? null));
    this.focus();
  }

  #hover(at: Point | null): void {
    this.local.hovered.value = at === null ? null : this.#buckets.at(this.#camera.target.toWorld(at));
  }

  /** From nowhere the first step leads to the first node. */
  #go(key: string): void {
    const topology = this.local.topology.peek();
    const from = this.#selected();
    const to = from === null && key !== "End" ? 0 : neighbour(topology, this.#placement, from ?? 0, key);
    const id = to === null ? undefined : topology.ids[to];
    if (id !== undefined) this.local.select(id);
  }

  #zoom(factor: number): void {
    const middle = { x: this.#size.width / 2, y: this.#size.height / 2 };
    this.#steer(() => this.#camera.glide(this.#camera.target.zoomedAt(middle, factor), performance.now()));
  }

  #selected(): number | null {
    const id = this.local.selected.peek();
    return id === null ? null : (this.local.topology.peek().index.get(id) ?? null);
  }

  #cardBox(i: number): Box {
    const x = (this.#placement.x[i] ?? 0) - CARD_WIDTH / 2;
    return { x, y: (this.#placement.y[i] ?? 0) - CARD_HEIGHT / 2, width: CARD_WIDTH, height: CARD_HEIGHT };
  }

  #shownPlacement(now: number): Placement {
    return between(this.#from, this.#placement, eased((now - this.#glideStart) / GLIDE_MS));
  }

  /** With more nodes than items the choice of items follows the camera, but not in every frame. */
  #mirrorSoon(shown: readonly number[]): void {
    this.#shown = shown;
    this.#mirrorTimer ??= setTimeout(() => {
      this.#mirrorTimer = undefined;
      const [nodes, placement, selected] = [this.#nodes, this.#placement, this.#selected()];
      this.#mirror.update({
        nodes,
        placement,
        selected,
        element: this.local.topology.peek().element,
        shown: this.#shown,
      });
    }, MIRROR_MS);
  }

  #draw(): void {
    if (this.#frame !== 0 || this.#size.width === 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      this.#paint(now);
    });
  }

  #paint(now: number): void {
    const viewport = this.#camera.at(now);
    const placement = this.#shownPlacement(now);
    const gliding = placement !== this.#placement;
    const nodes = this.#nodes;
    const { element } = this.local.topology.peek();
    const shown = gliding
      ? [...nodes.keys()].filter((i) => !element.has(i))
      : this.#buckets.within(viewport.visible(this.#size));
    const selected = this.#selected();
    this.#picture.draw(
      {
        topology: this.local.topology.peek(),
        placement,
        nodes,
        viewport,
        size: this.#size,
        lit: this.#lit,
        selected,
        hovered: this.local.hovered.peek(),
        now: this.local.now.peek(),
        elements: elementCounts(nodes, this.local.topology.peek()),
        moving: this.store.moving(),
        gliding,
      },
      shown,
    );
    this.#mirror.move(viewport);
    if (nodes.length > MAX_ITEMS) this.#mirrorSoon(shown);
    else if (this.#mirrorStale || gliding) this.#mirror.update({ nodes, placement, selected, element, shown });
    this.#mirrorStale = gliding;
    if (gliding || this.#camera.moving(now)) this.#draw();
  }
}
