/** Mirrors `apply` of core/state.py, event by event; the golden logs run through both. */

import type { NodeInfo, RunEvent } from "./protocol";
import { type NodeState, newNode, type RunState } from "./state";
import { NODE_STATUS, type NodeStatus } from "./status";

export class IllegalTransition extends Error {}

export function assertNever(value: never): never {
  throw new Error(`unexpected: ${JSON.stringify(value)}`);
}

/** Folds `event`, recorded at `at`, into `state`, in place. O(1), except for SpecAccepted. */
export function apply(state: RunState, event: RunEvent, at: number): void {
  switch (event.kind) {
    case "AttemptStarted": {
      const node = allowed(state, event);
      node.status = "RUNNING";
      node.attempt = event.attempt;
      node.started_at = at;
      break;
    }
    case "AttemptSucceeded": {
      const node = current(state, event);
      node.values = event.values;
      node.error = null;
      end(node, "DONE", node.because, at);
      break;
    }
    case "AttemptFailed": {
      const node = current(state, event);
      node.failures += 1;
      node.error = event.error;
      end(node, "FAILED", node.because, at);
      break;
    }
    case "AttemptLost": {
      const node = current(state, event);
      node.status = "PENDING";
      node.lost += 1;
      node.waits = [];
      break;
    }
    case "RetryScheduled": {
      const node = allowed(state, event);
      node.status = "RETRYING";
      node.due = event.due;
      node.ended_at = 0;
      break;
    }
    case "WaitOpened": {
      const node = current(state, event);
      node.status = "WAITING";
      node.waits = [...node.waits, { wait: event.wait, attempt: event.attempt, at }];
      break;
    }
    case "WaitResolved":
    case "WaitExpired": {
      const node = current(state, event);
      const left = node.waits.filter((each) => each.wait.no !== event.no);
      if (left.length === node.waits.length) throw illegal(state, event, node);
      node.waits = left;
      if (left.length === 0) node.status = "RUNNING";
      break;
    }
    case "AnswerKept":
      if (event.node_id !== "") allowed(state, event);
      else if (state.finished !== null) throw illegal(state, event);
      break;
    case "NodeSkipped":
      end(allowed(state, event), "SKIPPED", event.because, at);
      break;
    case "NodeCancelled":
      end(allowed(state, event), "CANCELLED", event.because, at);
      break;
    case "NodeReset": {
      const node = allowed(state, event);
      state.nodes.set(event.node_id, newNode(node.info, node.attempt));
      break;
    }
    case "OutputPinned": {
      const node = allowed(state, event);
      node.values = event.values;
      end(node, "DONE", "", at);
      break;
    }
    case "NodeAdded": {
      const known = state.nodes.get(event.node.node_id);
      if (known !== undefined) throw illegal(state, event, known);
      state.nodes.set(event.node.node_id, newNode(event.node));
      break;
    }
    case "SpecAccepted": {
      const known = state.nodes;
      state.nodes = new Map(event.nodes.map((info) => [info.node_id, withInfo(known.get(info.node_id), info)]));
      break;
    }
    case "RunStarted":
      if (state.seq > 0) throw illegal(state, event);
      state.graph = event.graph;
      state.max_concurrency = event.max_concurrency;
      state.started_at = at;
      break;
    case "RunResumed":
      state.finished = null;
      state.cancelled_by = "";
      state.ended_at = 0;
      break;
    case "RunForked":
      state.finished = null;
      break;
    case "CancelRequested":
      if (state.finished !== null) throw illegal(state, event);
      state.cancelled_by = event.by;
      break;
    case "RunFinished":
      if (state.finished !== null) throw illegal(state, event);
      state.finished = event.status;
      state.ended_at = at;
      break;
    default:
      assertNever(event);
  }
  state.seq += 1;
}

type NodeEvent = Extract<RunEvent, { node_id: string }>;

function allowed(state: RunState, event: NodeEvent): NodeState {
  const node = state.nodes.get(event.node_id);
  if (node === undefined || !NODE_STATUS[node.status].allows.has(event.kind)) throw illegal(state, event, node);
  return node;
}

function current(state: RunState, event: Extract<NodeEvent, { attempt: number }>): NodeState {
  const node = allowed(state, event);
  if (node.attempt !== event.attempt) throw illegal(state, event, node);
  return node;
}

function withInfo(node: NodeState | undefined, info: NodeInfo): NodeState {
  if (node === undefined) return newNode(info);
  node.info = info;
  return node;
}

function end(node: NodeState, status: NodeStatus, because: string, at: number): void {
  node.status = status;
  node.because = because;
  node.ended_at = at;
  node.waits = [];
}

function illegal(state: RunState, event: RunEvent, node?: NodeState): IllegalTransition {
  const where = node === undefined ? "" : `: node ${node.info.node_id} is ${node.status}, attempt ${node.attempt}`;
  return new IllegalTransition(`${event.kind} does not fit event ${state.seq}${where}`);
}
