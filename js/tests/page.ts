/** A whole inspector in jsdom, which has no layout and no canvas: what it lacks is stood in for here. */

import { setMaxListeners } from "node:events";
import { vi } from "vitest";
import widget from "../src/anywidget";
import { FakeKernel } from "./kernel";

export interface Page {
  readonly kernel: FakeKernel;
  readonly root: HTMLElement;
  readonly cleanup: () => void;
  /** Elements of a role, with their accessible names. */
  all(role: string): HTMLElement[];
  get(role: string, name: string | RegExp): HTMLElement;
  find(role: string, name: string | RegExp): HTMLElement | undefined;
  names(role: string): string[];
  /** Names of the tabs that have something to show. */
  filled(): string[];
  settle(ms?: number): Promise<void>;
}

const IMPLICIT: Readonly<Record<string, string>> = {
  button: "button",
  link: "a[href]",
  form: "form[aria-label]",
  textbox: "input:not([type=search])",
  searchbox: "input[type=search]",
  navigation: "nav",
};

class NoResizing {
  observe = (): void => undefined;
  disconnect = (): void => undefined;
  constructor(changed: () => void) {
    queueMicrotask(changed);
  }
}

/** It rules nothing, and says what it would. */
export class NoSheet {
  text = "";
  replaceSync(text: string): void {
    this.text = text;
  }
}

/** As of a run that has ended and whose graph is defined. */
const TRAITS = { others: [], driver: null, replay: "", runs: [], offers: ["retry", "from", "again"] };

export function prepare(): void {
  vi.stubGlobal("CSSStyleSheet", NoSheet);
  document.adoptedStyleSheets = [];
  setMaxListeners(50); // each view takes its listeners off by one signal
  vi.useFakeTimers({
    toFake: [
      "setTimeout",
      "clearTimeout",
      "setInterval",
      "clearInterval",
      "requestAnimationFrame",
      "cancelAnimationFrame",
      "Date",
      "performance",
    ],
  });
  vi.stubGlobal("ResizeObserver", NoResizing);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  Element.prototype.scrollTo = () => undefined;
}

export function restore(): void {
  document.body.replaceChildren();
  document.head.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
}

export function nameOf(element: Element): string {
  return element.getAttribute("aria-label") ?? element.textContent ?? "";
}

/** Opens a view; a `manager` says what the host's one does. */
export async function open(graph = "golden graph", manager: unknown = undefined): Promise<Page> {
  const kernel = new FakeKernel();
  kernel.traits = { run_id: "run-1", graph_name: graph, ...TRAITS };
  const el = document.createElement("div");
  document.body.append(el);
  const model = Object.assign(kernel, { get: (name: string) => kernel.traits[name], widget_manager: manager });
  const cleanup = widget.render({ model, el } as unknown as Parameters<typeof widget.render>[0]) as () => void;
  const root = el.firstElementChild as HTMLElement;
  const all = (role: string): HTMLElement[] => {
    const selector = [`[role="${role}"]`, ...(role in IMPLICIT ? [`${IMPLICIT[role]}:not([role])`] : [])].join();
    return [...root.querySelectorAll<HTMLElement>(selector)].filter((each) => each.closest("[hidden]") === null);
  };
  const matches = (element: Element, name: string | RegExp): boolean =>
    typeof name === "string" ? nameOf(element) === name : name.test(nameOf(element));
  const page: Page = {
    kernel,
    root,
    cleanup,
    all,
    find: (role, name) => all(role).find((each) => matches(each, name)),
    get(role, name) {
      const found = page.find(role, name);
      if (found === undefined) throw new Error(`no ${role} ${name}; there are: ${page.names(role).join(" | ")}`);
      return found;
    },
    names: (role) => all(role).map(nameOf),
    filled: () =>
      all("tab")
        .filter((tab) => tab.dataset["empty"] !== "true")
        .map(nameOf),
    settle: async (ms = 1000) => void (await vi.advanceTimersByTimeAsync(ms)),
  };
  await page.settle(0);
  return page;
}
