/** The entry point in notebooks: what a widget's synced state says of its run. */

import type { AnyModel, Render } from "@anywidget/types";
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { hostKernel } from "./host";
import type { Channel } from "./link";
import { Replay, unpack } from "./replay";
import { again } from "./views/again";
import { controlsOf } from "./views/controls";
import { mount } from "./widget";

interface Traits {
  run_id: string;
  graph_name: string;
  others: readonly string[];
  runs: readonly string[];
  offers: readonly string[];
  driver: string | null;
  replay: string;
}
type Name = keyof Traits & string;

function render({ model, el }: { model: AnyModel<Traits>; el: HTMLElement }): () => void {
  const over = new AbortController();
  /** A trait, as long as the view is there; saved state may hold anything, so it is read with care. */
  const follow = (name: Name, changed: (value: unknown) => void): void => {
    const tell = (): void => changed(model.get(name));
    model.on(`change:${name}`, tell);
    over.signal.addEventListener("abort", () => model.off(`change:${name}`, tell));
    tell();
  };
  const others = signal<readonly string[]>([]);
  follow("others", (ids) => {
    others.value = texts(ids);
  });
  const runs = signal<readonly string[]>([]);
  follow("runs", (ids) => {
    runs.value = texts(ids);
  });
  const offers = signal<ReadonlySet<string>>(new Set());
  follow("offers", (names) => {
    offers.value = new Set(texts(names));
  });
  const driver = signal<string | null>(null);
  follow("driver", (who) => {
    driver.value = typeof who === "string" ? who : null;
  });
  const replay = replayed(follow);
  let leave = (): void => undefined;
  follow("run_id", (runId) => {
    leave();
    leave = mount(
      {
        channel: model as Channel,
        runId: text(runId),
        graph: text(model.get("graph_name")),
        others,
        runs,
        offers,
        driver,
        host: () => hostKernel(model),
        replay,
      },
      el,
      { controls: controlsOf, again },
    );
  });
  return () => {
    over.abort();
    leave();
  };
}

function replayed(follow: (name: Name, changed: (value: unknown) => void) => void): ReadonlySignal<Replay | null> {
  const replay = signal<Replay | null>(null);
  let latest: unknown;
  follow("replay", (packed) => {
    latest = packed;
    replay.value = null; // what there was is of another run, or of this one before it went on
    if (typeof packed !== "string" || packed === "") return;
    void unpack(packed).then(
      (recording) => {
        if (packed === latest) replay.value = new Replay(recording);
      },
      () => undefined, // what is not a recording shows nothing: the still picture is there
    );
  });
  return replay;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export default { render: render as Render<Traits> };
