/** The entry point of an exported page: plays the recording that it holds, in place of the drawing. */

import { signal } from "@preact/signals-core";
import { Replay, SILENCE, unpack } from "./replay";
import { mount } from "./widget";

async function play(): Promise<void> {
  const held = document.getElementById("graphrun-recording");
  const view = document.getElementById("graphrun-view");
  if (held === null || view === null) return;
  const recording = await unpack(held.textContent ?? "");
  view.replaceChildren();
  mount(
    {
      channel: SILENCE,
      runId: recording.run_id,
      graph: recording.graph,
      others: signal([]),
      runs: signal([]),
      offers: signal(new Set()),
      driver: signal(null),
      host: () => "none",
      replay: signal(new Replay(recording)),
    },
    view,
  );
}

void play();
