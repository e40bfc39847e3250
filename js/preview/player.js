/** A model that answers as a kernel would, from a recorded run. `mount(run)` shows it; the last event is just now. */

import widget from "/graphrun_nb/notebook/static/widget.js";

function shifted(value, by) {
  if (Array.isArray(value)) return value.map((each) => shifted(each, by));
  if (typeof value === "number" && value > 1e9) return value + by;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shifted(each, by)]));
  }
  return value;
}

const FIGURE = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><rect width="640" height="480" fill="#fff"/>
<path d="M80 40V420H600" fill="none" stroke="#222"/><path d="M80 400L200 150L330 210L460 90L600 380" fill="none" stroke="#26a" stroke-width="3"/>
<text x="320" y="28">Oslo</text><text x="320" y="460">month</text></svg>`;

const INPUTS = {
  graph: "sales forecast",
  schema: {
    type: "object",
    required: ["stores", "since", "model"],
    properties: {
      stores: { title: "stores", type: "array", items: { type: "integer" } },
      since: { title: "since", type: "string", format: "date" },
      model: { title: "model", enum: ["linear", "forest", "gradient boosting"] },
      rounds: { title: "rounds", type: "integer", minimum: 1, description: "Of boosting." },
      dry_run: { title: "dry_run", type: "boolean" },
    },
  },
  initial: { stores: [1, 2], since: "2026-01-01", model: "forest", rounds: 200, dry_run: false },
  kept: [
    ["weather", "DataFrame", "[8412 rows x 14 columns]"],
    ["api_key", "str", "•••"],
  ],
};

function fakeModel(run, options) {
  const listeners = [];
  const ending = [];
  const tell = (content) => {
    for (const listener of listeners) listener(structuredClone(content));
  };
  const { events } = run;
  let last = events.first + events.at.length - 1;
  const record = (...more) => {
    tell({ kind: "events", first: last + 1, at: more.map(() => Date.now() / 1000), events: more });
    last += more.length;
  };
  const detail = (id) => ({
    node_id: id,
    inputs: [
      { name: "table", type: "DataFrame", text: "      store  day  sales\n0         1    1   52.0\n1         1    2   48.5\n2         2    1    NaN\n\n[8412 rows x 14 columns]" },
      { name: "rounds", type: "int", text: "200" },
    ],
    outputs: id.startsWith("train") ? [] : id === "customers" ? [{ name: "figure", type: "Figure", text: "Figure(640x480)", is_rich: true }] : [{ name: "out", type: "dict", text: "{'r2': 0.913, 'rmse': 4.21, 'n': 8412}" }],
    logs: [
      [events.at[0] + 1, "stdout", "reading 14 columns"],
      [events.at[0] + 2, "stderr", "UserWarning: column 'day' has mixed types"],
      [events.at[0] + 3, "stdout", "fold 1: 0.902   fold 2: 0.921   fold 3: 0.917"],
    ],
    source: run.source,
    source_file: "<ipython-input-7>",
    source_line: 1,
  });
  const answers = {
    sync: () => {
      if (options.silent) return undefined;
      tell(events);
      if (options.layout !== false) tell(run.layouts[""]);
      if (options.pulse) tell({ kind: "loop", seq: last, ...options.pulse });
      return { seq: last, at: Date.now() / 1000 };
    },
    detail: ({ node_id }) => detail(node_id),
    cancel: () => record({ kind: "CancelRequested", by: "user" }),
    resume: ({ node_id, attempt, no, payload }) =>
      setTimeout(() => record({ kind: "WaitResolved", node_id, attempt, no, by: "view", answer: { preview: JSON.stringify(payload) } }), 100),
    place: ({ inside }) => tell(run.layouts[inside]),
    inputs: () => INPUTS,
    tidy: ({ inside }) => tell(run.layouts[inside]),
    look: () => ({ look: { kind: "image", mime: "image/svg+xml", data: btoa(FIGURE) } }),
    digest: () => ({ seq: last, digest: run.digest }),
  };
  return {
    listeners,
    tell,
    get: (name) =>
      ({ run_id: "k3v9-20c1", graph_name: run.graph, driver: options.driver, offers: ["retry", "from", "again"], runs: options.runs ?? [] })[name],
    lose: () => {
      options.silent = true;
      for (const each of ending) each();
    },
    on: (name, listener) => {
      if (name === "msg:custom") listeners.push(listener);
      else if (name === "comm:close") ending.push(listener);
    },
    off: (_, listener) => listeners.splice(listeners.indexOf(listener), 1),
    send: (command) =>
      setTimeout(() => {
        const data = answers[command.kind]?.(command);
        if (!options.silent) tell({ kind: "reply", id: command.id, data: typeof data === "object" ? data : null });
      }, 5),
  };
}

window.mount = (recorded, options = {}) => {
  const run = { ...recorded, events: shifted(recorded.events, Date.now() / 1000 - recorded.events.at.at(-1)) };
  document.body.dataset.jpThemeLight = String(options.theme !== "dark");
  const cell = document.getElementById("cell");
  cell.style.width = `${options.width ?? 960}px`;
  const model = fakeModel(run, options);
  window.model = model;
  window.unmount = widget.render({ model, el: cell });
  if (options.height) cell.firstElementChild.style.cssText = `height: ${options.height}px; max-height: none`;
};
window.ready = true;
