/** Numbers and instants as people read them. */

export function duration(seconds: number): string {
  if (seconds < 0.0005) return "<1 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${pad(Math.floor((whole % 3600) / 60))}m`;
}

/** Whole seconds, for what ticks: tenths that jump once a second look wrong. */
export function ticking(seconds: number): string {
  const whole = Math.max(Math.floor(seconds), 0);
  return whole < 60 ? `${whole} s` : duration(whole);
}

export function clockTime(at: number): string {
  const date = new Date(at * 1000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(":");
}

export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}

const PLACES: Readonly<Record<string, string>> = { view: "a click", cell: "a cell", token: "a token" };

/** Says where an answer came from as people do. */
export function place(by: string): string {
  return PLACES[by] ?? by;
}

/** A size in the units of disks: `5 MB`, `48.2 kB`. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const [size, unit] = n < 1e6 ? [n / 1e3, "kB"] : n < 1e9 ? [n / 1e6, "MB"] : [n / 1e9, "GB"];
  return `${size.toFixed(1).replace(/\.0$/, "")} ${unit}`;
}
