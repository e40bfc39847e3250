/** The graph: a canvas that is drawn when something changed, under a mirror of real elements. */

import { effect } from "@preact/signals-core";
import { Camera } from "../camera";
import { h } from "../dom";
import { type Frame, frameAt, framesOf } from "../frames";
import { Glide } from "../glide";
import type { Local } from "../local";
import { neighbour } from "../navigate";
import { CARD_HEIGHT, CARD_WIDTH, type Direction, placementOf } from "../placement";
import { firstProblem, inOneLine, nextProblem } from "../select";
import { Buckets } from "../spatial";
import type { NodeState } from "../state";
import type { Store } from "../store";
import { inWords, type Tally, tallies } from "../tally";
import { type Edge, edgesAlong, pathEdges, type Topology } from "../topology";
import { type Box, broughtIn, centred, fitted, type Point, type Size, type Viewport } from "../viewport";
import { showsAll } from "./cards";
import { gestures } from "./gestures";
import { keys } from "./keys";
import { MAX_ITEMS, mirror, Tip } from "./mirror";
import { Picture } from "./picture";

const PADDING_PX = 28;
const CRUMBS_PX = 24;
const READABLE_K = 0.75;
const NAMES_FROM_K = 0.36;
const MIRROR_MS = 100;
const MOST_PUT_OFF = 30;
/** Narrower than this, two ranks beside each other are too small to read: ranks follow each other downwards. */
const DOWN_BELOW_PX = 480;
/** How much closer or further the first look into a container begins. */
const STEP_IN = 0.85;

export class GraphView {
  readonly element: HTMLElement;
  readonly #picture = new Picture();
  readonly #mirror = mirror((dx, dy) => this.#steer(() => this.#camera.jump(this.#camera.target.panned(dx, dy))));
  readonly #tip = new Tip();
  readonly #empty = h("div", { class: "gr-empty" }, "Waiting for the kernel…");
  readonly #camera = new Camera();
  readonly #glide: Glide;
  /** Where one looked inside of containers that one has left. */
  readonly #looks = new Map<string, Viewport>();
  #topology: Topology;
  #direction: Direction = "right";
  #size: Size = { width: 0, height: 0 };
  #buckets: Buckets;
  #nodes: NodeState[] = [];
  #tallies: ReadonlyMap<number, Tally> = new Map();
  #frames: readonly Frame[] = [];
  #matched: ReadonlySet<number> | null = null;
  #lit: ReadonlySet<Edge> = new Set();
  #onPath: ReadonlySet<number> = new Set();
  #frame = 0;
  #problemShown = false;
  #subject: string | null = null;
  #mirrorStale = true;
  #mirrorTimer: ReturnType<typeof setTimeout> | undefined;
  #mirrorPutOff = 0;
  #shown: readonly number[] = [];
  /** Where the mirror's elements lie; while it differs from the camera they are elsewhere than what they stand for. */
  #mirrored: Viewport = this.#camera.target;

  /** `ask` has the kernel place the parts of a container. */
  constructor(
    private readonly store: Store,
    private readonly local: Local,
    private readonly ask: (inside: string) => void,
    signal: AbortSignal,
  ) {
    this.#topology = local.topology.peek();
    const placement = placementOf(this.#topology, null);
    this.#glide = new Glide(placement);
    this.#buckets = new Buckets(placement, this.#topology.members);
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
        open: (at, target) => this.#openAt(at, target),
        hover: (at) => this.#hover(at),
      },
      signal,
    );
    keys(
      this.element,
      {
        zoom: (factor) => this.#zoom(factor),
        fit: () => this.fit(),
        problem: () => local.select(nextProblem(store.state, local.selected.peek())),
        go: (key) => this.#go(key),
        open: () => this.#open(this.#selected()),
        leave: () => this.#leave(),
      },
      signal,
    );
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this.element);
    const stops = [
      effect(() => {
        store.placed.value;
        this.#replace(local.topology.value);
      }),
      effect(() => this.#refresh(store.version.value)),
      effect(() => this.#choose(local.selected.value)),
      effect(() => this.#light(local.hovered.value, local.critical.value)),
      effect(() => this.#match(local.matches.value)),
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
    const direction = width < DOWN_BELOW_PX ? "down" : "right";
    if (direction !== this.#direction) {
      this.#direction = direction;
      this.#place();
    }
    const selected = this.#selected();
    const aim = this.#aim();
    if (!this.local.steered && (selected === null || aim.k >= READABLE_K)) this.#camera.jump(aim);
    else if (selected !== null) this.#bringIn(selected);
    // Now and not in the next frame: a canvas that has just been given a size is blank.
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#paint(performance.now());
  }

  /** A new layout, a graph that has grown, or another container. */
  #replace(topology: Topology): void {
    const before = this.#topology;
    const now = performance.now();
    const first = this.#glide.target.box.width <= 1;
    this.#topology = topology;
    if (topology.inside !== before.inside) {
      this.#step(before, topology);
      return;
    }
    this.#place(!first);
    if (this.#free() && this.#size.width > 0) {
      if (first) this.#camera.jump(this.#aim());
      else this.#camera.glide(this.#aim(), now);
    }
    this.#draw();
  }

  #place(gliding = false): void {
    const to = placementOf(this.#topology, this.store.layout(this.#topology.inside), this.#direction);
    if (gliding) this.#glide.go(to, performance.now());
    else this.#glide.jump(to);
    this.#buckets = new Buckets(to, this.#topology.members);
    this.#nodes = [...this.store.state.nodes.values()];
    this.#frames = framesOf(this.#nodes, this.#topology, to, this.#buckets);
    this.#recount();
    this.#mirrorStale = true;
  }

  /** Into a container or out of it: closer or further, to where one looked before. */
  #step(before: Topology, after: Topology): void {
    const now = performance.now();
    if (this.local.steered) this.#looks.set(before.inside, this.#camera.target);
    else this.#looks.delete(before.inside);
    const look = this.#looks.get(after.inside);
    this.local.steered = look !== undefined;
    this.local.hovered.value = null;
    this.#subject = null;
    this.#place();
    if (this.store.layout(after.inside) === null) this.ask(after.inside);
    if (this.#size.width === 0) return;
    const to = look ?? this.#aim();
    const inwards = after.inside !== "" && before.index.get(after.inside) !== undefined && before.member.length > 0;
    const isDeeper = inwards && before.member[before.index.get(after.inside) ?? -1] !== -1;
    const middle = { x: this.#size.width / 2, y: this.#size.height / 2 };
    this.#camera.jump(to.zoomedAt(middle, isDeeper ? STEP_IN : 1 / STEP_IN));
    this.#camera.glide(to, now);
    const selected = this.#selected();
    if (selected !== null) this.#bringIn(selected);
    this.#draw();
  }

  #refresh(_: number): void {
    this.#nodes = [...this.store.state.nodes.values()];
    this.#recount();
    this.#mirrorStale = true;
    this.#empty.hidden = this.store.state.seq > 0;
    this.#showProblem();
    this.#draw();
  }

  #recount(): void {
    this.#tallies = tallies(this.#nodes, this.#topology);
    this.#match(this.local.matches.peek());
  }

  /** A container whose parts match is where they are to be found. */
  #match(matches: readonly number[] | null): void {
    const { member } = this.#topology;
    this.#matched = matches === null ? null : new Set(matches.map((i) => member[i] ?? -1));
    this.#draw();
  }

  /** Where to look as long as the person has not chosen: at the whole graph, or at what needs them. */
  #aim(): Viewport {
    const { box, x, y } = this.#glide.target;
    const i = this.#subject === null ? undefined : this.#topology.index.get(this.#subject);
    if (i === undefined) return fitted(box, this.#size, PADDING_PX, this.#topology.inside === "" ? 0 : CRUMBS_PX);
    return centred({ x: x[i] ?? 0, y: y[i] ?? 0 }, this.#size, READABLE_K);
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
    const i = id === null ? null : this.#selected();
    if (i !== null) this.#bringIn(i);
    else if (this.#size.width > 0 && !this.local.steered) this.#camera.glide(this.#aim(), performance.now());
    this.#mirrorStale = true;
    this.#draw();
  }

  #bringIn(i: number): void {
    if (this.#size.width === 0 || this.#topology.member[i] !== i) return;
    const to = broughtIn(this.#camera.target, this.#cardBox(i), this.#size, PADDING_PX);
    if (!to.equals(this.#camera.target)) this.#camera.glide(to, performance.now());
  }

  #light(hovered: number | null, critical: readonly string[] | null): void {
    this.#lit = hovered === null ? edgesAlong(this.#topology, critical ?? []) : pathEdges(this.#topology, hovered);
    this.#onPath = new Set([...this.#lit].flatMap(({ from, to }) => [from, to]));
    const node = hovered === null ? undefined : this.#nodes[hovered];
    const tally = hovered === null ? undefined : this.#tallies.get(hovered);
    if (node === undefined || hovered === null || (showsAll(this.#camera.target.k) && tally === undefined)) {
      this.#tip.hide();
    } else {
      const at = this.#camera.target.toScreen(this.#cardBox(hovered));
      const text = inOneLine(node, this.local.now.peek());
      const more = tally === undefined ? "" : ` · ${inWords(tally)} · double-click to look inside`;
      this.#tip.show(text + more, at.x + (CARD_WIDTH * this.#camera.target.k) / 2, Math.max(at.y - 6, 26));
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

  #under(at: Point, target: EventTarget | null): number | null {
    const isThere = this.#mirrored.equals(this.#camera.target);
    return (isThere ? this.#mirror.nodeOf(target) : null) ?? this.#buckets.at(this.#camera.target.toWorld(at));
  }

  #click(at: Point, target: EventTarget | null): void {
    const i = this.#under(at, target);
    this.local.select(i === null ? null : (this.#topology.ids[i] ?? null));
    this.focus();
  }

  /** Looks into a container, or closer at a group. */
  #openAt(at: Point, target: EventTarget | null): void {
    const i = this.#under(at, target);
    const frame = i === null ? frameAt(this.#frames, this.#camera.target.toWorld(at)) : null;
    if (frame === null) this.#open(i);
    else this.#steer(() => this.#camera.glide(fitted(frame.box, this.#size, PADDING_PX), performance.now()));
  }

  #open(i: number | null): boolean {
    const id = i === null ? undefined : this.#topology.ids[i];
    if (i === null || id === undefined || !this.#topology.parts.has(i) || id === this.#topology.inside) return false;
    this.local.enter(id);
    this.focus();
    return true;
  }

  #leave(): boolean {
    if (this.#topology.inside === "" || this.local.selected.peek() !== null) return false;
    this.local.leave();
    return true;
  }

  #hover(at: Point | null): void {
    this.local.hovered.value = at === null ? null : this.#buckets.at(this.#camera.target.toWorld(at));
  }

  /** From nowhere the first step leads to the first node. */
  #go(key: string): void {
    const topology = this.#topology;
    const from = this.#selected();
    const lost = from === null || topology.member[from] !== from;
    const to =
      lost && key !== "End" ? (topology.members[0] ?? null) : neighbour(topology, this.#glide.target, from ?? 0, key);
    const id = to === null ? undefined : topology.ids[to];
    if (id !== undefined) this.local.select(id);
  }

  #zoom(factor: number): void {
    const middle = { x: this.#size.width / 2, y: this.#size.height / 2 };
    this.#steer(() => this.#camera.glide(this.#camera.target.zoomedAt(middle, factor), performance.now()));
  }

  #selected(): number | null {
    const id = this.local.selected.peek();
    return id === null ? null : (this.#topology.index.get(id) ?? null);
  }

  #cardBox(i: number): Box {
    const { x, y } = this.#glide.target;
    const left = (x[i] ?? 0) - CARD_WIDTH / 2;
    return { x: left, y: (y[i] ?? 0) - CARD_HEIGHT / 2, width: CARD_WIDTH, height: CARD_HEIGHT };
  }

  /** When it has come to rest, or at last: a moving layer of elements costs more than the picture itself. */
  #mirrorSoon(): void {
    if (this.#mirrorTimer !== undefined && ++this.#mirrorPutOff < MOST_PUT_OFF) clearTimeout(this.#mirrorTimer);
    else if (this.#mirrorTimer !== undefined) return;
    this.#mirrorTimer = setTimeout(() => {
      this.#mirrorTimer = undefined;
      this.#mirrorPutOff = 0;
      this.#reflect(performance.now());
    }, MIRROR_MS);
  }

  #reflect(now: number): void {
    const viewport = this.#camera.at(now);
    this.#mirror.move(viewport);
    this.#mirror.update({
      nodes: this.#nodes,
      placement: this.#glide.at(now),
      selected: this.#selected(),
      topology: this.#topology,
      shown: this.#shown,
    });
    this.#mirrored = viewport;
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
    const gliding = this.#glide.moving(now);
    const nodes = this.#nodes;
    const topology = this.#topology;
    const shown = gliding ? topology.members : this.#buckets.within(viewport.visible(this.#size));
    this.#picture.draw(
      {
        topology,
        placement: this.#glide.at(now),
        nodes,
        viewport,
        size: this.#size,
        lit: this.#lit,
        onPath: this.#onPath,
        matched: this.#matched,
        selected: this.#selected(),
        hovered: this.local.hovered.peek(),
        now: this.local.now.peek(),
        tallies: this.#tallies,
        frames: this.#frames,
        moving: this.store.moving(),
        gliding,
      },
      shown,
    );
    this.#shown = shown;
    const isMoving = gliding || !viewport.equals(this.#mirrored);
    if (isMoving || (this.#mirrorStale && nodes.length > MAX_ITEMS)) this.#mirrorSoon();
    else if (this.#mirrorStale) this.#reflect(now);
    this.#mirrorStale = false;
    if (gliding || this.#camera.moving(now)) this.#draw();
  }
}
