/** Files to be picked or dropped; they are read when they come, and travel as base64. */

import { fill, h, plainButton } from "../../dom";
import { bytes } from "../../format";
import type { Field } from "../../schema";
import type { Json } from "../../wire";
import { type Control, frame } from "./control";

/** In all: a message of more than 10 MB would end the connection to the kernel, and base64 is a third longer. */
export const MAX_FILE_BYTES = 5_000_000;

interface Picked {
  readonly file: File;
  readonly data: string | null;
}

/** `many`: a list of `{name, mime, data}`; otherwise the bytes of one file. */
export function filesControl(field: Field, many: boolean): Control {
  let picked: readonly Picked[] = [];
  const input = h("input", { class: "gr-file", type: "file", multiple: many });
  const list = h("ul", { class: "gr-file-list", "aria-label": "Picked files" });
  const help = `${many ? "Pick or drop files" : "Pick or drop a file"}, ${bytes(MAX_FILE_BYTES)}${many ? " in all" : ""} at most.`;
  const shown = frame(field, input, { help, wide: true });
  const element = shown.element;
  element.classList.add("gr-drop");
  input.after(list);

  const total = (): number => picked.reduce((sum, { file }) => sum + file.size, 0);

  function draw(): void {
    list.hidden = picked.length === 0;
    fill(
      list,
      ...picked.map((each) =>
        h(
          "li",
          {},
          h("span", { class: "gr-file-name" }, each.file.name),
          ` ${bytes(each.file.size)}${each.data === null ? ", reading…" : ""} `,
          plainButton(
            {
              class: "gr-close",
              "aria-label": `Remove ${each.file.name}`,
              on: { click: () => keep(picked.filter((other) => other !== each)) },
            },
            "×",
          ),
        ),
      ),
    );
  }

  function keep(files: readonly Picked[]): void {
    picked = files;
    shown.clear();
    if (total() > MAX_FILE_BYTES) {
      const way = "In a cell: future.resume(…) takes larger ones.";
      shown.show(`${bytes(total())} are too much: ${bytes(MAX_FILE_BYTES)} at most. ${way}`);
    }
    draw();
  }

  async function take(files: readonly File[]): Promise<void> {
    const coming = (many ? files : files.slice(0, 1)).map((file) => ({ file, data: null }));
    if (coming.length === 0) return;
    keep(many ? [...picked, ...coming] : coming);
    if (total() > MAX_FILE_BYTES) return;
    for (const each of coming) {
      const data = await base64(each.file).catch(() => null);
      const left = picked.filter((other) => other !== each || data !== null);
      keep(left.map((other) => (other === each ? { ...each, data } : other)));
      if (data === null) shown.show(`${each.file.name} could not be read.`);
    }
  }

  input.addEventListener("change", () => {
    void take([...(input.files ?? [])]);
    input.value = "";
  });
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
    element.dataset["over"] = "true";
  });
  element.addEventListener("dragleave", () => delete element.dataset["over"]);
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    delete element.dataset["over"];
    void take([...(event.dataTransfer?.files ?? [])]);
  });
  draw();
  return {
    element,
    read(path, errors): Json | undefined {
      if (total() > MAX_FILE_BYTES) errors.push({ path, message: `${bytes(MAX_FILE_BYTES)} at most.` });
      else if (picked.some(({ data }) => data === null)) errors.push({ path, message: "Still being read: a moment." });
      if (picked.length === 0) return undefined;
      if (!many) return picked[0]?.data ?? undefined;
      return picked.map(({ file, data }) => ({ name: file.name, mime: file.type, data: data ?? "" }));
    },
    show: (_, message) => shown.show(message),
    clear: shown.clear,
  };
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
