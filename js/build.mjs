import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = import.meta.dirname;
const out = join(here, "../graphrun_nb/notebook/static");
const MAX_GZIP_KB = 60;

await mkdir(out, { recursive: true });
const options = {
  outdir: out,
  bundle: true,
  target: "es2022",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
};
await build({
  ...options,
  entryPoints: [
    { in: join(here, "src/anywidget.ts"), out: "widget" },
    { in: join(here, "src/inspector.css"), out: "widget" },
  ],
  format: "esm",
});
await build({ ...options, entryPoints: [join(here, "src/page.ts")], format: "iife" });

for (const name of ["widget.js", "widget.css", "page.js"]) {
  const file = join(out, name);
  const gzip = gzipSync(await readFile(file), { level: 9 }).length;
  process.stdout.write(
    `${name}: ${((await stat(file)).size / 1000).toFixed(1)} kB, ${(gzip / 1000).toFixed(1)} kB gzip\n`,
  );
  if (gzip > MAX_GZIP_KB * 1000) throw new Error(`${name} is larger than ${MAX_GZIP_KB} kB`);
}
