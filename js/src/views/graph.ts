/** The graph: a canvas that is drawn when something changed, under a mirror of real elements. */

import { h, set } from "../dom";
import { effects } from "../effects";
import { type Frame, frameAt, framesOf } from "../frames";
import { Glide } from "../glide";
import { isGroup, withGroups } from "../groups";
import type { Local } from "../local";
import { neighbour } from "../navigate";
import { type Direction, placementOf } from "../placement";
import { firstProblem, inOneLine, nextProblem } from "../select";
import { Buckets } from "../spatial";
import type { NodeState } from "../state";
import type { Store } from "../store";
import { inWords, type Tally, tallies } from "../tally";
import { type Edge, edgesAlong, pathEdges, type Topology } from "../topology";
import type { Point } from "../viewport";
import { showsAll } from "./cards";
import { gestures } from "./gestures";
import { keys } from "./keys";
import { Lookout } from "./lookout";
import { Minimap } from "./minimap";
import { mirror, Tip } from "./mirror";
import { Picture } from "./picture";
import { Reflection } from "./reflection";

/** In a widget narrower than this, ranks beside each other are too small to read: they follow each other downwards. */
const DOWN_BELOW_PX = 480;

export class GraphView {
  readonly element: HTMLElement;
  readonly minimap: HTMLElement;
  readonly #picture = new Picture();
  readonly #mirror = mirror((dx, dy) => this.#pan(dx, dy));
  readonly #reflection: Reflection;
  readonly #minimap: Minimap;
  readonly #tip = new Tip();
  readonly #empty = h("div", { class: "gr-empty" }, "Waiting for the kernel…");
  readonly #lookout: Lookout;
  readonly #glide: Glide;
  #topology: Topology;
  #direction: Direction = "right";
  #buckets: Buckets;
  #nodes: NodeState[] = [];
  #tallies: ReadonlyMap<number, Tally> = new Map();
  #frames: readonly Frame[] = [];
  #matched: ReadonlySet<number> | null = null;
  #lit: ReadonlySet<Edge> = new Set();
  #onPath: ReadonlySet<number> = new Set();
  #shown: readonly number[] = [];
  #frame = 0;

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
    this.#lookout = new Lookout(local, () => ({ topology: this.#topology, placement: this.#glide.target }));
    this.#reflection = new Reflection(this.#mirror, () => this.#reflected(), signal);
    this.#minimap = new Minimap((world) => this.#steer(() => this.#lookout.centre(world)), signal);
    this.minimap = this.#minimap.element;
    this.element = h(
      "div",
      { class: "gr-stage" },
      this.#picture.element,
      this.#mirror.element,
      this.#tip.element,
      this.#empty,
    );
    const { camera } = this.#lookout;
    gestures(
      this.element,
      {
        pan: (dx, dy) => this.#pan(dx, dy),
        zoom: (at, factor) => this.#steer(() => camera.jump(camera.target.zoomedAt(at, factor))),
        click: (at, target) => this.#click(at, target),
        open: (at, target) => this.#openAt(at, target),
        hover: (at) => this.#hover(at),
      },
      signal,
    );
    keys(
      this.element,
      {
        zoom: (factor) => this.#steer(() => this.#lookout.zoom(factor)),
        fit: () => this.fit(),
        problem: () => local.find(nextProblem(store.state, local.selected.peek())),
        go: (key) => this.#go(key),
        group: () => this.#toggleGroup(),
        open: () => this.#open(this.#selected()),
        leave: () => this.#leave(),
      },
      signal,
    );
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this.element);
    effects(
      signal,
      () => {
        store.placed.value;
        this.#replace(local.topology.value);
      },
      () => this.#refresh(store.version.value),
      () => this.#choose(local.selected.value),
      () => this.#light(local.hovered.value, local.critical.value),
      () => this.#match(local.matches.value),
      () => this.#tick(local.now.value),
      () => this.#progress(store.progressed.value),
    );
    signal.addEventListener("abort", () => {
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
    });
  }

  /** Shows all of the graph, and keeps it in view as it grows. */
  fit(): void {
    this.#lookout.fit();
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
    const whole = this.element.closest(".gr")?.clientWidth ?? width;
    const direction = whole < DOWN_BELOW_PX ? "down" : "right";
    if (direction !== this.#direction) {
      this.#direction = direction;
      this.#place();
    }
    this.#lookout.resize({ width, height }, this.#selected());
    // Now and not in the next frame: a canvas that has just been given a size is blank.
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#paint(performance.now());
  }

  /** A new layout, a graph that has grown, or another container. */
  #replace(topology: Topology): void {
    const before = this.#topology;
    this.#topology = topology;
    if (topology.inside === before.inside) {
      const isFirst = before.members.length === 0;
      const wasPlaced = this.element.dataset["placed"] !== undefined;
      const selected = this.#selected();
      this.#place(!isFirst);
      this.#lookout.follow(isFirst);
      if (!wasPlaced && selected !== null && this.store.layout(topology.inside) !== null)
        this.#lookout.settle(selected);
    } else {
      this.local.hovered.value = null;
      this.#place();
      if (this.store.layout(topology.inside) === null) this.ask(topology.inside);
      this.#lookout.step(before, this.#selected());
    }
    this.#draw();
  }

  #place(gliding = false): void {
    const to = placementOf(this.#topology, this.store.layout(this.#topology.inside), this.#direction);
    if (gliding) this.#glide.go(to, performance.now());
    else this.#glide.jump(to);
    set(this.element, "data-placed", this.store.layout(this.#topology.inside) !== null);
    this.#buckets = new Buckets(to, this.#topology.members);
    this.#frames = framesOf(this.#topology, this.store.state.nodes.size, to, this.#buckets);
    this.#recount();
    this.#reflection.spoil();
  }

  #refresh(_: number): void {
    this.#recount();
    this.#reflection.spoil();
    this.#empty.hidden = this.store.state.seq > 0;
    this.#lookout.showProblem(() => firstProblem(this.store.state));
    this.#draw();
  }

  #recount(): void {
    this.#nodes = withGroups([...this.store.state.nodes.values()], this.#topology);
    this.#tallies = tallies(this.#nodes, this.#topology);
    this.#match(this.local.matches.peek());
  }

  /** A container whose parts match is where they are to be found. */
  #match(matches: readonly number[] | null): void {
    const { member } = this.#topology;
    this.#matched = matches === null ? null : new Set(matches.map((i) => member[i] ?? -1));
    this.#draw();
  }

  #choose(_: string | null): void {
    this.#lookout.choose(this.#selected());
    this.#reflection.spoil();
    this.#draw();
  }

  #light(hovered: number | null, critical: readonly string[] | null): void {
    this.#lit = hovered === null ? edgesAlong(this.#topology, critical ?? []) : pathEdges(this.#topology, hovered);
    this.#onPath = new Set([...this.#lit].flatMap(({ from, to }) => [from, to]));
    const node = hovered === null ? undefined : this.#nodes[hovered];
    const tally = hovered === null ? undefined : this.#tallies.get(hovered);
    const { target } = this.#lookout.camera;
    if (node === undefined || hovered === null || (showsAll(target.k) && tally === undefined)) {
      this.#tip.hide();
    } else {
      const box = this.#lookout.cardBox(hovered);
      const at = target.toScreen(box);
      const text = inOneLine(node, this.local.now.peek());
      const how = node.info.kind === "group" ? "click to open" : "double-click to look inside";
      const more = tally === undefined ? "" : ` · ${inWords(tally)} · ${how}`;
      this.#tip.show(text + more, at.x + (box.width * target.k) / 2, Math.max(at.y - 6, 26));
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

  #pan(dx: number, dy: number): void {
    const { camera } = this.#lookout;
    this.#steer(() => camera.jump(camera.target.panned(dx, dy)));
  }

  #under(at: Point, target: EventTarget | null): number | null {
    const viewport = this.#lookout.camera.target;
    return this.#reflection.hit(target, viewport, () => this.#buckets.at(viewport.toWorld(at)));
  }

  #click(at: Point, target: EventTarget | null): void {
    const i = this.#under(at, target);
    const id = i === null ? null : (this.#topology.ids[i] ?? null);
    if (id !== null && isGroup(id)) this.local.toggle(id);
    else this.local.select(id);
    this.focus();
  }

  /** Looks into a container, or closer at a group. */
  #openAt(at: Point, target: EventTarget | null): void {
    const i = this.#under(at, target);
    const isTitle = i !== null && isGroup(this.#topology.ids[i] ?? "");
    const frame = i === null ? frameAt(this.#frames, this.#lookout.camera.target.toWorld(at)) : null;
    if (isTitle) return; // each of its clicks has had its effect
    if (frame === null) this.#open(i);
    else this.#steer(() => this.#lookout.closeUp(frame.box));
  }

  #open(i: number | null): boolean {
    const id = i === null ? undefined : this.#topology.ids[i];
    if (i === null || id === undefined || !this.#topology.parts.has(i) || id === this.#topology.inside) return false;
    if (isGroup(id)) this.local.toggle(id);
    else this.local.enter(id);
    this.focus();
    return true;
  }

  /** Closes the group of the selected node, or opens the one that is selected. */
  #toggleGroup(): boolean {
    const { ids, parent } = this.#topology;
    const i = this.#selected();
    const group = [i, parent[i ?? -1]].map((each) => ids[each ?? -1] ?? "").find(isGroup);
    if (group === undefined) return false;
    this.local.toggle(group);
    return true;
  }

  #leave(): boolean {
    const { inside } = this.#topology;
    if (inside === "" || inside === this.local.home() || this.local.selected.peek() !== null) return false;
    this.local.leave();
    return true;
  }

  #hover(at: Point | null): void {
    this.local.hovered.value = at === null ? null : this.#buckets.at(this.#lookout.camera.target.toWorld(at));
  }

  /** From nowhere the first step leads to the first node. */
  #go(key: string): void {
    const topology = this.#topology;
    const from = this.#selected();
    const isLost = from === null || topology.member[from] !== from;
    const first = topology.members[0] ?? null;
    const to = isLost && key !== "End" ? first : neighbour(topology, this.#glide.target, from ?? 0, key);
    const id = to === null ? undefined : topology.ids[to];
    if (id !== undefined) this.local.select(id);
  }

  #selected(): number | null {
    const id = this.local.selected.peek();
    return id === null ? null : (this.#topology.index.get(id) ?? null);
  }

  #reflected(): ReturnType<ConstructorParameters<typeof Reflection>[1]> {
    const now = performance.now();
    return {
      nodes: this.#nodes,
      placement: this.#glide.at(now),
      viewport: this.#lookout.camera.at(now),
      selected: this.#selected(),
      topology: this.#topology,
      shown: this.#shown,
      frames: this.#frames,
    };
  }

  #draw(): void {
    if (this.#frame !== 0 || !this.#lookout.isOpen) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      this.#paint(now);
    });
  }

  #paint(now: number): void {
    const { camera, size } = this.#lookout;
    const viewport = camera.at(now);
    const gliding = this.#glide.moving(now);
    const [nodes, topology] = [this.#nodes, this.#topology];
    this.#shown = gliding ? topology.members : this.#buckets.within(viewport.visible(size));
    this.#picture.draw(
      {
        topology,
        placement: this.#glide.at(now),
        nodes,
        viewport,
        size,
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
      this.#shown,
    );
    const { palette } = this.#picture;
    if (!gliding)
      this.#minimap.show({ members: topology.members, nodes, placement: this.#glide.target, viewport, size, palette });
    this.#reflection.follow(viewport, gliding, nodes.length);
    if (gliding || camera.moving(now)) this.#draw();
  }
}
