/** The header: which run this is, how it stands, and what can be done with it as a whole. */

import type { ReadonlySignal } from "@preact/signals-core";
import { fill, focused, h, icon, plainButton, say, set } from "../dom";
import { download, FORMATS } from "../download";
import { effects } from "../effects";
import { duration, ticking } from "../format";
import type { Link } from "../link";
import type { Local } from "../local";
import { counts, elapsed, runBadge, runStatus } from "../select";
import { NODE_STATUS } from "../status";
import type { Store } from "../store";
import { actionButton, alertLine, copyButton, copyText, errorText } from "./action";
import { countsStrip } from "./counts";
import type { Help } from "./help";
import { lamp } from "./lamp";
import { type Item, menu } from "./menu";

const NONE: ReadonlySet<string> = new Set();

interface Parts {
  readonly runId: string;
  readonly graphName: () => string;
  readonly fit: () => void;
  /** What can be done with the run without being refused. */
  readonly offers: ReadonlySignal<ReadonlySet<string>>;
  /** The runs that this view has shown, oldest first. */
  readonly runs: ReadonlySignal<readonly string[]>;
  /** See `Source`. */
  readonly driver: ReadonlySignal<string | null>;
  readonly again: (opener: HTMLElement) => void;
  readonly finder: HTMLElement;
  readonly keys: Help;
}

export function toolbar(store: Store, link: Link, local: Local, parts: Parts, signal: AbortSignal): HTMLElement {
  const badge = h("span", { class: "gr-badge" });
  const name = h("strong", { class: "gr-name" });
  const strip = countsStrip(store, local, signal);
  const runId = copyButton(`Copy run id ${parts.runId}`, () => parts.runId, parts.runId);
  const chooser = h("select", {
    class: "gr-input gr-runs",
    "aria-label": "Run in this view",
    on: { change: () => void link.send({ kind: "show", run_id: chooser.value }).reply.then(report("Show run")) },
  });
  const time = h("span", { class: "gr-elapsed", title: "Elapsed" });
  const trouble = alertLine();
  const report = (verb: string) => (reply: Parameters<typeof errorText>[0]) => {
    local.problem.value = reply.error === "" ? "" : `${verb}: ${errorText(reply)}`;
  };
  const cancel = actionButton(link, "Cancel run", () => ({ kind: "cancel" }), report("Cancel run"));
  const retry = actionButton(link, "Retry failed", () => ({ kind: "retry", node_id: "" }), report("Retry failed"));
  retry.title = "Go on with what failed or was cancelled, and the graph as it is defined now";
  const again = plainButton(
    {
      title: "A new run of the graph as it is defined now, with other inputs",
      on: { click: () => parts.again(focused(more.button) === more.button ? more.button : again) },
    },
    "Run again…",
  );
  const tidy = actionButton(link, "Tidy", () => ({ kind: "tidy", inside: local.inside.peek() }), report("Tidy"));
  tidy.title = "Lay the whole graph out anew";
  const fit = plainButton({ title: "Show the whole graph (0)", on: { click: parts.fit } }, "Fit");
  const exporting = async (label: string, format: (typeof FORMATS)[number]["format"]): Promise<void> => {
    say(progress, `Exporting: ${label}…`);
    const problem = await download(link, format);
    say(progress, "");
    local.problem.value = problem === "" ? "" : `Export: ${problem}`;
  };
  const progress = h("span", { class: "gr-sending", "aria-live": "polite" });
  const formats: readonly Item[] = FORMATS.map(({ label, format }) => ({
    label,
    hint: `.${format}`,
    act: () => void exporting(label, format),
  }));
  const exports = menu("Export", () => formats, signal);
  /** What does not fit beside the name of a narrow widget, in one menu. */
  const more = menu("More actions", () => folded(), signal, "⋯");
  const folded = (): readonly Item[] => [
    ...(again.hidden ? [] : [{ label: "Run again…", act: () => again.click() }]),
    ...(tidy.hidden ? [] : [{ label: "Tidy", act: () => tidy.click() }]),
    { label: "Fit", act: () => fit.click() },
    { label: "Copy run id", act: () => void copyText(parts.runId, more.element) },
    { label: "Keys", hint: "?", act: () => parts.keys.toggle() },
    ...(exports.element.hidden ? [] : formats.map((each) => ({ ...each, label: `Export: ${each.label}` }))),
  ];
  more.element.classList.add("gr-if-narrow");
  for (const each of [again, tidy, fit, exports.element, parts.keys.button]) each.classList.add("gr-if-roomy");

  effects(
    signal,
    () => trouble.say(local.problem.value),
    () => {
      const ids = parts.runs.value;
      chooser.hidden = ids.length < 2;
      fill(chooser, ...ids.map((id, i) => h("option", { value: id, title: id }, `Run ${i + 1} of ${ids.length}`)));
      chooser.value = parts.runId;
    },
    () => {
      store.version.value;
      const numbers = counts(store.state);
      const gone = link.contact.value === "lost" || link.contact.value === "saved";
      const past = store.cursor.value !== null;
      const driver = past ? null : parts.driver.value;
      const { like, word: status } = runBadge(store.state, runStatus(store.state, numbers, driver), numbers);
      const word = gone && store.live.finished === null ? `was ${status}` : status;
      if (badge.textContent !== word) fill(badge, icon(like), word);
      set(badge, "data-tone", NODE_STATUS[like].colour);
      say(name, parts.graphName());
      name.title = parts.graphName();
      const over = store.live.finished !== null;
      cancel.hidden = over || gone;
      cancel.disabled = past || store.live.cancelled_by !== "";
      const offers = link.contact.value === "live" ? parts.offers.value : NONE;
      retry.hidden = !over || !offers.has("retry");
      again.hidden = !over || !offers.has("again");
      for (const each of [retry, again]) each.disabled = past;
      tidy.hidden = gone;
      exports.element.hidden = link.contact.value !== "live";
    },
    () => {
      store.version.value;
      time.hidden = store.state.started_at === 0;
      const seconds = elapsed(store.state, local.now.value);
      say(time, store.state.finished === null ? ticking(seconds) : duration(seconds));
    },
  );

  return h(
    "header",
    { class: "gr-header" },
    h("div", { class: "gr-title" }, badge, name),
    h("div", { class: "gr-progress" }, strip, time, runId, chooser, lamp(store, link, signal)),
    h(
      "div",
      { class: "gr-buttons" },
      progress,
      ...[cancel, retry, again, tidy, fit, exports.element, more.element, parts.finder, parts.keys.button],
    ),
    trouble.element,
  );
}
