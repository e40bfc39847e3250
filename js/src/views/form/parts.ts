/** Fields that are made of fields: groups, lists, alternatives, and groups that may be left out. */

import { fill, h, plainButton } from "../../dom";
import type { Field, Shape } from "../../schema";
import { isObject } from "../../schema";
import type { Json } from "../../wire";
import { below, type Control, type FieldError, frame, type Make, newId } from "./control";

const MAX_FIRST_ROWS = 20;

type Part<Kind extends Shape["kind"]> = Extract<Shape, { kind: Kind }>;

interface Member {
  readonly field: Field;
  readonly control: Control;
}

export function groupControl(field: Field, { fields }: Part<"group">, initial: Json | undefined, make: Make): Control {
  const given = isObject(initial) ? initial : {};
  const members: readonly Member[] = fields().map((each) => ({
    field: each,
    control: make(each, Object.hasOwn(given, each.name) ? given[each.name] : undefined),
  }));
  const alert = h("p", { class: "gr-field-error", role: "alert", hidden: true });
  const inner = h("div", { class: "gr-fields" }, ...members.map(({ control }) => control.element));
  const isWhole = field.name === "";
  const id = newId();
  const help = h("p", { class: "gr-field-help", id, hidden: field.help === "" }, field.help);
  const element = isWhole
    ? h("div", { class: "gr-whole" }, help, inner, alert)
    : h(
        "fieldset",
        { class: "gr-group gr-wide", "aria-describedby": field.help === "" ? null : id },
        h("legend", { class: "gr-field-label" }, field.label),
        help,
        inner,
        alert,
      );
  return {
    element,
    read(path, errors) {
      const read: Record<string, Json> = {};
      for (const { field: each, control } of members) {
        const value = control.read(below(path, each.name), errors);
        if (value !== undefined) read[each.name] = value;
      }
      return read;
    },
    show(path, message) {
      const member = memberAt(members, path);
      if (member !== undefined) return member.control.show(path.slice(member.field.name.length + 1), message);
      alert.hidden = false;
      alert.append(`${alert.textContent === "" ? "" : " "}${path === "" ? message : `${path}: ${message}`}`);
      return members[0]?.control.element.querySelector<HTMLElement>("input, select, textarea") ?? element;
    },
    clear() {
      alert.hidden = true;
      alert.textContent = "";
      for (const { control } of members) control.clear();
    },
  };
}

/** A name may have full stops in it: the longest that fits is meant. */
function memberAt(members: readonly Member[], path: string): Member | undefined {
  const fitting = members.filter(({ field: { name } }) => path === name || path.startsWith(`${name}.`));
  return fitting.sort((a, b) => b.field.name.length - a.field.name.length)[0];
}

export function listControl(field: Field, shape: Part<"list">, initial: Json | undefined, make: Make): Control {
  const rows: { control: Control; element: HTMLElement }[] = [];
  const list = h("div", { class: "gr-rows" });
  const add = plainButton({ class: "gr-button gr-add", on: { click: () => grow(true) } }, "Add");
  add.setAttribute("aria-label", `Add to ${field.label}`);
  const group = h("div", { class: "gr-list", role: "group" }, list, add);
  const shown = frame(field, group, { help: size(shape), wide: true });

  function grow(byHand: boolean, value?: Json): void {
    const control = make(shape.item(rows.length), value);
    const remove = plainButton({ class: "gr-close", title: "Remove", on: { click: () => shrink(row) } }, "×");
    const row = { control, element: h("div", { class: "gr-row" }, control.element, remove) };
    rows.push(row);
    list.append(row.element);
    number();
    shown.clear();
    if (byHand) row.element.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
  }

  function shrink(row: { control: Control; element: HTMLElement }): void {
    const at = rows.indexOf(row);
    rows.splice(at, 1);
    row.element.remove();
    number();
    shown.clear();
    const next = rows[at] ?? rows[at - 1];
    (next?.element.querySelector<HTMLElement>("input, select, textarea, button") ?? add).focus();
  }

  /** After a row has gone, those below it are called by the numbers that they have now. */
  function number(): void {
    rows.forEach(({ element }, i) => {
      const label = element.querySelector(".gr-field-label");
      if (label !== null) label.textContent = `${(label.textContent ?? "").replace(/ \d+$/, "")} ${i + 1}`;
      element.lastElementChild?.setAttribute("aria-label", `Remove ${label?.textContent ?? i + 1}`);
    });
    add.hidden = rows.length >= shape.max;
  }

  const given: readonly Json[] = Array.isArray(initial) ? initial : [];
  for (const each of given) grow(false, each);
  while (rows.length < Math.min(shape.min, MAX_FIRST_ROWS)) grow(false);
  return {
    element: shown.element,
    read(path, errors) {
      if (rows.length < shape.min) errors.push({ path, message: `At least ${shape.min}.` });
      return rows.map(({ control }, i) => control.read(below(path, String(i)), errors) ?? null);
    },
    show(path, message) {
      const [, no = "", rest = ""] = /^(\d+)(?:\.(.*))?$/s.exec(path) ?? [];
      const row = no === "" ? undefined : rows[Number(no)];
      return row === undefined ? shown.show(message) : row.control.show(rest, message);
    },
    clear() {
      shown.clear();
      for (const { control } of rows) control.clear();
    },
  };
}

function size({ min, max }: Part<"list">): string {
  if (min > 0 && Number.isFinite(max)) return min === max ? `${min} of them.` : `${min} to ${max}.`;
  return min > 0 ? `At least ${min}.` : Number.isFinite(max) ? `At most ${max}.` : "";
}

/** One of several shapes: which one is chosen first. */
export function unionControl(
  field: Field,
  { variants }: Part<"union">,
  initial: Json | undefined,
  make: Make,
): Control {
  const select = h(
    "select",
    { class: "gr-input" },
    ...variants.map(({ label }, i) => h("option", { value: i }, label)),
  );
  const place = h("div", { class: "gr-variant" });
  const shown = frame(field, select, { wide: true });
  shown.element.append(place);
  let control: Control;
  const choose = (value?: Json): void => {
    const variant = variants[select.selectedIndex] ?? variants[0];
    if (variant === undefined) return;
    control = make({ ...variant, name: "" }, value);
    fill(place, control.element);
    shown.clear();
  };
  select.selectedIndex = Math.max(
    variants.findIndex((each) => initial !== undefined && fits(each.shape, initial)),
    0,
  );
  select.addEventListener("change", () => choose());
  choose(initial);
  return {
    element: shown.element,
    read: (path, errors) => control.read(path, errors),
    show: (path, message) => control.show(path.slice(path.indexOf(".") + 1), message),
    clear() {
      shown.clear();
      control.clear();
    },
  };
}

function fits(shape: Shape, value: Json): boolean {
  switch (shape.kind) {
    case "group":
      return (
        isObject(value) &&
        shape.fields().every(({ name, shape: part }) => part.kind !== "fixed" || part.value === value[name])
      );
    case "list":
    case "choices":
    case "files":
      return Array.isArray(value);
    case "flag":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number";
    case "text":
    case "file":
      return typeof value === "string";
    case "choice":
      return shape.options.some((each) => each.value === value);
    case "fixed":
      return shape.value === value;
    default:
      return true;
  }
}

/** A group, or alternatives, that need not be given at all. */
export function optionalControl(
  field: Field,
  make: (initial: Json | undefined) => Control,
  initial: Json | undefined,
): Control {
  let control: Control | null = null;
  const add = plainButton({ class: "gr-button gr-add", on: { click: () => open(undefined, true) } });
  const remove = plainButton({ class: "gr-button gr-add", on: { click: () => close() } });
  add.textContent = `Add ${field.label}`;
  remove.textContent = `Remove ${field.label}`;
  const element = h("div", { class: "gr-optional gr-wide" }, add);
  function open(value: Json | undefined, byHand: boolean): void {
    control = make(value);
    fill(element, control.element, remove);
    if (byHand) control.element.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
  }
  function close(): void {
    control = null;
    fill(element, add);
    add.focus();
  }
  if (initial !== undefined && initial !== null) open(initial, false);
  return {
    element,
    read: (path: string, errors: FieldError[]) => control?.read(path, errors),
    show(path, message) {
      if (control === null) open(undefined, false);
      return control?.show(path, message) ?? add;
    },
    clear: () => control?.clear(),
  };
}
