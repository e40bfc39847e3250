/** Base64 of gzip, as the kernel packs what is large. */

/** Bytes; a saved notebook may hold anything, and a few kilobytes can unfold into gigabytes. */
const MAX_INFLATED = 200_000_000;

/** Returns the bytes in pieces; throws if there are too many, or if it is not packed so. */
export async function inflate(packed: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const unzip = new DecompressionStream("gzip");
  const writer = unzip.writable.getWriter();
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  const written = writer.write(bytes).then(() => writer.close());
  const failed = written.catch(() => undefined); // what is wrong is told where it is read
  const reader = unzip.readable.getReader();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let n = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    n += next.value.length;
    if (n > MAX_INFLATED) throw new Error("what was packed is too large");
    pieces.push(next.value);
  }
  await failed;
  return pieces;
}

export async function inflateText(packed: string): Promise<string> {
  const decoder = new TextDecoder();
  const pieces = await inflate(packed);
  return pieces.map((each) => decoder.decode(each, { stream: true })).join("") + decoder.decode();
}
