import { beforeEach, expect, test, vi } from "vitest";
import { Glide } from "../src/glide";
import type { Placement } from "../src/placement";

const BOX = { x: 0, y: 0, width: 1, height: 1 };

function at(...x: number[]): Placement {
  return { x: Float64Array.from(x), y: new Float64Array(x.length), bends: new Map(), box: BOX, direction: "right" };
}

function prefers(stillness: boolean): void {
  vi.stubGlobal("matchMedia", () => ({ matches: stillness }));
}

beforeEach(() => prefers(false));

test("nodes move from where they are to where they are going, and stand still there", () => {
  const glide = new Glide(at(0, 0));
  glide.go(at(100, 200), 1000);
  expect(glide.at(1000).x[0]).toBe(0);
  const halfway = glide.at(1200).x[1] ?? 0;
  expect(halfway).toBeGreaterThan(0);
  expect(halfway).toBeLessThan(200);
  expect(glide.moving(1200)).toBe(true);
  expect([...glide.at(2000).x]).toEqual([100, 200]);
  expect(glide.moving(2000)).toBe(false);
});

test("a node that is new stands at its place at once", () => {
  const glide = new Glide(at(0));
  glide.go(at(100, 50), 0);
  expect(glide.at(1).x[1]).toBe(50);
});

test("a second move begins where the first one has come to", () => {
  const glide = new Glide(at(0));
  glide.go(at(100), 0);
  const there = glide.at(200).x[0];
  glide.go(at(0), 200);
  expect(glide.at(200).x[0]).toBe(there);
});

test("where motion is not wanted nothing moves", () => {
  prefers(true);
  const glide = new Glide(at(0));
  glide.go(at(100), 0);
  expect(glide.at(0).x[0]).toBe(100);
  expect(glide.moving(0)).toBe(false);
});
