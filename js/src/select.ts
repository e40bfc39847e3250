/** Pure answers to what a view shows of a state. */

import { duration, ticking } from "./format";
import type { ErrorInfo, OpenWait } from "./protocol";
import type { NodeState, RunState } from "./state";
import { NODE_STATUS, type NodeStatus, type RunStatus } from "./status";

/** As CONTAINERS in Python: nodes that are made of others. */
export const CONTAINERS: ReadonlySet<string> = new Set(["map", "graph", "body"]);

/** In the order in which counts are read out. */
export const COUNTED: readonly NodeStatus[] = [
  "DONE",
  "RUNNING",
  "WAITING",
  "RETRYING",
  "FAILED",
  "SKIPPED",
  "CANCELLED",
  "PENDING",
];

export interface Count {
  readonly status: NodeStatus;
  readonly n: number;
}

/** How many nodes are in each status that has any. O(nodes). */
export function counts(state: RunState): readonly Count[] {
  const n = new Map<NodeStatus, number>();
  for (const { status } of state.nodes.values()) n.set(status, (n.get(status) ?? 0) + 1);
  return COUNTED.flatMap((status) => {
    const many = n.get(status);
    return many === undefined ? [] : [{ status, n: many }];
  });
}

/** As RunState.status in Python, and interrupted where no process goes on with it: `driver` is empty then. */
export function runStatus(state: RunState, numbers: readonly Count[], driver: string | null = null): RunStatus {
  if (state.finished !== null) return state.finished;
  if (state.seq === 0) return "PENDING";
  if (driver === "") return "INTERRUPTED";
  const has = (status: NodeStatus): boolean => numbers.some((each) => each.status === status);
  if (!has("WAITING") || has("RETRYING")) return "RUNNING";
  for (const { status, info } of state.nodes.values()) {
    if (status === "RUNNING" && !CONTAINERS.has(info.kind)) return "RUNNING";
  }
  return "WAITING";
}

/** What a run's status looks like, in terms of a node's; and its words, which do not keep failures quiet. */
export function runBadge(
  state: RunState,
  status: RunStatus,
  numbers: readonly Count[],
): { readonly like: NodeStatus; readonly word: string } {
  const failed = numbers.find((each) => each.status === "FAILED")?.n ?? 0;
  const ended = (word: string): { like: NodeStatus; word: string } => ({
    like: "CANCELLED",
    word: failed === 0 ? word : `${word}, ${failed} failed`,
  });
  if (status === "INTERRUPTED" || status === "CANCELLED") return ended(status.toLowerCase());
  if (state.finished === null && state.cancelled_by !== "") return ended("cancelling");
  return { like: status, word: status.toLowerCase() };
}

export function elapsed(state: RunState, now: number): number {
  if (state.started_at === 0) return 0;
  return (state.ended_at > 0 ? state.ended_at : now) - state.started_at;
}

function isProblem(node: NodeState): boolean {
  return node.status === "FAILED" || node.status === "WAITING";
}

/** Failed and waiting nodes in order of definition; a container only where none of its parts is one. */
export function problems(state: RunState): readonly string[] {
  const found = new Set<string>();
  for (const [id, node] of state.nodes) if (isProblem(node)) found.add(id);
  for (const id of [...found]) found.delete(state.nodes.get(id)?.info.parent ?? "");
  return [...found];
}

/** Failed nodes in order of definition, as above. */
export function failures(state: RunState): readonly string[] {
  return problems(state).filter((id) => state.nodes.get(id)?.status === "FAILED");
}

/** The direct parts of a container, or of the run, in order of definition. O(nodes). */
export function partsOf({ nodes }: RunState, inside: string): readonly string[] {
  return [...nodes].flatMap(([id, { info }]) => (info.parent === inside ? [id] : []));
}

/** Those of a node's parts that failed. O(nodes) for a container. */
export function failedParts(state: RunState, id: string): readonly string[] {
  if (!CONTAINERS.has(state.nodes.get(id)?.info.kind ?? "")) return [];
  return partsOf(state, id).filter((part) => state.nodes.get(part)?.status === "FAILED");
}

export function firstProblem(state: RunState): string | null {
  return problems(state)[0] ?? null;
}

/** The next problem after `from` in order of definition, round and round. */
export function nextProblem(state: RunState, from: string | null): string | null {
  const wanted = new Set(problems(state));
  const ids = [...state.nodes.keys()].filter((id) => wanted.has(id) || id === from);
  const at = from === null ? -1 : ids.indexOf(from);
  const next = [...ids.slice(at + 1), ...ids.slice(0, Math.max(at, 0))].find((id) => id !== from);
  return next ?? (from !== null && wanted.has(from) ? from : null);
}

export interface Question extends OpenWait {
  readonly nodeId: string;
}

/** The waits that are open, oldest first. */
export function questions(state: RunState): readonly Question[] {
  const open: Question[] = [];
  for (const [nodeId, node] of state.nodes) for (const wait of node.waits) open.push({ ...wait, nodeId });
  return open.sort((a, b) => a.at - b.at);
}

export function typeName(error: ErrorInfo): string {
  return error.types[0]?.split(".").at(-1) ?? "Error";
}

export function errorLine(error: ErrorInfo): string {
  const message = error.message.split("\n", 1)[0] ?? "";
  return message === "" ? typeName(error) : `${typeName(error)}: ${message}`;
}

/** What a node's card says beside its name: how long, until when, or what it waits for. */
export function subtitle(node: NodeState, now: number): string {
  switch (node.status) {
    case "RUNNING":
      return ticking(now - node.started_at);
    case "RETRYING":
      return node.due > now ? `retry in ${ticking(Math.ceil(node.due - now))}` : "retrying";
    case "WAITING": {
      const deadline = Math.min(...node.waits.map((each) => each.wait.deadline ?? Number.POSITIVE_INFINITY));
      return Number.isFinite(deadline) ? `waiting, ${ticking(Math.ceil(deadline - now))} left` : "waiting";
    }
    case "DONE":
      return node.started_at > 0 ? duration(node.ended_at - node.started_at) : "taken over";
    case "FAILED":
      return node.error === null ? "failed" : typeName(node.error);
    case "PENDING":
    case "SKIPPED":
    case "CANCELLED":
      return NODE_STATUS[node.status].word;
  }
}

/** All that a card says, for where it is too small to say it. */
export function inOneLine(node: NodeState, now: number): string {
  const { word } = NODE_STATUS[node.status];
  const more = subtitle(node, now);
  return [node.info.name, word, ...(more.startsWith(word) ? [] : [more])].join(" · ");
}

/** `2/3` once there was more than one attempt, or while more are to come after a failure. */
export function attempts(node: NodeState): string {
  const most = node.info.max_attempts;
  const made = node.attempt;
  if (made === 0 || (made === 1 && node.failures === 0)) return "";
  return most > 1 ? `${made}/${Math.max(most, made)}` : made > 1 ? `×${made}` : "";
}

/** What a screen reader hears of the run as a whole. */
export function headline(state: RunState): string {
  const numbers = counts(state);
  const failed = [...state.nodes].filter(([, node]) => node.status === "FAILED").map(([id]) => id);
  const waiting = [...state.nodes].filter(([, node]) => node.status === "WAITING").map(([id]) => id);
  const name = (ids: readonly string[], word: string): string[] =>
    ids.length === 0 ? [] : [`${ids.length} ${word}: ${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ", …" : ""}.`];
  const rest = numbers
    .filter(({ status }) => status !== "FAILED" && status !== "WAITING")
    .map(({ status, n }) => `${n} ${NODE_STATUS[status].word}`)
    .join(", ");
  const end = state.finished === null ? [] : [`Run ${state.finished.toLowerCase()}.`];
  return [...end, ...name(failed, "failed"), ...name(waiting, "waiting"), ...(rest === "" ? [] : [`${rest}.`])].join(
    " ",
  );
}
