"""What axe-core finds wrong with a part of a page, and how the widget's own colours stand out from each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator

SCRIPT = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"

RUN = """async root => {
  const { violations } = await axe.run(root, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
      `${id}: ${target.join(" ")}: ${[...any, ...all, ...none].map(({ message }) => message).join("; ")}`));
}"""

CONTRASTS = """(root, pairs) => {
  const probe = root.appendChild(document.createElement("span"));
  const paper = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = name => {
    probe.style.color = `var(--gr-${name})`;
    paper.fillStyle = getComputedStyle(probe).color;
    paper.fillRect(0, 0, 1, 1);
    return [...paper.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = name => {
    const [r, g, b] = channels(name).map(each => each / 255)
      .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = pairs.map(([ink, paper]) => {
    const [high, low] = [light(ink), light(paper)].sort((a, b) => b - a);
    return [`${ink} on ${paper}`, (high + 0.05) / (low + 0.05)];
  });
  probe.remove();
  return Object.fromEntries(found);
}"""


def findings(element: Locator) -> list[str]:
    """Return the serious and critical findings inside an element, each with where and why."""
    if not element.page.evaluate("'axe' in window"):
        element.page.evaluate(SCRIPT.read_text())
    found: list[str] = element.evaluate(RUN)
    return found


def contrasts(element: Locator, pairs: list[tuple[str, str]]) -> dict[str, float]:
    """Return the contrast of pairs of the widget's colours, by the names of their variables without ``--gr-``."""
    found: dict[str, Any] = element.evaluate(CONTRASTS, pairs)
    return found
