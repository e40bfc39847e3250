/** What a kernel knows of a node, cut to what was so at the event that is shown. */

import type { NodeDetail } from "./protocol";
import type { NodeState } from "./state";
import type { Store } from "./store";

/** `node` as it is shown; what the kernel says is of now. */
export function detailAt(store: Store, node: NodeState, known: NodeDetail | null): NodeDetail | null {
  const { instant, state } = store;
  if (known === null || instant === null) return known;
  return {
    ...known,
    inputs: node.attempt > 0 ? known.inputs : [],
    outputs: node.status === "DONE" ? known.outputs : [],
    logs: known.logs.filter(([at]) => at <= instant),
    story: known.story.filter(([seq]) => seq <= state.seq),
  };
}
