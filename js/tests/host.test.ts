// @vitest-environment jsdom
/** What the view learns from the page that it stands in: its theme, and what has the focus. */

import { afterEach, describe, expect, test } from "vitest";
import { focused, h } from "../src/dom";
import { hostTheme } from "../src/theme";

afterEach(() => {
  document.body.className = "";
  for (const name of Object.keys(document.body.dataset)) delete document.body.dataset[name];
  document.documentElement.removeAttribute("theme");
  document.body.replaceChildren();
});

describe("the host's theme", () => {
  test.each([
    ["vscode-light", "light"],
    ["vscode-dark", "dark"],
    ["vscode-high-contrast", "dark"],
    ["vscode-high-contrast vscode-high-contrast-light", "light"],
  ])("of VS Code: %s", (classes, theme) => {
    document.body.className = classes;
    expect(hostTheme()).toBe(theme);
  });

  test.each(["light", "dark"])("of marimo: %s", (theme) => {
    document.body.dataset["theme"] = theme;
    expect(hostTheme()).toBe(theme);
  });

  test("of JupyterLab counts before all others", () => {
    document.body.dataset["jpThemeLight"] = "false";
    document.body.className = "vscode-light";
    expect(hostTheme()).toBe("dark");
  });

  test.each([["nonsense", "light"]])("that says %s is not believed", (said, theme) => {
    document.body.dataset["theme"] = said;
    expect(hostTheme()).toBe(theme);
  });
});

test("the focus is found in the shadow that the view stands in", () => {
  const [outside, inside] = [h("button"), h("button")];
  const host = h("div");
  const list = h("div", {}, inside);
  host.attachShadow({ mode: "open" }).append(list);
  document.body.append(outside, host);
  inside.focus();
  expect(document.activeElement).toBe(host);
  expect(focused(list)).toBe(inside);
  outside.focus();
  expect(focused(list)).toBe(null);
  expect(focused(outside)).toBe(outside);
  expect(focused(h("div"))).toBe(null);
});

test("text that scrolls is reached by the keyboard", () => {
  expect(h("pre", {}, "x").tabIndex).toBe(0);
  expect(h("pre", { tabindex: -1 }).tabIndex).toBe(-1);
});
