/** What looking back costs at 100,002 events of 50,000 nodes: `npx vitest bench`. */

import { bench } from "vitest";
import { type NodeInfo, type RunEvent, readNodeInfo, readRunEvent } from "../src/protocol";
import { Store } from "../src/store";

const N_NODES = 50_000;

function log(): RunEvent[] {
  const nodes: NodeInfo[] = Array.from({ length: N_NODES }, (_, i) =>
    readNodeInfo({ node_id: `step_${i}`, name: `step_${i}`, needs: i >= 200 ? [`step_${i - 200}`] : [] }),
  );
  const events: RunEvent[] = [
    readRunEvent({ kind: "RunStarted", graph: "large" }),
    { kind: "SpecAccepted", fingerprint: "", nodes },
  ];
  for (const { node_id } of nodes)
    events.push(
      { kind: "AttemptStarted", node_id, attempt: 1 },
      { kind: "AttemptSucceeded", node_id, attempt: 1, values: [] },
    );
  return events;
}

const events = log();
const store = new Store();
store.append({ kind: "events", first: 1, at: events.map((_, i) => 1.7e9 + i / 100), events });
store.show(events.length - 1);
let jump = 0;

bench("one step back and one on", () => {
  store.show(store.state.seq - 1);
  store.show(store.state.seq + 1);
});

bench("anywhere", () => {
  jump += 7919;
  store.show(1 + (jump % (events.length - 1)));
});
