/** Fields with one value: text, numbers, dates, switches, choices, and JSON where nothing else fits. */

import { type Attributes, h } from "../../dom";
import type { Field, NumberShape, Option, TextShape } from "../../schema";
import type { Json } from "../../wire";
import { type Control, type FieldError, frame, newId } from "./control";

const MAX_RADIOS = 4;
const MAX_RADIO_TEXT = 40;

type Read = (errors: FieldError[], path: string) => Json | undefined;

function leaf(field: Field, input: HTMLElement, read: Read, look: { help?: string; wide?: boolean } = {}): Control {
  const { element, show, clear } = frame(field, input, look);
  input.addEventListener("input", clear);
  input.addEventListener("change", clear);
  return { element, clear, read: (path, errors) => read(errors, path), show: (_, message) => show(message) };
}

function attributes(field: Field, more: Attributes = {}): Attributes {
  return { class: "gr-input", required: field.required && !field.nullable, autocomplete: "off", ...more };
}

export function textControl(field: Field, shape: TextShape, initial: Json | undefined): Control {
  const { format, numeric } = shape;
  const isPlain = format === "text" || format === "duration";
  const input = shape.long
    ? h("textarea", attributes(field, { rows: 3 }))
    : h("input", attributes(field, { type: isPlain ? "text" : format }));
  const start = typeof initial === "number" ? String(initial) : initial;
  if (typeof start === "string") input.value = format === "datetime-local" ? localTime(start) : start;
  const help = format === "datetime-local" ? timeZone() : format === "duration" ? "As PT1H30M or P2D." : "";
  return leaf(
    field,
    input,
    (errors, path) => {
      const { value } = input;
      const wrong = value === "" && !input.validity.badInput ? "" : whatIsWrong(shape, value, input.validity.badInput);
      if (wrong !== "") errors.push({ path, message: wrong });
      if (wrong !== "") return undefined;
      if (value === "") return isCleared(field, initial) ? "" : undefined;
      if (numeric && Number.isFinite(Number(value))) return Number(value);
      return format === "datetime-local"
        ? instant(value)
        : format === "time" && value.length === 5
          ? `${value}:00`
          : value;
    },
    { help, wide: shape.long },
  );
}

/** What had a text and has none now is empty on purpose. */
function isCleared(field: Field, initial: Json | undefined): boolean {
  return !field.required && !field.nullable && typeof initial === "string" && initial !== "";
}

function whatIsWrong({ format, min, max, pattern }: TextShape, value: string, isBad: boolean): string {
  if (isBad) return format === "date" ? "Give a whole date." : "Give a whole date and time.";
  const n = [...value].length;
  if (n < min) return `At least ${min} characters.`;
  if (n > max) return `At most ${max} characters.`;
  return pattern !== "" && !matches(pattern, value) ? `Must match ${pattern}` : "";
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // written for another engine: the kernel knows
  }
}

/** A date and time as the browser's field writes them, with this computer's offset. */
function instant(local: string): string {
  const at = new Date(local);
  const seconds = local.length === 16 ? `${local}:00` : local;
  return Number.isNaN(at.getTime()) ? local : `${seconds}${offset(at)}`;
}

function offset(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const pad = (n: number): string => String(n).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
}

function localTime(given: string): string {
  const at = new Date(given);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function timeZone(): string {
  return `In your time zone, UTC${offset(new Date())}.`;
}

export function numberControl(field: Field, shape: NumberShape, initial: Json | undefined): Control {
  const input = h("input", attributes(field, { type: "text", inputmode: shape.whole ? "numeric" : "decimal" }));
  if (typeof initial === "number") input.value = String(initial);
  return leaf(
    field,
    input,
    (errors, path) => {
      const said = input.value.trim();
      if (said === "") return undefined;
      const number = Number(said);
      const wrong = whatIsWrongWith(shape, number);
      if (wrong !== "") errors.push({ path, message: wrong });
      return wrong === "" ? number : undefined;
    },
    { help: bounds(shape) },
  );
}

function whatIsWrongWith({ whole, min, max, above, below }: NumberShape, number: number): string {
  if (!Number.isFinite(number)) return whole ? "Give a whole number." : "Give a number.";
  if (whole && !Number.isInteger(number)) return "Give a whole number.";
  if (Math.abs(number) > Number.MAX_SAFE_INTEGER && whole) return "Too large for this form; answer from a cell.";
  if (number < min) return `At least ${min}.`;
  if (number > max) return `At most ${max}.`;
  if (number <= above) return `More than ${above}.`;
  return number >= below ? `Less than ${below}.` : "";
}

function bounds({ min, max, above, below }: NumberShape): string {
  const low = Number.isFinite(min) ? `at least ${min}` : Number.isFinite(above) ? `more than ${above}` : "";
  const high = Number.isFinite(max) ? `at most ${max}` : Number.isFinite(below) ? `less than ${below}` : "";
  if (Number.isFinite(min) && Number.isFinite(max)) return `${min} to ${max}.`;
  const said = [low, high].filter(Boolean).join(", ");
  return said === "" ? "" : `${said[0]?.toUpperCase()}${said.slice(1)}.`;
}

export function flagControl(field: Field, initial: Json | undefined): Control {
  const input = h("input", { class: "gr-switch", type: "checkbox", role: "switch" });
  input.checked = initial === true;
  return leaf(field, input, () => input.checked);
}

export function choiceControl(field: Field, options: readonly Option[], initial: Json | undefined): Control {
  const start = options.findIndex((each) => same(each.value, initial));
  const isShort = options.reduce((sum, each) => sum + each.label.length, 0) <= MAX_RADIO_TEXT;
  if (options.length <= MAX_RADIOS && isShort && (field.required || start >= 0) && !field.nullable) {
    return radios(field, options, start);
  }
  const none = h("option", { value: "" }, field.required && !field.nullable ? "Choose…" : "—");
  const select = h(
    "select",
    attributes(field),
    none,
    ...options.map(({ label }, i) => h("option", { value: i }, label)),
  );
  select.value = start < 0 ? "" : String(start);
  return leaf(field, select, () => (select.value === "" ? undefined : options[Number(select.value)]?.value));
}

function radios(field: Field, options: readonly Option[], start: number): Control {
  const name = newId();
  const inputs = options.map((_, i) => h("input", { type: "radio", name, checked: i === start }));
  const group = h("div", { class: "gr-options", role: "radiogroup" }, ...labelled(options, inputs));
  return leaf(field, group, () => options[inputs.findIndex((each) => each.checked)]?.value);
}

/** Any number of the options: a list of them, in their order. */
export function choicesControl(field: Field, options: readonly Option[], initial: Json | undefined): Control {
  const chosen: readonly Json[] = Array.isArray(initial) ? initial : [];
  const inputs = options.map(({ value }) =>
    h("input", { type: "checkbox", checked: chosen.some((each) => same(each, value)) }),
  );
  const group = h("div", { class: "gr-options", role: "group" }, ...labelled(options, inputs));
  return leaf(field, group, () => options.flatMap(({ value }, i) => (inputs[i]?.checked === true ? [value] : [])));
}

function labelled(options: readonly Option[], inputs: readonly HTMLInputElement[]): HTMLElement[] {
  return inputs.map((input, i) => h("label", { class: "gr-option" }, input, h("span", {}, options[i]?.label ?? "")));
}

function same(one: Json, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export function fixedControl(value: Json): Control {
  const element = h("span", { hidden: true });
  return { element, read: () => value, show: () => element, clear: () => undefined };
}

export function jsonControl(field: Field, initial: Json | undefined): Control {
  const input = h("textarea", attributes(field, { class: "gr-input gr-json", rows: 2, spellcheck: "false" }));
  if (initial !== undefined && initial !== null) input.value = JSON.stringify(initial, null, 1);
  return leaf(
    field,
    input,
    (errors, path) => {
      if (input.value.trim() === "") return undefined;
      try {
        return JSON.parse(input.value) as Json;
      } catch {
        errors.push({ path, message: 'This is not JSON. Texts stand in double quotes: "like this".' });
        return undefined;
      }
    },
    { help: 'JSON, for example {"x": 1}', wide: true },
  );
}
