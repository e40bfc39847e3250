"""A run as one HTML page that needs nothing else: no network, no scripts.

The data of the run is in it as JSON (`view.export`), in the element ``#graphrun-run``, and the drawing stands in
``#graphrun-view``: a program that replays the run takes the one and replaces the other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from graphrun_nb.view.text import COLUMNS, headline, node_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from graphrun_nb.core.events import ErrorInfo
    from graphrun_nb.core.state import RunState

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
  color: #1c2128; background: #fff; margin: 2rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p { color: #626b77; margin: 0.2rem 0 1rem; }
#graphrun-view { overflow-x: auto; border: 1px solid #d9dde3; border-radius: 8px; padding: 8px; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid #d9dde3; }
tbody th { font-weight: 500; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f7f9; border-radius: 8px; padding: 0.75rem; }
"""


def page(state: RunState, drawing: str, data: bytes, outputs: Iterable[tuple[str, str]] = ()) -> str:
    """Return `state` as a page.

    Parameters
    ----------
    drawing
        An SVG document of it.
    data
        What `to_json` gave.
    outputs
        The run's own, by name, as previews; none as long as it has not ended well.
    """
    title = escape(headline(state))
    return "".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n",
            f"<h1>{title}</h1>\n<p>run {escape(state.run_id)}, started {_instant(state.started_at)}</p>\n",
            f'<figure id="graphrun-view" style="margin: 0">{drawing}</figure>\n',
            *_pairs("Inputs", ((name, ref.preview) for name, ref in state.inputs)),
            *_pairs("Outputs", outputs),
            "<h2>Nodes</h2>\n",
            *_table(COLUMNS, node_rows(state)),
            *_errors(state),
            f'<script type="application/json" id="graphrun-run">{_inert(data)}</script>\n',
            "</body>\n</html>\n",
        ]
    )


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
