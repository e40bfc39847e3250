/** Where the drawing stands on the screen: screen = world * k + (x, y). An immutable value. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Box extends Point, Size {}

export const MIN_SCALE = 0.02;
export const MAX_SCALE = 2.5;

export class Viewport {
  constructor(
    readonly k: number,
    readonly x: number,
    readonly y: number,
  ) {}

  toScreen(world: Point): Point {
    return { x: world.x * this.k + this.x, y: world.y * this.k + this.y };
  }

  toWorld(screen: Point): Point {
    return { x: (screen.x - this.x) / this.k, y: (screen.y - this.y) / this.k };
  }

  panned(dx: number, dy: number): Viewport {
    return new Viewport(this.k, this.x + dx, this.y + dy);
  }

  /** Zooms so that what is under `screen` stays there. */
  zoomedAt(screen: Point, factor: number): Viewport {
    const k = clamp(this.k * factor, MIN_SCALE, MAX_SCALE);
    const world = this.toWorld(screen);
    return new Viewport(k, screen.x - world.x * k, screen.y - world.y * k);
  }

  /** The part of the world that a screen of this size shows. */
  visible(screen: Size): Box {
    const { x, y } = this.toWorld({ x: 0, y: 0 });
    return { x, y, width: screen.width / this.k, height: screen.height / this.k };
  }

  /** The way to `other`, at `t` from 0 to 1. */
  towards(other: Viewport, t: number): Viewport {
    const mix = (from: number, to: number): number => from + (to - from) * t;
    return new Viewport(mix(this.k, other.k), mix(this.x, other.x), mix(this.y, other.y));
  }

  equals(other: Viewport): boolean {
    return this.k === other.k && this.x === other.x && this.y === other.y;
  }
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** All of `world` in the middle of the screen, or of what is left of it below `above`; never enlarged. */
export function fitted(world: Box, screen: Size, padding: number, above = 0): Viewport {
  const room = { width: screen.width, height: Math.max(screen.height - above, 1) };
  const inner = { width: Math.max(room.width - 2 * padding, 1), height: Math.max(room.height - 2 * padding, 1) };
  const k = clamp(Math.min(inner.width / world.width, inner.height / world.height, 1), MIN_SCALE, 1);
  return centred({ x: world.x + world.width / 2, y: world.y + world.height / 2 }, room, k).panned(0, above);
}

export function centred(world: Point, screen: Size, k: number): Viewport {
  return new Viewport(k, screen.width / 2 - world.x * k, screen.height / 2 - world.y * k);
}

/** Moves no further than needed for `box` to stand inside the screen with a margin; the scale stays. */
export function broughtIn(viewport: Viewport, box: Box, screen: Size, margin: number): Viewport {
  const shift = (start: number, length: number, room: number): number => {
    if (length + 2 * margin > room) return room / 2 - (start + length / 2);
    return clamp(start, margin, room - margin - length) - start;
  };
  const { x, y } = viewport.toScreen(box);
  return viewport.panned(
    shift(x, box.width * viewport.k, screen.width),
    shift(y, box.height * viewport.k, screen.height),
  );
}
