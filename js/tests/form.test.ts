// @vitest-environment jsdom
import { afterEach, expect, test } from "vitest";
import { type Fields, fieldsOf } from "../src/views/form/fields";
import type { Json, JsonObject } from "../src/wire";

afterEach(() => document.body.replaceChildren());

function shown(schema: JsonObject, initial?: Json): Fields {
  const fields = fieldsOf(schema, initial);
  document.body.replaceChildren(fields.element);
  return fields;
}

/** The control that a label or an aria-labelledby names. */
function at(name: string): HTMLInputElement {
  for (const label of document.querySelectorAll(".gr-field-label")) {
    if (label.textContent !== name) continue;
    const target = label instanceof HTMLLabelElement ? label.control : labelledBy(label.id);
    if (target !== null) return target as HTMLInputElement;
  }
  throw new Error(`no field ${name}; there are: ${names().join(" | ")}`);
}

function labelledBy(id: string): Element | null {
  return document.querySelector(`[aria-labelledby="${id}"]`);
}

function names(): (string | null)[] {
  return [...document.querySelectorAll(".gr-field-label")].map((each) => each.textContent);
}

function fillIn(name: string, value: string): void {
  const input = at(name);
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function press(name: string): void {
  const found = [...document.querySelectorAll("button")].find(
    (each) => (each.getAttribute("aria-label") ?? each.textContent) === name,
  );
  if (found === undefined) throw new Error(`no button ${name}`);
  found.click();
}

function one(schema: JsonObject, { required = true } = {}): JsonObject {
  return { type: "object", properties: { x: { title: "X", ...schema } }, required: required ? ["x"] : [] };
}

function value(fields: Fields): Json {
  const filled = fields.read();
  if (!filled.ok) throw new Error(JSON.stringify(filled.errors));
  return filled.value;
}

const NULL = { type: "null" };
const TYPED: readonly [string, JsonObject, string, Json][] = [
  ["text", { type: "string" }, "Ada", "Ada"],
  ["a whole number", { type: "integer" }, " 36 ", 36],
  ["a number", { type: "number" }, "-1.5e3", -1500],
  ["an optional number", { anyOf: [{ type: "integer" }, NULL] }, "3", 3],
  ["a type list with null", { type: ["integer", "null"] }, "3", 3],
  ["a date", { type: "string", format: "date" }, "2026-02-28", "2026-02-28"],
  ["a time", { type: "string", format: "time" }, "09:30", "09:30:00"],
  ["an address of the mail", { type: "string", format: "email" }, "a@b.c", "a@b.c"],
  ["a long text", { type: "string", maxLength: 5000 }, "one\ntwo", "one\ntwo"],
  ["a decimal of pydantic, as a number", { anyOf: [{ type: "number" }, { type: "string" }] }, "1.25", 1.25],
  ["number or text, as a text", { anyOf: [{ type: "integer" }, { type: "string" }] }, "many", "many"],
  ["anything, as JSON", {}, '{"a": [1, null]}', { a: [1, null] }],
  ["a free mapping, as JSON", { type: "object", additionalProperties: { type: "integer" } }, '{"a": 1}', { a: 1 }],
  ["a tuple, as JSON", { type: "array", prefixItems: [{ type: "integer" }] }, "[1]", [1]],
];

test.each(TYPED)("%s is filled in and read", (_, schema, typed, read) => {
  const fields = shown(one(schema));
  fillIn("X", typed);
  expect(value(fields)).toEqual({ x: read });
});

test.each(TYPED)("%s: what is given at first can be sent as it is", (_, schema, _typed, read) => {
  expect(value(shown(one(schema), { x: read }))).toEqual({ x: read });
});

test("an instant is read with this computer's offset from UTC", () => {
  const fields = shown(one({ type: "string", format: "date-time" }));
  fillIn("X", "2026-07-01T12:30");
  const { x } = value(fields) as { x: string };
  expect(x).toMatch(/^2026-07-01T12:30:00[+-]\d\d:\d\d$/);
  expect(new Date(x).getTime()).toBe(new Date("2026-07-01T12:30").getTime());
});

test.each<[string, JsonObject, string, string]>([
  ["no number", { type: "number" }, "many", "Give a number."],
  ["no whole number", { type: "integer" }, "1.5", "Give a whole number."],
  ["too small", { type: "integer", minimum: 0 }, "-1", "At least 0."],
  ["too large", { type: "number", maximum: 1 }, "1.1", "At most 1."],
  ["not above its bound", { type: "number", exclusiveMinimum: 0 }, "0", "More than 0."],
  ["not below its bound", { type: "number", exclusiveMaximum: 1 }, "1", "Less than 1."],
  ["larger than can be sent", { type: "integer" }, "9007199254740993", "Too large for this form; answer from a cell."],
  ["too short", { type: "string", minLength: 2 }, "🎈", "At least 2 characters."],
  ["too long", { type: "string", maxLength: 2 }, "abc", "At most 2 characters."],
  ["of another form", { type: "string", pattern: "^a+$" }, "b", "Must match ^a+$"],
  ["no JSON", {}, "{a: 1}", 'This is not JSON. Texts stand in double quotes: "like this".'],
  ["left out", { type: "string" }, "", "Required."],
])("what is %s is said here, beside its field", (_, schema, typed, message) => {
  const fields = shown(one(schema));
  fillIn("X", typed);
  const filled = fields.read();
  if (filled.ok) throw new Error("it was taken");
  expect(filled.errors).toEqual([{ path: "x", message }]);
  fields.showErrors(filled.errors);
  const field = at("X");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(field);
  const alert = document.querySelector('[role="alert"]:not([hidden])');
  expect(alert?.textContent).toBe(message);
  expect(field.getAttribute("aria-describedby")?.split(" ")).toContain(alert?.id);
  fillIn("X", "1");
  expect(field.getAttribute("aria-invalid")).toBeNull();
  expect(document.querySelector('[role="alert"]:not([hidden])')).toBeNull();
});

test.each<[string, JsonObject, boolean, Json]>([
  ["what is not required is left out", { type: "string" }, false, {}],
  ["an optional number of pydantic is left out", { anyOf: [{ type: "number" }, NULL], default: null }, false, {}],
  ["what must be given and may be null is null", { anyOf: [{ type: "number" }, NULL] }, true, { x: null }],
  ["a default is filled in", { type: "integer", default: 7 }, false, { x: 7 }],
  ["an empty list that is not required is left out", { type: "array", items: { type: "string" } }, false, {}],
  ["an empty list that is required is empty", { type: "array", items: { type: "string" } }, true, { x: [] }],
  ["a switch is off", { type: "boolean" }, true, { x: false }],
  ["a constant is always sent", { const: "cat" }, true, { x: "cat" }],
])("with nothing filled in: %s", (_, schema, required, read) => {
  expect(value(shown(one(schema, { required })))).toEqual(read);
});

test("a text that had a default and is emptied is empty", () => {
  const fields = shown(one({ type: "string", default: "all" }, { required: false }));
  fillIn("X", "");
  expect(value(fields)).toEqual({ x: "" });
});

test("a boolean is a switch", () => {
  const fields = shown(one({ type: "boolean", default: true }));
  expect(at("X").getAttribute("role")).toBe("switch");
  at("X").click();
  expect(value(fields)).toEqual({ x: false });
});

test("few options are radio buttons, many are a list; values keep their types", () => {
  const few = shown(one({ enum: [1, "two", null] }));
  const group = at("X");
  expect(group.getAttribute("role")).toBe("radiogroup");
  group.querySelectorAll("input")[0]?.click();
  expect(value(few)).toEqual({ x: 1 });
  const many = shown(one({ enum: [1, 2, 3, 4, 5, 6] }));
  expect(at("X").tagName).toBe("SELECT");
  fillIn("X", "4");
  expect(value(many)).toEqual({ x: 5 });
});

test("a set of options is a row of boxes", () => {
  const fields = shown(one({ type: "array", uniqueItems: true, items: { enum: ["a", "b", "c"] } }));
  const boxes = at("X").querySelectorAll("input");
  boxes[2]?.click();
  boxes[0]?.click();
  expect(value(fields)).toEqual({ x: ["a", "c"] });
});

const ADDRESS: JsonObject = {
  type: "object",
  title: "Address",
  properties: { street: { type: "string", title: "Street" }, zip: { anyOf: [{ type: "string" }, NULL], title: "Zip" } },
  required: ["street"],
};

test("models inside a model are groups; an optional one comes when it is asked for", () => {
  const fields = shown({
    $defs: { Address: ADDRESS },
    type: "object",
    properties: {
      home: { $ref: "#/$defs/Address" },
      away: { anyOf: [{ $ref: "#/$defs/Address" }, NULL], default: null },
    },
    required: ["home"],
  });
  expect(names()).toEqual(["home", "Street", "Zip"]);
  fillIn("Street", "High St");
  expect(value(fields)).toEqual({ home: { street: "High St" } });
  press("Add away");
  expect(fields.read()).toEqual({ ok: false, errors: [{ path: "away.street", message: "Required." }] });
  press("Remove away");
  expect(value(fields)).toEqual({ home: { street: "High St" } });
});

test("rows of a list are added, numbered and removed, and the focus follows", () => {
  const fields = shown(one({ type: "array", items: { type: "integer" }, maxItems: 3, default: [1, 2] }));
  expect(names()).toEqual(["X", "X 1", "X 2"]);
  press("Add to X");
  expect(document.activeElement).toBe(at("X 3"));
  fillIn("X 3", "3");
  expect(document.querySelector<HTMLElement>("[aria-label='Add to X']")?.hidden).toBe(true);
  press("Remove X 2");
  expect(names()).toEqual(["X", "X 1", "X 2"]);
  expect(document.activeElement).toBe(at("X 2"));
  expect(value(fields)).toEqual({ x: [1, 3] });
});

test("an error of the kernel stands at the field that its path leads to", () => {
  const fields = shown({
    type: "object",
    properties: {
      "a.b": { type: "string", title: "Dotted" },
      list: { type: "array", title: "List", items: ADDRESS, default: [{ street: "one" }, { street: "two" }] },
      either: {
        title: "Either",
        anyOf: [
          { type: "integer", title: "Int" },
          { type: "boolean", title: "Flag" },
        ],
      },
    },
  });
  fields.showErrors([
    { path: "list.1.street", message: "unknown street" },
    { path: "a.b", message: "not so" },
    { path: "list.0.street.more", message: "deeper than any field" },
    { path: "nowhere.at", message: "no such field" },
    { path: "", message: "the whole is wrong" },
  ]);
  const alerts = [...document.querySelectorAll('[role="alert"]:not([hidden])')].map((each) => each.textContent);
  expect(alerts).toEqual([
    "not so",
    "deeper than any field",
    "unknown street",
    "nowhere.at: no such field the whole is wrong",
  ]);
  expect(document.activeElement).toBe(at("Dotted"));
  fields.clear();
  expect(document.querySelector('[role="alert"]:not([hidden])')).toBeNull();
});

test("of several shapes one is chosen, and then filled in", () => {
  const kinds = ["cat", "dog"].map((kind) => ({
    type: "object",
    title: kind,
    properties: { kind: { const: kind }, [`${kind}s`]: { type: "integer", title: `${kind}s` } },
    required: ["kind"],
  }));
  const fields = shown(one({ oneOf: kinds }), { x: { kind: "dog", dogs: 2 } });
  expect(value(fields)).toEqual({ x: { kind: "dog", dogs: 2 } });
  at("X").value = "0";
  at("X").dispatchEvent(new Event("change"));
  fillIn("cats", "1");
  expect(value(fields)).toEqual({ x: { kind: "cat", cats: 1 } });
});

test("a schema that is no object is a field of its own", () => {
  const fields = shown({ type: "integer", title: "How many?" });
  fillIn("How many?", "3");
  expect(value(fields)).toBe(3);
});

test("allOf is one model", () => {
  const fields = shown({
    $defs: { A: ADDRESS },
    allOf: [{ $ref: "#/$defs/A" }, { properties: { n: { type: "integer" } } }],
  });
  expect(names()).toEqual(["Street", "Zip", "n"]);
  fillIn("Street", "x");
  expect(value(fields)).toEqual({ street: "x" });
});

test.each<[string, JsonObject]>([
  ["a reference to itself", { $ref: "#" }],
  ["itself in allOf", { allOf: [{ $ref: "#" }, { $ref: "#" }, { $ref: "#" }] }],
  [
    "itself as a required field, in many ways",
    {
      type: "object",
      properties: Object.fromEntries([..."abcdefgh"].map((name) => [name, { $ref: "#" }])),
      required: [..."abcdefgh"],
    },
  ],
  ["a reference to nowhere", one({ $ref: "#/$defs/None" })],
  ["a reference to elsewhere", one({ $ref: "https://example.org/schema" })],
  ["a reference that cannot be decoded", one({ $ref: "#/%E0%A4%A" })],
  ["true", one({ not: {}, anyOf: [true, false] as unknown as JsonObject[] })],
  ["a billion rows at least", one({ type: "array", items: { type: "integer" }, minItems: 1e9 })],
  [
    "names of the prototype",
    { type: "object", properties: { constructor: { type: "string" }, __proto__: { type: "string" } } },
  ],
])("a schema with %s is shown somehow", (_, schema) => {
  shown(schema).read();
  expect(document.body.childElementCount).toBe(1);
  expect(document.querySelectorAll("*").length).toBeLessThan(20_000);
});

test("text of a schema is text", () => {
  const hostile = "<img src=x onerror=alert(1)>";
  shown({
    type: "object",
    properties: { [hostile]: { enum: [hostile, "b"], description: hostile, default: hostile } },
  });
  expect(document.body.textContent).toContain(hostile);
  expect(document.querySelector("img")).toBeNull();
});

test("picked files are listed, can be taken back, and are sent as base64", async () => {
  const { answerFields } = await import("../src/views/form/answer");
  const wait = {
    no: 0,
    kind: "files",
    prompt: "",
    schema: null,
    options: [],
    token_digest: "",
    deadline: null,
    on_deadline: "fail",
    default: null,
    name: "",
  };
  const fields = answerFields(wait);
  document.body.replaceChildren(fields.element);
  expect(fields.read().ok).toBe(false);
  const drop = document.querySelector(".gr-drop");
  const dropped = new Event("drop", { bubbles: true, cancelable: true });
  const files = [new File(["hello"], "a.txt", { type: "text/plain" }), new File(["b"], "b.bin")];
  drop?.dispatchEvent(Object.assign(dropped, { dataTransfer: { files } }));
  await expect.poll(() => fields.read().ok).toBe(true);
  press("Remove b.bin");
  expect(value(fields)).toEqual({ files: [{ name: "a.txt", mime: "text/plain", data: "aGVsbG8=" }] });
  const big = new File([new Uint8Array(5_000_001)], "big.bin");
  drop?.dispatchEvent(Object.assign(new Event("drop", { bubbles: true }), { dataTransfer: { files: [big] } }));
  expect(at("Files").getAttribute("aria-invalid")).toBe("true");
  expect(fields.read().ok).toBe(false);
});

test("Enter sends; in a field of several lines with Control, or alone where there is just one line", async () => {
  const { formOf } = await import("../src/views/form/form");
  const sent: Json[] = [];
  const send = async (read: Json) => {
    sent.push(read);
    return { error: "", errors: [] };
  };
  const schema = one({ type: "string", maxLength: 5000, default: "a" });
  const press = async (field: string, init: KeyboardEventInit): Promise<void> => {
    document
      .querySelector(field)
      ?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, ...init }));
    await Promise.resolve();
  };
  document.body.replaceChildren(formOf({ label: "F", button: "Send", fields: fieldsOf(schema), send }));
  await press("textarea", {});
  await press("textarea", { ctrlKey: true, isComposing: true });
  expect(sent).toEqual([]);
  await press("textarea", { ctrlKey: true });
  expect(sent).toEqual([{ x: "a" }]);
  document.body.replaceChildren(formOf({ label: "F", button: "Send", fields: fieldsOf(schema), send, isShort: true }));
  await press("textarea", { shiftKey: true });
  expect(sent).toHaveLength(1);
  await press("textarea", {});
  expect(sent).toHaveLength(2);
  const line = fieldsOf(one({ type: "string", default: "b" }));
  document.body.replaceChildren(formOf({ label: "F", button: "Send", fields: line, send }));
  await press("input", {});
  expect(sent.at(-1)).toEqual({ x: "b" });
});

test("while an answer is under way nothing is sent again; a refusal is said by field, or below the form", async () => {
  const { formOf } = await import("../src/views/form/form");
  const replies: ((taken: { error: string; errors: { path: string; message: string }[] }) => void)[] = [];
  const send = () =>
    new Promise<{ error: string; errors: { path: string; message: string }[] }>((r) => replies.push(r));
  const fields = fieldsOf(one({ type: "string", default: "b" }));
  const form = formOf({ label: "F", button: "Send", fields, send });
  document.body.replaceChildren(form);
  press("Send");
  press("Send");
  expect(replies).toHaveLength(1);
  replies[0]?.({ error: "refused", errors: [{ path: "x", message: "not so" }] });
  await expect.poll(() => at("X").getAttribute("aria-invalid")).toBe("true");
  expect(form.textContent).not.toContain("refused");
  press("Send");
  expect(at("X").getAttribute("aria-invalid")).toBeNull();
  replies[1]?.({ error: "somebody was faster", errors: [] });
  await expect.poll(() => form.textContent).toContain("somebody was faster");
});

test("a field is called by its schema's title, or else by its name", () => {
  shown({
    type: "object",
    properties: { who: { type: "string", title: "Who gets it" }, n_boxes: { type: "integer" } },
  });
  expect(names()).toEqual(["Who gets it", "n_boxes"]);
});
