"""Keeps a run's values in a durable store, by digest; those that cannot be written, in this process alone."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from graphrun_nb.core.events import ValueRef
from graphrun_nb.errors import StoreCorrupt
from graphrun_nb.stores import typed_json
from graphrun_nb.stores.line_shelf import LineShelf
from graphrun_nb.stores.weight import is_heavy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from graphrun_nb.protocols import Signal

MAX_INLINE = 65_536
"""Bytes of a value that is written in the transaction of its turn; larger ones are written before it."""
_MAX_REMEMBERED_SIZE = 64
_MAX_REMEMBERED = 4096
_SCALARS = frozenset({type(None), bool, int, str})


class Shelf(Protocol):
    """Where bytes are kept by digest, and lines."""

    def fetch(self, run_id: str, digest: str) -> bytes | None:
        """Return them, or None if they are not there."""
        ...

    def fetch_all(self, run_id: str, digests: Sequence[str]) -> dict[str, bytes]:
        """Return those of them that are there, by digest; large ones need not be."""
        ...

    def stow(self, run_id: str, digest: str, data: bytes) -> bool:
        """Keep large ones at once; return False if they are to be kept with their turn."""
        ...

    def lines_of(self, shelf: LineShelf, node_id: str) -> Sequence[Signal]:
        """Return what was kept of what a node printed."""
        ...


class Written(NamedTuple):
    """A value as bytes: `data` as far as they are to be kept with the next turn; `size` is 0 if there are none."""

    digest: str
    size: int
    data: bytes | None


class StoredKeeper:
    """The values of one run.

    Attributes
    ----------
    pending
        What is to be written with the next turn, by digest.
    shelf
        What nodes print, to be written with the next turn or soon.
    """

    refers = True

    def __init__(self, values: Shelf, run_id: str) -> None:
        self.only: dict[str, Any] = {}
        self.values: dict[str, Mapping[str, Any]] = {}
        self.outputs: dict[str, Any] | None = None
        self.types: Mapping[str, type] = {}
        self.pending: dict[str, bytes] = {}
        self.shelf = LineShelf(run_id)
        self._values = values
        self._run_id = run_id
        self._mark = secrets.token_hex(4)
        self._here: list[Any] = []
        self._at_hand: dict[str, bytes] = {}
        self._written: dict[int, tuple[Any, Written]] = {}
        self._small: dict[tuple[type, Any], ValueRef] = {}

    def put(self, value: Any, preview: Callable[[], str], *, shown: bool = True) -> ValueRef:
        """Keep `value` with the next turn."""
        of, written = self._written.pop(id(value), (None, None))
        if written is None or of is not value:
            written = self._write(value)
        digest, size, data = written
        if not size:
            self._here.append(value)
            return ValueRef(digest=f"{self._mark}-{len(self._here) - 1}", preview=preview())
        if data is not None:
            self.pending[digest] = data
        ref = ValueRef("json", digest, size, preview() if shown else "")
        if not shown and type(value) in _SCALARS and size <= _MAX_REMEMBERED_SIZE:
            if len(self._small) >= _MAX_REMEMBERED:
                self._small.clear()
            self._small[type(value), value] = ref
        return ref

    def is_heavy(self, value: Any) -> bool:
        """Tell whether putting a value would take longer than a loop should stand still."""
        return is_heavy(value)

    def write(self, values: Sequence[Any]) -> None:
        """Write large values: to the disk, where there are files for them. Called from any thread."""
        for value in values:
            self._written[id(value)] = value, self._write(value)

    def _write(self, value: Any) -> Written:
        data = typed_json.encode(value, self.types)
        if data is None:
            return Written("", 0, None)
        digest = digest_of(data)
        is_away = len(data) > MAX_INLINE and self._values.stow(self._run_id, digest, data)
        return Written(digest, len(data), None if is_away else data)

    def known(self, value: Any) -> ValueRef | None:
        """Return what the log says of a small value that was put before without being shown; None of any other."""
        kind = type(value)
        return self._small.get((kind, value)) if kind in _SCALARS else None

    @contextlib.contextmanager
    def at_hand(self, refs: Iterable[ValueRef]) -> Iterator[None]:
        """Read these at once, except for large ones, so that `get` finds them without asking for each."""
        wanted = {each.digest for each in refs if each.codec == "json" and each.size <= MAX_INLINE}
        self._at_hand = self._values.fetch_all(self._run_id, sorted(wanted - self.pending.keys()))
        try:
            yield
        finally:
            self._at_hand = {}

    def get(self, ref: ValueRef) -> Any:
        """Return what was put.

        Raises
        ------
        LookupError
            It lived in a process that is gone, or is made of a class that is not known here.
        StoreCorrupt
            It is not what was written.
        """
        if ref.codec != "json":
            mark, _, no = ref.digest.rpartition("-")
            if mark != self._mark:
                raise LookupError(ref.preview)
            return self._here[int(no)]
        data = self.pending.get(ref.digest)
        if data is None:
            data = self._at_hand.get(ref.digest)
        if data is None:
            data = self._values.fetch(self._run_id, ref.digest)
        if not isinstance(data, bytes) or digest_of(data) != ref.digest:
            what = "is missing" if data is None else "is not what was written"
            raise StoreCorrupt(
                f"a value of run {self._run_id!r} {what} ({ref.digest[:12]})",
                hints=("%graphrun doctor tells more",),
            )
        return typed_json.decode(data, self.types)

    def are_kept(self, digests: Iterable[str]) -> None:
        """Note that these need not be written any more. Called from any thread."""
        for digest in digests:
            self.pending.pop(digest, None)

    def add_line(self, line: Signal) -> None:
        """Keep what a node printed with the next turn, or soon. Called from any thread."""
        self.shelf.add(line)

    def lines(self, node_id: str) -> Sequence[Signal]:
        """Return what was kept of what a node printed."""
        return self._values.lines_of(self.shelf, node_id)


def digest_of(data: bytes) -> str:
    """Return the first 128 bits of the sha256 of `data`, hex: what a value is kept and checked by."""
    return hashlib.sha256(data).hexdigest()[:32]
