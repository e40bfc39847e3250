/** What a JSON schema asks of a person: pydantic's schemas and hand-written ones, read into the few shapes that a form has. */

import type { Json, JsonObject } from "./wire";

export interface Option {
  readonly label: string;
  readonly value: Json;
}

export type TextFormat = "text" | "date" | "datetime-local" | "time" | "email" | "url" | "password" | "duration";

export interface TextShape {
  readonly kind: "text";
  readonly format: TextFormat;
  readonly long: boolean;
  readonly min: number;
  readonly max: number;
  readonly pattern: string;
  /** A number is taken as a number. */
  readonly numeric: boolean;
}

export interface NumberShape {
  readonly kind: "number";
  readonly whole: boolean;
  readonly min: number;
  readonly max: number;
  /** Open bounds: the number itself is too small, or too large. */
  readonly above: number;
  readonly below: number;
}

export type Shape =
  | TextShape
  | NumberShape
  | { readonly kind: "flag" }
  | { readonly kind: "choice"; readonly options: readonly Option[] }
  | { readonly kind: "choices"; readonly options: readonly Option[] }
  | { readonly kind: "fixed"; readonly value: Json }
  | { readonly kind: "list"; readonly item: (at: number) => Field; readonly min: number; readonly max: number }
  | { readonly kind: "group"; readonly fields: () => readonly Field[] }
  | { readonly kind: "union"; readonly variants: readonly Field[] }
  | { readonly kind: "file" }
  | { readonly kind: "files" }
  | { readonly kind: "json" };

export interface Field {
  /** The last part of its path, or empty for the whole. */
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly required: boolean;
  readonly nullable: boolean;
  readonly initial: Json | undefined;
  readonly shape: Shape;
}

const MAX_DEPTH = 8;
/** In one form: a schema may refer to itself. */
const MAX_FIELDS = 1000;
const LONG = 200;
const FORMATS: Readonly<Record<string, TextFormat>> = {
  date: "date",
  "date-time": "datetime-local",
  time: "time",
  email: "email",
  uri: "url",
  password: "password",
  duration: "duration",
};
const YES_NO: readonly Option[] = [
  { label: "Yes", value: true },
  { label: "No", value: false },
];

/** Reads a whole schema; whatever it holds that a form has no field for becomes a field for JSON. */
export function readSchema(schema: JsonObject, label = "Answer"): Field {
  return new Reading(schema).field("", schema, { label, required: true, depth: 0 });
}

interface Place {
  readonly label: string;
  readonly required: boolean;
  readonly depth: number;
}

class Reading {
  #left = MAX_FIELDS;

  constructor(private readonly root: JsonObject) {}

  field(name: string, given: Json, { label, required, depth }: Place): Field {
    const { schema, nullable } = this.#plain(given, depth);
    const title = text(schema["title"]) || label;
    this.#left -= 1;
    return {
      name,
      label: title,
      help: text(schema["description"]),
      required,
      nullable,
      initial: schema["default"],
      shape: this.#shape(schema, nullable, title, depth),
    };
  }

  /** Follows references, and takes null out of the alternatives; what stands beside a reference goes before it. */
  #plain(given: Json, depth: number): { readonly schema: JsonObject; readonly nullable: boolean } {
    let schema = isObject(given) ? given : {};
    let nullable = false;
    for (let steps = depth; steps <= 2 * MAX_DEPTH; steps++) {
      const { $ref, allOf, anyOf, oneOf, ...rest } = schema;
      const alternatives = items(anyOf ?? oneOf);
      const others = alternatives.filter((each) => !isNull(each));
      if (typeof $ref === "string") {
        schema = { ...this.#referred($ref), ...rest, ...(anyOf === undefined ? {} : { anyOf }) };
      } else if (Array.isArray(allOf)) {
        schema = items(allOf).reduce<JsonObject>((sum, each) => merged(sum, this.#plain(each, steps + 1).schema), {});
        schema = { ...merged(schema, rest), ...rest, ...(anyOf === undefined ? {} : { anyOf }) };
      } else if (others.length < alternatives.length || others.length === 1) {
        nullable ||= others.length < alternatives.length;
        schema = others.length === 1 ? { ...(others[0] as JsonObject), ...rest } : { ...rest, anyOf: others };
      } else if (Array.isArray(schema["type"])) {
        const types = items(schema["type"]).filter((each) => each !== "null");
        nullable ||= types.length < items(schema["type"]).length;
        const one = types.length === 1 ? types[0] : undefined;
        schema =
          one === undefined ? { ...rest, type: "", anyOf: types.map((type) => ({ type })) } : { ...rest, type: one };
      } else break;
    }
    return { schema, nullable };
  }

  #referred(reference: string): JsonObject {
    if (!reference.startsWith("#")) return {};
    const steps = reference.slice(1).split("/").slice(1);
    let found: Json | undefined = this.root;
    for (const step of steps) {
      const key = decode(step);
      found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    }
    return isObject(found) ? found : {};
  }

  #shape(schema: JsonObject, nullable: boolean, label: string, depth: number): Shape {
    if (depth > MAX_DEPTH || this.#left < 0) return { kind: "json" };
    if (schema["const"] !== undefined) return { kind: "fixed", value: schema["const"] };
    const options = this.#options(schema, nullable, depth);
    if (options !== null) return { kind: "choice", options };
    const { type = "", anyOf, oneOf, properties } = schema;
    const alternatives = items(anyOf ?? oneOf);
    const isOpen = (type === "" || type === "object") && !isObject(properties);
    if (alternatives.length > 1 && isOpen) return this.#union(alternatives, depth);
    switch (type) {
      case "string":
        return isFile(schema) ? { kind: "file" } : textShape(schema);
      case "integer":
      case "number":
        return numberShape(schema);
      case "boolean":
        return { kind: "flag" };
      case "array":
        return this.#list(schema, label, depth);
      case "object":
        return this.#group(schema, depth);
      default:
        return isObject(properties) ? this.#group(schema, depth) : { kind: "json" };
    }
  }

  #options(
    { enum: listed, type, oneOf, anyOf }: JsonObject,
    nullable: boolean,
    depth: number,
  ): readonly Option[] | null {
    if (Array.isArray(listed))
      return items(listed)
        .filter((each) => !nullable || each !== null)
        .map(optionOf);
    if (type === "boolean" && nullable) return YES_NO;
    const titled = items(oneOf ?? anyOf).map((each) => this.#plain(each, depth + 1).schema);
    if (titled.length < 2 || !titled.every((each) => each["const"] !== undefined)) return null;
    return titled.map(({ const: value = null, title }) => ({
      ...optionOf(value),
      ...(title ? { label: text(title) } : {}),
    }));
  }

  #union(alternatives: readonly Json[], depth: number): Shape {
    const variants = alternatives.map((each, i) =>
      this.field("", each, { label: variantName(each, i), required: true, depth: depth + 1 }),
    );
    const kinds = variants.map(({ shape }) => shape.kind);
    const [one, other] = variants.map(({ shape }) => shape);
    if (kinds.length === 2 && kinds.includes("text") && kinds.includes("number")) {
      return { ...((one?.kind === "text" ? one : other) as TextShape), numeric: true };
    }
    return { kind: "union", variants };
  }

  #list(schema: JsonObject, label: string, depth: number): Shape {
    const { items: item, prefixItems, minItems = 0, maxItems } = schema;
    if (!isObject(item) || Array.isArray(prefixItems)) return { kind: "json" };
    const max = typeof maxItems === "number" ? maxItems : Number.POSITIVE_INFINITY;
    const { shape } = this.field("", item, { label, required: true, depth: MAX_DEPTH });
    if (shape.kind === "choice") return { kind: "choices", options: shape.options };
    return {
      kind: "list",
      item: (at) => {
        const read = new Reading(this.root).field(String(at), item, { label, required: true, depth: depth + 1 });
        return { ...read, label: `${read.label} ${at + 1}` };
      },
      min: typeof minItems === "number" ? minItems : 0,
      max,
    };
  }

  #group(schema: JsonObject, depth: number): Shape {
    const properties = schema["properties"];
    if (!isObject(properties) || Object.keys(properties).length === 0) return { kind: "json" };
    const required = new Set(items(schema["required"]));
    return {
      kind: "group",
      fields: () => {
        const fields = Object.entries(properties).map(([name, each]) =>
          this.field(name, each, { label: name, required: required.has(name), depth: depth + 1 }),
        );
        return fields.map((each) => toldApart(each, fields));
      },
    };
  }
}

/** Two fields of one model, each with the model's title, go by their own names. */
function toldApart(field: Field, fields: readonly Field[]): Field {
  return fields.some((each) => each !== field && each.label === field.label) ? { ...field, label: field.name } : field;
}

function textShape({ format, minLength, maxLength, pattern }: JsonObject): TextShape {
  const max = typeof maxLength === "number" ? maxLength : Number.POSITIVE_INFINITY;
  return {
    kind: "text",
    format: (typeof format === "string" ? FORMATS[format] : undefined) ?? "text",
    long: format === "textarea" || format === "multiline" || (Number.isFinite(max) && max >= LONG),
    min: typeof minLength === "number" ? minLength : 0,
    max,
    pattern: text(pattern),
    numeric: false,
  };
}

function numberShape({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonObject): NumberShape {
  const or = (value: Json | undefined, otherwise: number): number => (typeof value === "number" ? value : otherwise);
  return {
    kind: "number",
    whole: type === "integer",
    min: or(minimum, Number.NEGATIVE_INFINITY),
    max: or(maximum, Number.POSITIVE_INFINITY),
    above: or(exclusiveMinimum, Number.NEGATIVE_INFINITY),
    below: or(exclusiveMaximum, Number.POSITIVE_INFINITY),
  };
}

function isFile({ contentEncoding, format }: JsonObject): boolean {
  return contentEncoding === "base64" || format === "base64";
}

function optionOf(value: Json): Option {
  return { label: typeof value === "string" ? value : JSON.stringify(value), value };
}

function variantName(schema: Json, i: number): string {
  const type = isObject(schema) ? schema["type"] : undefined;
  return typeof type === "string" ? type : `Form ${i + 1}`;
}

function merged(one: JsonObject, other: JsonObject): JsonObject {
  const properties = { ...objectOf(one["properties"]), ...objectOf(other["properties"]) };
  const required = [...items(one["required"]), ...items(other["required"])];
  return { ...one, ...other, ...(Object.keys(properties).length > 0 ? { properties, required } : {}) };
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return step;
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function items(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function isNull(schema: Json): boolean {
  return isObject(schema) && (schema["type"] === "null" || schema["const"] === null);
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
