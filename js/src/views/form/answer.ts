/** The fields in which each kind of wait is answered. */

import type { WaitInfo } from "../../protocol";
import { type Field, readSchema, type Shape } from "../../schema";
import { type Fields, fieldsFor } from "./fields";

const TEXT: Shape = {
  kind: "text",
  format: "text",
  long: true,
  min: 0,
  max: Number.POSITIVE_INFINITY,
  pattern: "",
  numeric: false,
};

export function answerFields({ kind, options, schema }: WaitInfo): Fields {
  const choice: Shape = { kind: "choice", options: options.map((each) => ({ label: each, value: each })) };
  switch (kind) {
    case "text":
      return fieldsFor(under("text", named("Answer", TEXT)));
    case "choice":
      return fieldsFor(under("choice", named("Choice", choice)));
    case "files":
      return fieldsFor(under("files", named("Files", { kind: "files" })));
    case "event":
      return fieldsFor({ ...named("Payload", { kind: "json" }), nullable: true });
    default:
      if (schema !== null) return fieldsFor(readSchema(schema));
      return fieldsFor(options.length > 0 ? named("Choice", choice) : named("Answer", { kind: "json" }));
  }
}

function named(label: string, shape: Shape): Field {
  return { name: "", label, help: "", required: true, nullable: false, initial: undefined, shape };
}

/** The answer is an object with this one field. */
function under(name: string, field: Field): Field {
  return named("", { kind: "group", fields: () => [{ ...field, name }] });
}
