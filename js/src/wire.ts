/** Readers of what came over the wire: each checks the shape it names and says what it met instead. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
export type Reader<T> = (value: unknown) => T;
type Fields = Readonly<Record<string, unknown>>;

export class ProtocolError extends Error {}

function refuse(value: unknown, wanted: string): never {
  const got = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
  throw new ProtocolError(`expected ${wanted}, got ${got}`);
}

export const text: Reader<string> = (value) => (typeof value === "string" ? value : refuse(value, "text"));
export const number: Reader<number> = (value) => (typeof value === "number" ? value : refuse(value, "a number"));
export const flag: Reader<boolean> = (value) => (typeof value === "boolean" ? value : refuse(value, "true or false"));
export const jsonObject: Reader<JsonObject> = (value) => fields(value) as JsonObject;

export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : refuse(value, "an object");
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(value, "a list");
}

export function list<T>(reader: Reader<T>): Reader<readonly T[]> {
  return (value) => items(value).map(reader);
}

export function tuple<T extends readonly unknown[]>(...readers: { [K in keyof T]: Reader<T[K]> }): Reader<T> {
  return (value) => {
    const given = items(value);
    return given.length === readers.length
      ? (readers.map((reader, i) => reader(given[i])) as unknown as T)
      : refuse(value, `${readers.length} items`);
  };
}

export function table<T>(reader: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return (value) => new Map(Object.entries(fields(value)).map(([key, each]) => [key, reader(each)]));
}

export function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return (value) => (value === null ? null : reader(value));
}

export function or<T>(reader: Reader<T>, fallback: T): Reader<T> {
  return (value) => (value === undefined ? fallback : reader(value));
}

export function oneOf<T extends string>(...known: readonly T[]): Reader<T> {
  return (value) => known.find((each) => each === value) ?? refuse(value, known.join(" | "));
}

type Readers<T> = { readonly [K in keyof T]: Reader<T[K]> };

/** Fills a copy of `blank`, which has all names already: engines make that in one piece, thrice as fast. */
export function struct<T>(readers: Readers<T>, made: object = {}): Reader<T> {
  const rows: readonly (readonly [string, Reader<unknown>])[] = Object.entries(readers);
  const blank = { ...made, ...readers };
  return (value) => {
    const from = fields(value);
    const read: Record<string, unknown> = { ...blank };
    for (const [name, reader] of rows) read[name] = reader(from[name]);
    return read as T;
  };
}

/** Reads a struct that says what it is. */
export interface Tagged<T> extends Reader<T> {
  readonly kind: string;
}

export function tagged<T extends { readonly kind: string }>(
  kind: T["kind"],
  readers: Readers<Omit<T, "kind">>,
): Tagged<T> {
  return Object.assign(struct<T>(readers as Readers<T>, { kind }), { kind });
}

/** For structs that hold each other. */
export function later<T>(reader: () => Reader<T>): Reader<T> {
  return (value) => reader()(value);
}

/** Chooses the reader by `kind`, so that a new event of a newer kernel is an error with a name and not a silent hole. */
export function union<T>(...members: readonly Tagged<T>[]): Reader<T> {
  const readers = new Map(members.map((each) => [each.kind, each]));
  return (value) => {
    const kind = text(fields(value)["kind"]);
    const reader = readers.get(kind);
    if (reader === undefined) throw new ProtocolError(`unknown kind ${JSON.stringify(kind)}`);
    return reader(value);
  };
}
