import { expect, test } from "vitest";
import { frameAt, framesOf } from "../src/frames";
import { neighbour } from "../src/navigate";
import { placementOf } from "../src/placement";
import { type LayoutFrame, readEventsFrame } from "../src/protocol";
import { Buckets } from "../src/spatial";
import { Store } from "../src/store";
import { around, outline, pathEdges, type Topology, topologyOf } from "../src/topology";
import { type Box, broughtIn, fitted, Viewport } from "../src/viewport";
import { eventsFrame, log } from "./golden";

const EMPTY: LayoutFrame = { kind: "layout", inside: "", x: [], y: [], bends: [], width: 1, height: 1 };
const SCREEN = { width: 800, height: 400 };

function topology(name: string, until?: number, inside = ""): Topology {
  const store = new Store();
  store.append(readEventsFrame(eventsFrame(log(name), 1, until ?? log(name).length)));
  return topologyOf(store.state, inside);
}

test("what is under the pointer stays there while zooming", () => {
  const before = new Viewport(0.7, 30, -12);
  const pointer = { x: 210, y: 133 };
  const after = before.zoomedAt(pointer, 1.4);
  expect(after.k).toBeCloseTo(0.98);
  expect(after.toWorld(pointer).x).toBeCloseTo(before.toWorld(pointer).x);
  expect(after.toScreen(before.toWorld(pointer))).toMatchObject({ x: expect.closeTo(210), y: expect.closeTo(133) });
});

test("zooming stops at both ends", () => {
  expect(new Viewport(1, 0, 0).zoomedAt({ x: 0, y: 0 }, 1e9).k).toBe(2.5);
  expect(new Viewport(1, 0, 0).zoomedAt({ x: 0, y: 0 }, 1e-9).k).toBe(0.02);
});

test("fitting shows all, in the middle, and never enlarges", () => {
  const wide = fitted({ x: -100, y: 0, width: 4000, height: 100 }, SCREEN, 20);
  expect(wide.k).toBeCloseTo(760 / 4000);
  expect(wide.toScreen({ x: 1900, y: 50 })).toEqual({ x: 400, y: 200 });
  expect(fitted({ x: 0, y: 0, width: 10, height: 10 }, SCREEN, 20).k).toBe(1);
});

test("bringing in moves no further than needed", () => {
  const still = new Viewport(1, 0, 0);
  expect(broughtIn(still, { x: 100, y: 100, width: 50, height: 50 }, SCREEN, 10)).toEqual(still);
  expect(broughtIn(still, { x: 900, y: 100, width: 50, height: 50 }, SCREEN, 10).x).toBe(-160);
  expect(broughtIn(still, { x: -5, y: 100, width: 50, height: 50 }, SCREEN, 10).x).toBe(15);
});

test("without a layout, ranks stand on a grid and every node right of what it needs", () => {
  const diamond = topology("diamond");
  const { x } = placementOf(diamond, null);
  for (const edge of diamond.edges) expect(x[edge.from]).toBeLessThan(x[edge.to] ?? 0);
});

test("what a layout placed stays, and a node that appears since stands right of what it needs", () => {
  const growing = topology("growing", undefined, "agent");
  const frame: LayoutFrame = { ...EMPTY, inside: "agent", x: [110], y: [36] };
  const { x, y } = placementOf(growing, frame);
  expect([x[1], x[2]]).toEqual([110, 330]);
  expect([y[1], y[2]]).toEqual([36, 36]);
});

test("bends belong to their edges by index", () => {
  const diamond = topology("diamond");
  const frame: LayoutFrame = {
    ...EMPTY,
    x: [0, 1, 1, 2],
    y: [0, 0, 1, 0],
    bends: [
      [0, 2, 5, 6, 7, 8],
      [3, 0, 1, 1],
    ],
  };
  const { bends } = placementOf(diamond, frame);
  expect([...bends].map(([edge, points]) => [edge.from, edge.to, points])).toEqual([
    [
      0,
      2,
      [
        { x: 5, y: 6 },
        { x: 7, y: 8 },
      ],
    ],
  ]);
});

test("inside a body its calls stand by themselves, in the order that the body gave them", () => {
  const inside = topology("growing", undefined, "agent");
  expect(inside.members).toEqual([1, 2]);
  expect(inside.edges.map(({ from, to, kind }) => [from, to, kind])).toEqual([[1, 2, "control"]]);
  expect(topology("growing").edges).toEqual([]);
});

test("the parts of a container stand where it stands, without edges, and are not found there", () => {
  const mapped = topology("mapped");
  expect(mapped.parts.get(1)).toEqual([3, 4, 5, 6]);
  expect(mapped.members).toEqual([0, 1, 2]);
  expect(mapped.edges.map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [1, 2],
  ]);
  const placement = placementOf(mapped, null);
  expect(placement.x[3]).toBe(placement.x[1]);
  const at = { x: placement.x[1] ?? 0, y: placement.y[1] ?? 0 };
  expect(new Buckets(placement, mapped.members).at(at)).toBe(1);
});

test("what needs something inside of another container comes after that container", () => {
  const store = new Store();
  const nodes = [
    { node_id: "sub", name: "sub", kind: "graph" },
    { node_id: "sub/a", name: "a", parent: "sub" },
    { node_id: "sub/b", name: "b", parent: "sub", needs: ["sub/a", "far"] },
    { node_id: "last", name: "last", needs: ["sub/b", "sub/a"] },
    { node_id: "far", name: "far" },
  ];
  store.append(
    readEventsFrame({ kind: "events", first: 1, at: [1], events: [{ kind: "SpecAccepted", fingerprint: "", nodes }] }),
  );
  expect(topologyOf(store.state).edges.map(({ from, to }) => [from, to])).toEqual([[0, 3]]);
  expect(topologyOf(store.state, "sub").edges.map(({ from, to }) => [from, to])).toEqual([[1, 2]]);
  expect(topologyOf(store.state, "sub").member).toEqual([-1, 1, 2, -1, -1]);
  expect(outline(topologyOf(store.state))).toEqual([0, 1, 2, 3, 4]);
  expect(around(topologyOf(store.state), 2)).toEqual([0]);
});

test("in a narrow view ranks follow each other downwards, and the arrow keys with them", () => {
  const diamond = topology("diamond");
  const placement = placementOf(diamond, null, "down");
  for (const edge of diamond.edges) expect(placement.y[edge.from]).toBeLessThan(placement.y[edge.to] ?? 0);
  expect(Math.abs((placement.x[1] ?? 0) - (placement.x[2] ?? 0))).toBeGreaterThan(176);
  expect(neighbour(diamond, placement, 0, "ArrowDown")).toBe(1);
  expect(neighbour(diamond, placement, 1, "ArrowRight")).toBe(2);
  expect(neighbour(diamond, placement, 3, "ArrowUp")).toBe(1);
  expect(neighbour(diamond, placement, 3, "ArrowDown")).toBeNull();
});

test("the path through a node is all that leads to it and away from it", () => {
  const diamond = topology("diamond");
  const left = [...pathEdges(diamond, 1)].map(({ from, to }) => `${from}${to}`);
  expect(left.sort()).toEqual(["01", "13"]);
});

test("a cycle, which cannot be, does not hang the view", () => {
  const store = new Store();
  const nodes = [
    { node_id: "a", name: "a", needs: ["b", "gone"] },
    { node_id: "b", name: "b", needs: ["a"] },
  ];
  store.append(
    readEventsFrame({ kind: "events", first: 1, at: [1], events: [{ kind: "SpecAccepted", fingerprint: "", nodes }] }),
  );
  const knot = topologyOf(store.state);
  expect(placementOf(knot, null).x).toHaveLength(2);
  expect(pathEdges(knot, 0).size).toBe(2);
});

test("buckets find the node under a point and those on screen", () => {
  const diamond = topology("diamond");
  const placement = placementOf(diamond, null);
  const buckets = new Buckets(placement, diamond.members);
  for (let i = 0; i < 4; i++) expect(buckets.at({ x: placement.x[i] ?? 0, y: placement.y[i] ?? 0 })).toBe(i);
  expect(buckets.at({ x: -500, y: -500 })).toBeNull();
  expect(buckets.within(placement.box).sort()).toEqual([0, 1, 2, 3]);
});

test("where no edge leads on, arrows lead to what is nearest there", () => {
  const store = new Store();
  const nodes = ["a", "b", "c", "d"].map((id) => ({ node_id: id, name: id }));
  store.append(
    readEventsFrame({ kind: "events", first: 1, at: [1], events: [{ kind: "SpecAccepted", fingerprint: "", nodes }] }),
  );
  const apart = topologyOf(store.state);
  const frame: LayoutFrame = { ...EMPTY, x: [110, 330, 110, 330], y: [36, 36, 108, 108] };
  const placement = placementOf(apart, frame);
  expect(["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"].map((key) => neighbour(apart, placement, 0, key))).toEqual(
    [1, 2, null, null],
  );
  expect(neighbour(apart, placement, 3, "ArrowLeft")).toBe(2);
});

test("arrows lead along edges and within the rank, or nowhere", () => {
  const diamond = topology("diamond");
  const placement = placementOf(diamond, null);
  expect(neighbour(diamond, placement, 0, "ArrowRight")).toBe(1);
  expect(neighbour(diamond, placement, 1, "ArrowDown")).toBe(2);
  expect(neighbour(diamond, placement, 2, "ArrowUp")).toBe(1);
  expect(neighbour(diamond, placement, 3, "ArrowLeft")).toBe(1);
  expect(neighbour(diamond, placement, 3, "ArrowRight")).toBeNull();
  expect(neighbour(diamond, placement, 1, "End")).toBe(3);
});

test("a group has a frame around its members, unless something else stands between them", () => {
  const store = new Store();
  const nodes = [
    { node_id: "a", name: "a", group: "g" },
    { node_id: "b", name: "b", needs: ["a"], group: "g" },
    { node_id: "c", name: "c", needs: ["b"], group: "split" },
    { node_id: "d", name: "d", needs: ["c"] },
    { node_id: "e", name: "e", needs: ["d"], group: "split" },
  ];
  store.append(
    readEventsFrame({ kind: "events", first: 1, at: [1], events: [{ kind: "SpecAccepted", fingerprint: "", nodes }] }),
  );
  const chain = topologyOf(store.state);
  const placement = placementOf(chain, null);
  const frames = framesOf(chain, store.state.nodes.size, placement, new Buckets(placement, chain.members));
  expect(frames.map(({ name, group }) => [name, chain.parts.get(group)])).toEqual([["g", [0, 1]]]);
  expect(frameAt(frames, { x: placement.x[0] ?? 0, y: placement.y[0] ?? 0 })?.name).toBe("g");
  expect(frameAt(frames, { x: placement.x[3] ?? 0, y: placement.y[3] ?? 0 })).toBeNull();
});

test("a frame is also around the lines of its members that run below them", () => {
  const store = new Store();
  const nodes = [
    { node_id: "a", name: "a", group: "g" },
    { node_id: "b", name: "b", needs: ["a"], group: "g" },
    { node_id: "c", name: "c", needs: ["a", "b"], group: "g" },
  ];
  const event = { kind: "SpecAccepted", fingerprint: "", nodes };
  store.append(readEventsFrame({ kind: "events", first: 1, at: [1], events: [event] }));
  const topology = topologyOf(store.state);
  const framed = (level: number, direction: "right" | "down" = "right"): Box | undefined => {
    const layout = { kind: "layout", x: [110, 330, 550], y: [36, 36, 36], bends: [[0, 2, 330, level]] } as const;
    const placement = placementOf(topology, { ...layout, width: 660, height: 72, inside: "" }, direction);
    return framesOf(topology, store.state.nodes.size, placement, new Buckets(placement, topology.members))[0]?.box;
  };
  const [bare, below] = [framed(36), framed(140)];
  expect(below?.y).toBe(bare?.y);
  expect(below?.height).toBeGreaterThan(bare?.height ?? 0);
  expect((below?.y ?? 0) + (below?.height ?? 0)).toBeGreaterThan(140);
  expect(framed(140, "down")?.width).toBeGreaterThan(framed(36, "down")?.width ?? 0);
});
