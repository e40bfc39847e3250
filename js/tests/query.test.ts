import { expect, test } from "vitest";
import { readNodeInfo } from "../src/protocol";
import { nextMatch, statusesIn, testOf, toggled } from "../src/query";
import { type NodeState, newNode } from "../src/state";
import type { NodeStatus } from "../src/status";

function node(node_id: string, rest: Readonly<Record<string, unknown>> = {}, status: NodeStatus = "DONE"): NodeState {
  return { ...newNode(readNodeInfo({ node_id, name: node_id, ...rest })), status };
}

const NODES = [
  node("load orders", { labels: ["I/O", "slow"] }),
  node("fit_17", { name: "fit", group: "train set", labels: ["gpu"] }, "FAILED"),
  node("fit_18", { name: "fit", group: "train set" }, "RUNNING"),
  node("s3://bucket/report", {}, "SKIPPED"),
];

function found(query: string): string[] {
  const fits = testOf(query);
  return fits === null ? ["everything"] : NODES.filter(fits).map(({ info }) => info.node_id);
}

test.each([
  ["", ["everything"]],
  ["   ", ["everything"]],
  ["FIT", ["fit_17", "fit_18"]],
  ["17", ["fit_17"]],
  ["orders load", ["load orders"]],
  ['"load orders"', ["load orders"]],
  ['"orders load"', []],
  ["#slow", ["load orders"]],
  ["#i/o", ["load orders"]],
  ["#low", []],
  ["#", []],
  ["status:failed", ["fit_17"]],
  ["status:FAIL", ["fit_17"]],
  ["status:failed,running", ["fit_17", "fit_18"]],
  ["status:", []],
  ["status:nonsense", []],
  ["group:train", ["fit_17", "fit_18"]],
  ['group:"train set" status:running', ["fit_18"]],
  ["fit #gpu", ["fit_17"]],
  ["s3://bucket", ["s3://bucket/report"]],
  ["(", []],
])("%j finds %j", (query, ids) => {
  expect(found(query)).toEqual(ids);
});

test("clicking a count adds its status to the query and takes it away again, and leaves the rest", () => {
  expect(toggled("", "failed")).toBe("status:failed");
  expect(toggled("fit status:failed", "waiting")).toBe("fit status:failed,waiting");
  expect(toggled("status:failed,waiting fit", "failed")).toBe("fit status:waiting");
  expect(toggled("fit status:failed", "failed")).toBe("fit");
  expect(statusesIn("fit status:failed,waiting")).toEqual(["failed", "waiting"]);
});

test("the next match is the one after the selected node, round and round, both ways", () => {
  expect(nextMatch([], 3, 1)).toBeNull();
  expect(nextMatch([2, 5, 9], null, 1)).toBe(2);
  expect(nextMatch([2, 5, 9], null, -1)).toBe(9);
  expect(nextMatch([2, 5, 9], 5, 1)).toBe(9);
  expect(nextMatch([2, 5, 9], 9, 1)).toBe(2);
  expect(nextMatch([2, 5, 9], 4, -1)).toBe(2);
  expect(nextMatch([5], 5, 1)).toBe(5);
});
