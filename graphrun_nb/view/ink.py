"""What still pictures are drawn with: colours for light and for dark, and text that fits."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from graphrun_nb.core.status import NODE_STATUS, NodeStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "bg": "#ffffff",
    "card": "#ffffff",
    "line": "#d9dde3",
    "text": "#1c2128",
    "soft": "#626b77",
    "edge": "#b3bac4",
    "mark": "#ffffff",
    "idle": "#68727f",
    "active": "#1d63dc",
    "attention": "#925400",
    "caution": "#b5460f",
    "good": "#197a3e",
    "bad": "#c8262c",
    "muted": "#68727f",
    "active-tint": "#f2f7ff",
    "attention-tint": "#fff8e8",
    "caution-tint": "#fff5ef",
    "bad-tint": "#fff3f3",
}
DARK: Mapping[str, str] = {
    "bg": "#1b1d21",
    "card": "#26292e",
    "line": "#3d424a",
    "text": "#e8eaed",
    "soft": "#a2abb7",
    "edge": "#5b636e",
    "mark": "#17191c",
    "idle": "#98a1ad",
    "active": "#6aa8ff",
    "attention": "#f3bd4b",
    "caution": "#fb9457",
    "good": "#57c47d",
    "bad": "#ff7f7c",
    "muted": "#98a1ad",
    "active-tint": "#1e2a3d",
    "attention-tint": "#352c18",
    "caution-tint": "#35251b",
    "bad-tint": "#371f20",
}
"""Those of the live view, without a host's: 4.5:1 for text on what it stands on."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
TINTED = frozenset({NodeStatus.RUNNING, NodeStatus.WAITING, NodeStatus.RETRYING, NodeStatus.FAILED})
FADED = frozenset({NodeStatus.PENDING, NodeStatus.SKIPPED, NodeStatus.CANCELLED})


def style_sheet() -> str:
    """Return the rules of the classes that `fill` and `stroke` name; what is read in the dark is dark."""
    return f"{_rules(LIGHT)}@media (prefers-color-scheme:dark){{{_rules(DARK)}}}"


def _rules(colours: Mapping[str, str]) -> str:
    return "".join(
        f".gr-still .f-{name}{{fill:{colour}}}.gr-still .s-{name}{{stroke:{colour}}}"
        for name, colour in colours.items()
    )


def fill(name: str) -> str:
    """Return the attribute that fills with a colour."""
    return f'class="f-{name}"'


def stroke(name: str, filled: str = "") -> str:
    """Return the attributes of an outline, and of what it encloses: nothing, or a colour."""
    return f'class="s-{name} f-{filled}"' if filled else f'class="s-{name}" fill="none"'


def colour_of(status: NodeStatus) -> str:
    """Return the name of a status's colour."""
    return NODE_STATUS[status].colour


def safe(text: str) -> str:
    """Escape `text`, without the characters that XML cannot hold."""
    return escape("".join(char if _in_xml(char) else "\ufffd" for char in text))


def _in_xml(char: str) -> bool:
    return char in "\t\n\r" or " " <= char < "\ud800" or (char >= "\ue000" and char not in "\ufffe\uffff")


def fitted(text: str, size: float, room: float) -> str:
    """Return `text`, cut at its end where it is wider than `room` px at font size `size`."""
    if width(text, size) <= room:
        return text
    used = width("…", size)
    for i, char in enumerate(text):
        used += width(char, size)
        if used > room:
            return f"{text[:i].rstrip()}…"
    return text


def width(text: str, size: float) -> float:
    """Estimate the px that `text` takes, a little too many for common sans-serif fonts rather than too few."""
    return size * sum(map(_ems, text))


def _ems(char: str) -> float:
    if combining(char):
        return 0.0
    if east_asian_width(char) in "WF":
        return 1.05
    if char in "fijlrtI.,:;'|!()[]/ ·":
        return 0.36
    if char in "mwMW@%…":
        return 0.95
    return 0.7 if char.isupper() else 0.59
