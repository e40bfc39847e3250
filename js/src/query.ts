/** What a person types to find nodes: words in the name, `#label`, `status:failed`, `group:name`; all of them must fit. */

import type { NodeState } from "./state";
import { NODE_STATUS } from "./status";

type Test = (node: NodeState) => boolean;

const TERM = /(?:(\w+):)?(?:"([^"]*)"?|(\S+))/g;
const STATUS_TERM = /(?:^|\s)status:(\S*)/i;

/** The test of one node, or null if nothing is asked for. */
export function testOf(query: string): Test | null {
  const tests: Test[] = [];
  for (const [whole, field = "", quoted, plain = ""] of query.toLowerCase().matchAll(TERM)) {
    const text = quoted ?? plain;
    if (text !== "") tests.push(term(field, text, whole));
  }
  return tests.length === 0 ? null : (node) => tests.every((test) => test(node));
}

function term(field: string, text: string, whole: string): Test {
  if (field === "status") {
    const words = text.split(",").filter((word) => word !== "");
    return (node) => words.some((word) => NODE_STATUS[node.status].word.startsWith(word));
  }
  if (field === "group") return (node) => node.info.group.toLowerCase().includes(text);
  if (whole.startsWith("#") && whole.length > 1) {
    return (node) => node.info.labels.some((label) => label.toLowerCase().startsWith(whole.slice(1)));
  }
  const part = field === "" ? text : whole;
  return ({ info }) => info.name.toLowerCase().includes(part) || info.node_id.toLowerCase().includes(part);
}

/** The status words that the query names. */
export function statusesIn(query: string): readonly string[] {
  const [, words = ""] = STATUS_TERM.exec(query) ?? [];
  return words.split(",").filter((word) => word !== "");
}

/** The same query with `word` among its statuses, or without it where it was. */
export function toggled(query: string, word: string): string {
  const named = statusesIn(query);
  const next = named.includes(word) ? named.filter((each) => each !== word) : [...named, word];
  const rest = query.replace(STATUS_TERM, "").trim();
  return [rest, ...(next.length === 0 ? [] : [`status:${next.join(",")}`])].filter((each) => each !== "").join(" ");
}

/** The match after (or before) `from` in order of definition, round and round; null without any. */
export function nextMatch(matches: readonly number[], from: number | null, step: 1 | -1): number | null {
  const onwards = step === 1 ? matches : matches.toReversed();
  const next = from === null ? undefined : onwards.find((i) => (i - from) * step > 0);
  return next ?? onwards[0] ?? null;
}
