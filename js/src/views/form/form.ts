/** A form of typed fields with one button: what is wrong here is said at once, the rest when the kernel has answered. */

import { h, set } from "../../dom";
import type { Json } from "../../wire";
import { alertLine } from "../action";
import type { FieldError } from "./control";
import type { Fields } from "./fields";

/** How an answer was taken: `error` is empty if it was. */
export interface Taken {
  readonly error: string;
  readonly errors: readonly FieldError[];
}

export interface FormOf {
  readonly label: string;
  readonly button: string;
  readonly fields: Fields;
  readonly send: (value: Json) => Promise<Taken>;
  /** Enter in a field of several lines sends too; Shift+Enter is a new line. */
  readonly isShort?: boolean;
}

export function formOf({ label, button, fields, send, isShort = false }: FormOf): HTMLFormElement {
  const alert = alertLine();
  const submit = h("button", { type: "submit", class: "gr-button gr-primary" }, button);
  let under = false;

  async function answer(): Promise<void> {
    if (under) return;
    alert.say("");
    const filled = fields.read();
    if (!filled.ok) {
      fields.showErrors(filled.errors);
      return;
    }
    fields.clear();
    under = true;
    set(submit, "aria-disabled", "true");
    set(form, "data-sending", true);
    const { error, errors } = await send(filled.value);
    under = false;
    set(submit, "aria-disabled", null);
    set(form, "data-sending", null);
    if (errors.length > 0) fields.showErrors(errors);
    else alert.say(error);
  }

  const form = h(
    "form",
    {
      class: isShort ? "gr-form gr-short" : "gr-form",
      "aria-label": label,
      novalidate: true,
      on: {
        submit(event) {
          event.preventDefault();
          void answer();
        },
        keydown(event) {
          if (!sends(event, isShort)) return;
          event.preventDefault();
          void answer();
        },
      },
    },
    fields.element,
    h("div", { class: "gr-form-end" }, submit),
    alert.element,
  );
  return form;
}

/** JupyterLab takes away that Enter in a field of one line submits its form. */
function sends({ key, target, isComposing, ctrlKey, metaKey, shiftKey }: KeyboardEvent, isShort: boolean): boolean {
  if (key !== "Enter" || isComposing) return false;
  if (target instanceof HTMLInputElement) return target.type !== "file";
  return target instanceof HTMLTextAreaElement && (ctrlKey || metaKey || (isShort && !shiftKey));
}
