"""What a value makes of itself: pictures and HTML by the methods that notebooks call. This runs users' code.

It may raise, return anything, or never return: whoever calls it does so in a thread that can be left behind.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.files import FileRef
from graphrun_nb.view.look import HtmlLook, ImageLook
from graphrun_nb.view.text import clipped

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_IMAGE = 1_000_000
"""Bytes of a picture."""

MAX_HTML = 500_000
"""Characters of markup."""

SIDES = (1200, 600, 300)
"""Pixels of a picture that is too large as it is, one after the other until it fits."""

_PICTURES = {"image/png": "_repr_png_", "image/jpeg": "_repr_jpeg_", "image/svg+xml": "_repr_svg_"}
_METHODS = ("_repr_mimebundle_", *_PICTURES.values(), "_repr_html_")


def is_rich(value: Any) -> bool:
    """Tell whether a value may make a picture or HTML of itself; asks its type alone."""
    kind = type(value)
    if kind is FileRef:
        return bool(value.mime.startswith("image/")) and value.size <= MAX_IMAGE
    return any(hasattr(kind, name) for name in _METHODS) or _is_figure(kind)


def rich(value: Any) -> ImageLook | HtmlLook | None:
    """Return the picture or the HTML that a value makes of itself, or None if it makes none that can be shown.

    Raises
    ------
    BaseException
        Whatever its methods raise.
    """
    if type(value) is FileRef:
        return _image(value.mime, value.read_bytes())
    if _is_figure(type(value)):
        return _figure(value)
    bundle = _bundle(value)
    for mime in _PICTURES:
        if mime in bundle:
            image = _image(mime, bundle[mime]) or _smaller(value)
            if image is not None:
                return image
    html = bundle.get("text/html")
    return HtmlLook(clipped(html, MAX_HTML)) if isinstance(html, str) and html else None


def _bundle(value: Any) -> Mapping[str, Any]:
    """Return what a value shows itself as, by mime type: the whole bundle, or else what single methods give."""
    kind = type(value)
    if hasattr(kind, "_repr_mimebundle_"):
        given = value._repr_mimebundle_()
        data = given[0] if isinstance(given, tuple) and given else given
        if isinstance(data, dict) and data:
            return data
    given = {mime: getattr(value, name)() for mime, name in _PICTURES.items() if hasattr(kind, name)}
    if hasattr(kind, "_repr_html_"):
        given["text/html"] = value._repr_html_()
    shown = {mime: each[0] if isinstance(each, tuple) and each else each for mime, each in given.items()}
    return {mime: each for mime, each in shown.items() if each}


def _image(mime: str, data: Any) -> ImageLook | None:
    if isinstance(data, str):
        data = data.encode() if mime == "image/svg+xml" else _decoded(data)
    if not isinstance(data, bytes) or not 0 < len(data) <= MAX_IMAGE:
        return None
    return ImageLook(mime, base64.b64encode(data).decode())


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except ValueError:
        return b""


def _smaller(value: Any) -> ImageLook | None:
    """Return a smaller copy of a picture that can make one, as those of Pillow can."""
    if not (hasattr(type(value), "thumbnail") and hasattr(type(value), "copy")):
        return None
    copy = value.copy()
    for side in SIDES:
        copy.thumbnail((side, side))
        file = io.BytesIO()
        copy.save(file, "PNG")
        image = _image("image/png", file.getvalue())
        if image is not None:
            return image
    return None


def _is_figure(kind: type) -> bool:
    return kind.__module__.startswith("matplotlib.") and hasattr(kind, "savefig")


def _figure(figure: Any) -> ImageLook | None:
    for dpi in (100, 50):
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dpi, bbox_inches="tight")
        image = _image("image/png", file.getvalue())
        if image is not None:
            return image
    return None
