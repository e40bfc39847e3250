/** The fields in which each kind of wait is answered. */

import type { WaitInfo } from "../../protocol";
import { type Field, readSchema, type Shape } from "../../schema";
import { type Fields, fieldsFor } from "./fields";

export interface AnswerFields {
  readonly fields: Fields;
  /** One field of one line, with its button beside it. */
  readonly isShort: boolean;
}

const TEXT: Shape = {
  kind: "text",
  format: "text",
  long: true,
  min: 0,
  max: Number.POSITIVE_INFINITY,
  pattern: "",
  numeric: false,
};

export function answerFields(wait: WaitInfo): AnswerFields {
  const { kind, options, schema } = wait;
  const choice: Shape = { kind: "choice", options: options.map((each) => ({ label: each, value: each })) };
  switch (kind) {
    case "text":
      return { fields: fieldsFor(under("text", named("Answer", TEXT))), isShort: true };
    case "choice":
      return { fields: fieldsFor(under("choice", named("Choice", choice))), isShort: true };
    case "files":
      return { fields: fieldsFor(under("files", named("Files", { kind: "files" }))), isShort: false };
    case "event":
      return { fields: fieldsFor({ ...named("Payload", { kind: "json" }), nullable: true }), isShort: false };
    default:
      if (schema !== null) return { fields: fieldsFor(readSchema(schema)), isShort: false };
      if (options.length > 0) return { fields: fieldsFor(named("Choice", choice)), isShort: true };
      return { fields: fieldsFor(named("Answer", { kind: "json" })), isShort: false };
  }
}

function named(label: string, shape: Shape): Field {
  return { name: "", label, help: "", required: true, nullable: false, initial: undefined, shape };
}

/** The answer is an object with this one field. */
function under(name: string, field: Field): Field {
  return named("", { kind: "group", fields: () => [{ ...field, name }] });
}
