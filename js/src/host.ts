/** What the host says of the kernel behind a widget, where it says anything: its manager is no part of a widget's API. */

export type HostKernel = "unknown" | "none" | "starting" | "idle" | "busy" | "dead" | "unreachable";

const STATUSES: ReadonlyMap<unknown, HostKernel> = new Map([
  ["idle", "idle"],
  ["busy", "busy"],
  ["starting", "starting"],
  ["restarting", "starting"],
  ["autorestarting", "starting"],
  ["terminating", "dead"],
  ["dead", "dead"],
]);

/** JupyterLab and Notebook 7 have the kernel on the manager of their widgets; others are not known to. */
export function hostKernel(model: object): HostKernel {
  const manager = property(model, "widget_manager");
  if (typeof manager !== "object" || manager === null || !("kernel" in manager)) return "unknown";
  const kernel = property(manager, "kernel");
  if (kernel === null || kernel === undefined) return "none";
  const status = STATUSES.get(property(kernel, "status")) ?? "unknown";
  const connection = property(kernel, "connectionStatus");
  return status !== "dead" && status !== "starting" && typeof connection === "string" && connection !== "connected"
    ? "unreachable"
    : status;
}

/** Reading may throw: a kernel that was disposed of does. */
function property(of: unknown, name: string): unknown {
  try {
    return typeof of === "object" && of !== null ? (of as { readonly [key: string]: unknown })[name] : undefined;
  } catch {
    return undefined;
  }
}
