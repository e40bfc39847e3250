/** Files that the kernel makes of a run: asked for piece by piece, put together here, and given to the browser. */

import type { Link } from "./link";
import { inflate } from "./packing";
import { text as readText } from "./wire";

export const FORMATS = [
  { format: "html", label: "Interactive page (HTML)" },
  { format: "svg", label: "Drawing (SVG)" },
  { format: "png", label: "Picture (PNG)" },
  { format: "json", label: "All data (JSON)" },
  { format: "trace.json", label: "Timeline for Perfetto (Chrome trace)" },
] as const;
export type Format = (typeof FORMATS)[number]["format"];

/** A server drops what is more than 3 MB in 3 s. */
const PAUSE_MS = 400;

/** Downloads the run as a file; returns why not, or an empty text. */
export async function download(link: Link, format: Format): Promise<string> {
  const pieces: string[] = [];
  let name = "";
  let mime = "";
  for (let parts = 1, part = 0; part < parts; part++) {
    if (part > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const { error, hint, data } = await link.send({ kind: "export", format, part }).reply;
    if (error !== "" || data === null) return [error, hint].filter((each) => each !== "").join(" ");
    pieces.push(readText(data["text"]));
    if (part === 0) {
      parts = Number(data["parts"]);
      name = readText(data["name"]);
      mime = readText(data["mime"]);
    }
  }
  offer(new Blob(await inflate(pieces.join("")), { type: mime }), name);
  return "";
}

function offer(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
