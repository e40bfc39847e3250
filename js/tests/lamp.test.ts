import { expect, test } from "vitest";
import { heard, lampOf } from "../src/lamp";
import { type LoopFrame, readLoopFrame } from "../src/protocol";

const frame = (more: Partial<LoopFrame> = {}): LoopFrame => ({ ...readLoopFrame({ seq: 1 }), ...more });
const BUSY = frame({ busy_s: 1.2, turns: false, node_id: "fit" });
const WAS_BUSY = frame({ busy_s: 3.4, node_id: "fit" });

test("a loop that has a pulse is free", () => {
  expect(lampOf(heard(null, frame(), 1000), 2500, ["fit"])).toMatchObject({ tone: "good", text: "loop: free" });
});

test("a loop that is kept is busy in the node that keeps it, and the time goes on", () => {
  const pulses = heard(null, BUSY, 1000);
  expect(lampOf(pulses, 1000, []).text).toBe("loop: busy 1.2 s in fit");
  expect(lampOf(pulses, 4000, []).text).toBe("loop: busy 4.2 s in fit");
});

test("once it turns again it is said for a while how long it was kept, and then in the tip alone", () => {
  let pulses = heard(heard(null, BUSY, 1000), WAS_BUSY, 3000);
  expect(lampOf(pulses, 3100, [])).toMatchObject({ tone: "attention", text: "loop: was busy 3.4 s in fit" });
  pulses = heard(pulses, frame(), 4000);
  expect(lampOf(pulses, 5000, []).text).toBe("loop: was busy 3.4 s in fit");
  pulses = heard(pulses, frame(), 12_000);
  expect(lampOf(pulses, 12_000, [])).toMatchObject({ text: "loop: free" });
  expect(lampOf(pulses, 12_000, []).detail).toContain("Last kept for 3.4 s in fit.");
});

test("where nothing is heard any more it is busy, and the only node that runs is named", () => {
  const pulses = heard(null, frame(), 0);
  expect(lampOf(pulses, 4000, ["fit"])).toMatchObject({ tone: "caution", text: "loop: busy 4.0 s in fit" });
  expect(lampOf(pulses, 4000, ["a", "b"]).text).toBe("loop: busy 4.0 s");
  expect(lampOf(pulses, 4000, ["a", "b"]).detail).toContain("Running: a, b.");
  expect(lampOf(pulses, 4000, []).text).toBe("loop: busy 4.0 s");
});

test("code outside of nodes, and nodes of other runs, are told apart", () => {
  expect(lampOf(heard(null, { ...BUSY, node_id: "" }, 0), 0, []).detail).toMatch(/^A cell, or other code/);
  expect(lampOf(heard(null, { ...BUSY, run_id: "r-2" }, 0), 0, []).text).toBe("loop: busy 1.2 s in fit of r-2");
});
