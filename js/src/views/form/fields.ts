/** Typed fields from a JSON schema: the one way into this folder. */

import { type Field, readSchema } from "../../schema";
import type { Json, JsonObject } from "../../wire";
import type { Control, FieldError } from "./control";
import { filesControl } from "./files";
import { groupControl, listControl, optionalControl, unionControl } from "./parts";
import {
  choiceControl,
  choicesControl,
  fixedControl,
  flagControl,
  jsonControl,
  numberControl,
  textControl,
} from "./scalars";

/** What is filled in, or what is wrong with it. */
export type Filled =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

export interface Fields {
  readonly element: HTMLElement;
  read(): Filled;
  /** Shows each message beside its field, in place of earlier ones, and moves the focus to the first. */
  showErrors(errors: readonly FieldError[]): void;
  /** Takes all messages away. */
  clear(): void;
}

/** Makes the fields for a value that fits `schema`, filled in with `initial` or else with the schema's defaults. */
export function fieldsOf(schema: JsonObject, initial?: Json): Fields {
  return fieldsFor(readSchema(schema), initial);
}

export function fieldsFor(field: Field, initial?: Json): Fields {
  const control = controlOf(field, initial);
  return {
    element: control.element,
    clear: () => control.clear(),
    read() {
      const errors: FieldError[] = [];
      const value = control.read("", errors);
      return errors.length > 0 ? { ok: false, errors } : { ok: true, value: value ?? null };
    },
    showErrors(errors) {
      control.clear();
      const wrong = errors.map(({ path, message }) => control.show(path, message));
      first(wrong)?.focus();
    },
  };
}

function first(elements: readonly HTMLElement[]): HTMLElement | undefined {
  const follows = (a: HTMLElement, b: HTMLElement): boolean =>
    (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_PRECEDING) !== 0;
  return elements.reduce<HTMLElement | undefined>(
    (best, each) => (best && !follows(best, each) ? best : each),
    undefined,
  );
}

/** A control that also knows what it means that nothing is filled in. */
export function controlOf(field: Field, given?: Json): Control {
  const initial = given === undefined ? field.initial : given;
  const control = bare(field, initial);
  return {
    ...control,
    read(path, errors) {
      const before = errors.length;
      const value = control.read(path, errors);
      if (errors.length > before) return undefined;
      const isEmptyList = Array.isArray(value) && value.length === 0 && !field.required && !Array.isArray(initial);
      if (value !== undefined && !isEmptyList) return value;
      if (field.nullable && (field.required || (initial !== undefined && initial !== null))) return null;
      if (field.required && !field.nullable) errors.push({ path, message: "Required." });
      return undefined;
    },
  };
}

function bare(field: Field, initial: Json | undefined): Control {
  const { shape } = field;
  switch (shape.kind) {
    case "text":
      return textControl(field, shape, initial);
    case "number":
      return numberControl(field, shape, initial);
    case "flag":
      return flagControl(field, initial);
    case "choice":
      return choiceControl(field, shape.options, initial);
    case "choices":
      return choicesControl(field, shape.options, initial);
    case "fixed":
      return fixedControl(shape.value);
    case "list":
      return listControl(field, shape, initial, controlOf);
    case "group":
      return maybe(field, (value) => groupControl(field, shape, value, controlOf), initial);
    case "union":
      return maybe(field, (value) => unionControl(field, shape, value, controlOf), initial);
    case "file":
    case "files":
      return filesControl(field, shape.kind === "files");
    case "json":
      return jsonControl(field, initial);
  }
}

function maybe(field: Field, make: (initial: Json | undefined) => Control, initial: Json | undefined): Control {
  return field.required && !field.nullable ? make(initial) : optionalControl(field, make, initial);
}
