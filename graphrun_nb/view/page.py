"""A run as one HTML page that needs nothing else, and no network: the recorded run in the live view, without a kernel.

The data of the run is in it as JSON (`view.export`), in the element ``#graphrun-run``, for programs; what the view
plays is in ``#graphrun-recording`` (`view.recording`). Where scripts do not run, a drawing and tables tell the same.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from graphrun_nb.view.text import COLUMNS, headline, node_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from graphrun_nb.core.events import ErrorInfo
    from graphrun_nb.core.state import RunState

_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
_STYLE = """
:root { color-scheme: light dark; --text: #1c2128; --soft: #626b77; --line: #d9dde3; --raised: #f6f7f9; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8eaed; --soft: #a2abb7; --line: #3d424a; --raised: #26292e; --back: #16181b; }
}
body { font: 14px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
  color: var(--text); background: var(--back); margin: 0 auto; max-width: 1600px; padding: 24px; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0; overflow-wrap: anywhere; }
h2, summary { font-size: 1.1rem; font-weight: 600; margin: 1.75rem 0 0.5rem; }
summary { cursor: pointer; }
p { color: var(--soft); margin: 0.2rem 0 1rem; }
#graphrun-view { margin: 0; overflow-x: auto; }
#graphrun-view > svg { border: 1px solid var(--line); border-radius: 8px; }
#graphrun-view > .gr { height: clamp(420px, 72vh, 1000px); max-height: none; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
tbody th { font-weight: 500; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--raised); border-radius: 8px; padding: 0.75rem; }
"""


@dataclass(frozen=True, slots=True)
class Player:
    """What shows a recording in a page: the text of a script and of its style sheet, and the recording, packed."""

    script: str
    style: str
    recording: str


def page(
    state: RunState,
    drawing: str,
    data: bytes,
    outputs: Iterable[tuple[str, str]] = (),
    player: Player | None = None,
) -> str:
    """Return `state` as a page.

    Parameters
    ----------
    drawing
        An SVG document of it.
    data
        What `to_json` gave.
    outputs
        The run's own, by name, as previews; none as long as it has not ended well.
    player
        Without one the page runs no script.
    """
    title = escape(headline(state))
    script = "" if player is None else player.script.replace("</script", "<\\/script")
    policy = _POLICY.format(scripts=f"'sha256-{_digest(script)}'" if script else "'none'")
    style = _STYLE if player is None else _STYLE + player.style.replace("</style", "<\\/style")
    return "".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n",
            f"<h1>{title}</h1>\n<p>run {escape(state.run_id)}, started {_instant(state.started_at)}</p>\n",
            f'<figure id="graphrun-view">{drawing}</figure>\n',
            *_pairs("Inputs", ((name, ref.preview) for name, ref in state.inputs)),
            *_pairs("Outputs", outputs),
            f"<details><summary>Nodes ({len(state.nodes)})</summary>\n",
            *_table(COLUMNS, node_rows(state)),
            "</details>\n",
            *_errors(state),
            f'<script type="application/json" id="graphrun-run">{_inert(data)}</script>\n',
            *_player(player, script),
            "</body>\n</html>\n",
        ]
    )


def _player(player: Player | None, script: str) -> Iterator[str]:
    if player is not None:
        yield f'<script type="text/plain" id="graphrun-recording">{player.recording}</script>\n'
        yield f"<script>{script}</script>\n"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _pairs(heading: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    rows = list(pairs)
    if rows:
        yield f"<h2>{heading}</h2>\n"
        yield from _table(("name", "value"), rows)


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "<table>\n<thead><tr>"
    yield from (f'<th scope="col">{escape(cell)}</th>' for cell in heading)
    yield "</tr></thead>\n<tbody>\n"
    for first, *others in rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
        yield f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>\n'
    yield "</tbody>\n</table>\n"


def _errors(state: RunState) -> Iterator[str]:
    failed = [(node_id, node.error) for node_id, node in state.nodes.items() if node.error is not None]
    if failed:
        yield "<h2>Errors</h2>\n"
    for node_id, error in failed:
        yield f"<h3>{escape(node_id)}</h3>\n<pre>{escape(_in_full(error))}</pre>\n"


def _in_full(error: ErrorInfo) -> str:
    """Return an error as Python prints it, with the chained ones below."""
    lines = []
    for frame in error.frames:
        lines.append(f'File "{frame.file}", line {frame.line}, in {frame.function}')
        if frame.source:
            lines.append(f"    {frame.source.strip()}")
    lines += [f"{error.type_name}: {error.message}", *error.notes]
    if error.cause:
        lines += ["", "because of:", error.cause]
    return "\n".join(lines)


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _inert(data: bytes) -> str:
    """Return JSON that cannot end the element it stands in."""
    text = data.decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
