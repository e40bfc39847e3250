/** Which theme the host has, and the colours that the canvas takes from the style sheet. */

import type { NodeStatus } from "./status";
import { NODE_STATUS, NODE_STATUSES } from "./status";

export type Theme = "light" | "dark";

export interface Palette {
  readonly stage: string;
  readonly card: string;
  readonly line: string;
  readonly text: string;
  readonly soft: string;
  readonly edge: string;
  readonly accent: string;
  readonly mark: string;
  readonly status: Readonly<Record<NodeStatus, string>>;
  readonly tint: Readonly<Record<NodeStatus, string>>;
  readonly font: string;
}

export function hostTheme(): Theme {
  const body = document.body;
  const light = body.dataset["jpThemeLight"];
  if (light !== undefined) return light === "false" ? "dark" : "light";
  // VS Code gives a light theme of high contrast the class of a dark one as well.
  if (["vscode-light", "vscode-high-contrast-light"].some((name) => body.classList.contains(name))) return "light";
  if (["vscode-dark", "vscode-high-contrast"].some((name) => body.classList.contains(name))) return "dark";
  // marimo tells it on the body, documentation made of notebooks on the root.
  for (const declared of [body.dataset["theme"], document.documentElement.getAttribute("theme")]) {
    if (declared === "dark" || declared === "light") return declared;
  }
  return darkMedia()?.matches ? "dark" : "light";
}

/** Calls back at once and whenever the host's theme may have changed. */
export function watchTheme(changed: (theme: Theme) => void, signal: AbortSignal): void {
  const tell = (): void => changed(hostTheme());
  const observer = new MutationObserver(tell);
  const attributeFilter = ["class", "data-jp-theme-light", "data-jp-theme-name", "data-theme", "theme", "style"];
  for (const element of [document.body, document.documentElement]) {
    observer.observe(element, { attributes: true, attributeFilter });
  }
  for (const media of [darkMedia(), globalThis.matchMedia?.("(forced-colors: active)")]) {
    media?.addEventListener("change", tell, { signal });
  }
  signal.addEventListener("abort", () => observer.disconnect());
  tell();
}

export function readPalette(root: Element): Palette {
  const style = getComputedStyle(root);
  const colour = (name: string): string => style.getPropertyValue(`--gr-${name}`).trim() || "#888";
  const each = (value: (token: string) => string): Record<NodeStatus, string> =>
    Object.fromEntries(NODE_STATUSES.map((status) => [status, value(NODE_STATUS[status].colour)])) as Record<
      NodeStatus,
      string
    >;
  return {
    stage: colour("stage"),
    card: colour("card"),
    line: colour("line"),
    text: colour("text"),
    soft: colour("soft"),
    edge: colour("edge"),
    accent: colour("accent"),
    mark: colour("mark"),
    status: each(colour),
    tint: each((token) => colour(`${token}-tint`)),
    font: style.fontFamily || "system-ui, sans-serif",
  };
}

export function prefersStillness(): boolean {
  return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
}

function darkMedia(): MediaQueryList | undefined {
  return globalThis.matchMedia?.("(prefers-color-scheme: dark)");
}
