"""VS Code's themes, as its webviews tell them: classes on the body and variables; the view is an exported page's."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .axe import contrasts, findings
from .test_accessibility import TEXT_ON_PAPER
from .test_export import exported, opened  # noqa: F401 (fixtures)

THEMES = {
    "vscode-light": ("light", {"editor-background": "#ffffff", "font-family": "Selawik"}),
    "vscode-dark": ("dark", {"editor-background": "#1f1f1f", "editor-font-family": "Cascadia Mono"}),
    "vscode-high-contrast": ("dark", {"editor-background": "#000000", "contrastBorder": "#6fc3df"}),
    "vscode-high-contrast vscode-high-contrast-light": (
        "light",
        {"editor-background": "#ffffff", "contrastBorder": "#0f4a85"},
    ),
}

APPLY = """([classes, variables]) => {
  document.body.className = classes;
  for (const [name, value] of Object.entries(variables))
    document.documentElement.style.setProperty(`--vscode-${name}`, value);
}"""

PAINTED = """root => {
  const { backgroundColor, borderTopColor, fontFamily } = getComputedStyle(root);
  const mono = getComputedStyle(root).getPropertyValue("--gr-mono");
  return { backgroundColor, borderTopColor, fontFamily, mono };
}"""


def rgb(text):
    return "rgb({}, {}, {})".format(*bytes.fromhex(text[1:]))


@pytest.mark.parametrize("classes", THEMES)
def test_the_view_follows_a_theme_of_vs_code(opened, classes):  # noqa: F811 (the fixture)
    theme, variables = THEMES[classes]
    view = opened.get_by_role("region").first
    expect(view).to_be_visible()
    opened.evaluate(APPLY, [classes, variables])
    expect(view).to_have_attribute("data-theme", theme)
    painted = view.evaluate(PAINTED)
    assert painted["backgroundColor"] == rgb(variables["editor-background"])
    if "contrastBorder" in variables:
        assert painted["borderTopColor"] == rgb(variables["contrastBorder"])
    if "font-family" in variables:
        assert painted["fontFamily"] == variables["font-family"]
    if "editor-font-family" in variables:
        assert variables["editor-font-family"] in painted["mono"]
    low = {pair: round(ratio, 2) for pair, ratio in contrasts(view, TEXT_ON_PAPER).items() if ratio < 4.5}
    assert low == {}
    view.get_by_role("treeitem", name="average: failed").click()
    assert findings(view) == []
