"""Files in an answer: checked, decoded, and turned into `FileRef`."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from typing import Any

from graphrun_nb.core.files import FileRef
from graphrun_nb.engine.rejection import rejected

MAX_NAME = 255
UNKNOWN_TYPE = "application/octet-stream"
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(\s*;[ -~]*)?", re.ASCII)

FILES_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "files": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
                    "mime": {"type": "string"},
                    "data": {"type": "string", "contentEncoding": "base64"},
                },
                "required": ["name", "mime", "data"],
            },
        }
    },
    "required": ["files"],
}


def read_files(payload: Any) -> dict[str, list[FileRef]]:
    """Return ``{"files": [FileRef, ...]}`` for ``{"files": [{"name", "mime", "data" (base64)}, ...]}``.

    Raises
    ------
    PayloadRejected
        Something is missing or of the wrong type, a name is no plain file name, or data is not base64.
    """
    files = payload.get("files") if isinstance(payload, dict) else None
    if not isinstance(files, (list, tuple)):
        raise rejected([("files", "must be a list of {'name', 'mime', 'data'}")])
    errors: list[tuple[str, str]] = []
    found = [_file(f"files.{i}", each, errors) for i, each in enumerate(files)]
    if errors:
        raise rejected(errors)
    return {"files": [each for each in found if each is not None]}


def _file(path: str, given: Any, errors: list[tuple[str, str]]) -> FileRef | None:
    if not isinstance(given, dict):
        errors.append((path, "must be {'name', 'mime', 'data'}"))
        return None
    n_before = len(errors)
    name, mime = given.get("name"), given.get("mime")
    why = _wrong_name(name)
    if why:
        errors.append((f"{path}.name", why))
    if mime == "":
        mime = UNKNOWN_TYPE  # what browsers say of a file whose type they do not know
    if not isinstance(mime, str) or len(mime) > MAX_NAME or not _MIME.fullmatch(mime):
        errors.append((f"{path}.mime", "must be a media type like text/plain"))
    data = _decoded(given.get("data"))
    if data is None:
        errors.append((f"{path}.data", "must be base64"))
    return None if data is None or len(errors) > n_before else FileRef.of(str(name), str(mime), data)


def _wrong_name(name: Any) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        return f"must be a text of 1 to {MAX_NAME} characters"
    if "/" in name or "\\" in name or name in (".", ".."):
        return "must be a plain file name, without folders"
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
        return "must be without control characters"
    return ""


def _decoded(data: Any) -> bytes | None:
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
