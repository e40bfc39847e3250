/** What every part of a form can do, whatever it looks like. */

import { type Child, h, say, set } from "../../dom";
import type { Field } from "../../schema";
import type { Json } from "../../wire";

export interface FieldError {
  /** Inside the answer: `items.0.price`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export interface Control {
  readonly element: HTMLElement;
  /** Gives what is filled in, or undefined where that is nothing; what cannot be read is added to `errors`. */
  read(path: string, errors: FieldError[]): Json | undefined;
  /** Shows a message at the part that `path` leads to, seen from here, and returns what is to be corrected there. */
  show(path: string, message: string): HTMLElement;
  clear(): void;
}

/** Makes the control of a field, filled in with `initial` or else with the field's default. */
export type Make = (field: Field, initial?: Json) => Control;

let fields = 0;

export function newId(): string {
  return `gr-field-${fields++}`;
}

export function below(path: string, name: string): string {
  return path === "" ? name : name === "" ? path : `${path}.${name}`;
}

/** A label, its control, what helps to fill it in, and what is wrong with it. */
export interface Frame {
  readonly element: HTMLElement;
  show(message: string): HTMLElement;
  clear(): void;
}

/**
 * Puts a label before `input` and room for a message after it. An element that can have a `label` gets one; another one
 * is a group named by it.
 */
export function frame(field: Field, input: HTMLElement, { help = "", wide = false } = {}): Frame {
  const id = newId();
  const isLabelable = input.matches("input, select, textarea");
  const label = h(isLabelable ? "label" : "span", { class: "gr-field-label", id: `${id}-label` }, field.label);
  if (label instanceof HTMLLabelElement) label.htmlFor = id;
  else set(input, "aria-labelledby", label.id);
  input.id = id;
  const isSwitch = input.getAttribute("role") === "switch";
  const isOptional = (!field.required || field.nullable) && field.name !== "" && !isSwitch;
  const hint = h("p", { class: "gr-field-help", id: `${id}-help` }, spoken(field.help, help));
  hint.hidden = hint.textContent === "";
  const alert = h("p", { class: "gr-field-error", role: "alert", id: `${id}-error`, hidden: true });
  const describe = (): void => {
    const ids = [hint, alert].filter((each) => !each.hidden).map((each) => each.id);
    set(input, "aria-describedby", ids.length === 0 ? null : ids.join(" "));
  };
  describe();
  const head: Child[] = [label, isOptional ? h("span", { class: "gr-field-optional" }, "optional") : null];
  const element = h(
    "div",
    { class: wide ? "gr-field gr-wide" : "gr-field" },
    h("div", { class: "gr-field-head" }, ...head),
    input,
    hint,
    alert,
  );
  const clear = (): void => {
    set(input, "aria-invalid", null);
    alert.hidden = true;
    say(alert, "");
    describe();
  };
  return {
    element,
    clear,
    show(message) {
      set(input, "aria-invalid", "true");
      alert.hidden = false;
      say(
        alert,
        alert.textContent === "" || alert.textContent === message ? message : `${alert.textContent} ${message}`,
      );
      describe();
      return isLabelable ? input : (input.querySelector<HTMLElement>("input, button, select, textarea") ?? input);
    },
  };
}

/** A description, and after it what the field itself says, as sentences. */
function spoken(description: string, own: string): string {
  if (description === "" || own === "") return description + own;
  return `${description}${/[.!?:]$/.test(description) ? "" : "."} ${own}`;
}
