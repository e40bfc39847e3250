"""A file that a person gave to a run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file as a value: what it is called and where its bytes are found.

    Attributes
    ----------
    name
        A plain file name, without folders, of 1 to 255 characters.
    mime
        Its media type, as the sender says.
    size
        Bytes.
    digest
        sha256 of the bytes, hex.

    Examples
    --------
    >>> file = FileRef.of("a.txt", "text/plain", b"hello")
    >>> file.size, file.read_bytes()
    (5, b'hello')
    """

    name: str
    mime: str
    size: int
    digest: str
    _bytes: bytes = field(repr=False, compare=False)

    @classmethod
    def of(cls, name: str, mime: str, data: bytes) -> Self:
        """Return the file that holds `data`."""
        return cls(name, mime, len(data), hashlib.sha256(data).hexdigest(), data)

    def read_bytes(self) -> bytes:
        """Return what the file holds."""
        return self._bytes
