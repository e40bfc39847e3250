/** "Run again": the inputs of the run in typed fields, and a new run with what they say then. */

import { fill, h, plainButton } from "../dom";
import type { Link } from "../link";
import type { Local } from "../local";
import type { Reply } from "../protocol";
import { type JsonObject, jsonObject, list, text, tuple } from "../wire";
import { errorText } from "./action";
import { type Fields, fieldsOf } from "./form/fields";
import { formOf } from "./form/form";

export interface Again {
  readonly element: HTMLElement;
  /** Asks the kernel for the inputs and shows them; `opener` has the focus again when that is over. */
  open(opener: HTMLElement): Promise<void>;
}

const KEPT = list(tuple<readonly [string, string, string]>(text, text, text));

export function again(link: Link, local: Local): Again {
  const element = h("section", { class: "gr-again", "aria-label": "Run again", hidden: true });
  let opener: HTMLElement | null = null;

  function close(): void {
    element.hidden = true;
    fill(element);
    opener?.focus();
  }

  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });

  async function open(from: HTMLElement): Promise<void> {
    opener = from;
    const reply = await link.send({ kind: "inputs" }).reply;
    try {
      if (reply.error === "" && reply.data !== null) show(reply.data);
      local.problem.value = reply.error === "" ? "" : `Run again: ${errorText(reply)}`;
    } catch (error) {
      local.problem.value = `Run again: ${error}`;
    }
  }

  function show(data: JsonObject): void {
    const fields = fieldsFrom(jsonObject(data["schema"]), jsonObject(data["initial"]));
    const form = formOf({
      label: "Inputs",
      button: "Run",
      fields: fields ?? NOTHING,
      send: async (values) => {
        const reply = await link.send({ kind: "again", values: jsonObject(values) }).reply;
        if (reply.error === "") close();
        return { error: errorText(reply), errors: paths(reply.errors) };
      },
    });
    const cancel = plainButton({ on: { click: close } }, "Close");
    form.querySelector(".gr-form-end")?.append(cancel);
    const title = h("strong", {}, "Run again");
    const told = h("span", { class: "gr-again-told" }, "A new run of the graph as it is defined now.");
    fill(element, h("div", { class: "gr-again-head" }, title, told), form, kept(KEPT(data["kept"])));
    form.insertBefore(element.lastElementChild ?? title, form.querySelector(".gr-form-end"));
    element.hidden = false;
    element.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
  }

  return { element, open };
}

/** Without any input that could be edited there is only the button. */
const NOTHING: Fields = {
  element: h("div", {}),
  read: () => ({ ok: true, value: {} }),
  showErrors: () => undefined,
  clear: () => undefined,
};

function fieldsFrom(schema: JsonObject, initial: JsonObject): Fields | null {
  const properties = schema["properties"];
  const any = typeof properties === "object" && properties !== null && Object.keys(properties).length > 0;
  return any ? fieldsOf(schema, initial) : null;
}

function paths(errors: Reply["errors"]): readonly { readonly path: string; readonly message: string }[] {
  return errors.map(([path, message]) => ({ path, message }));
}

function kept(values: readonly (readonly [string, string, string])[]): HTMLElement {
  const rows = values.map(([name, type, shown]) =>
    h("div", { class: "gr-fact" }, h("dt", {}, name), h("dd", {}, h("code", {}, shown.slice(0, 200)), ` ${type}`)),
  );
  return h(
    "div",
    { class: "gr-again-kept", hidden: rows.length === 0 },
    h("p", { class: "gr-field-help" }, "Kept as they are:"),
    h("dl", { class: "gr-facts" }, ...rows),
  );
}
