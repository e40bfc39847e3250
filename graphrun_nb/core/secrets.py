"""Values that must stay hidden: which names hold them, and how they are taken out of a text."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

MASK = "•••"
MIN_LENGTH = 6
"""Of a text that is looked for inside others: a shorter one would be found where it is not meant."""

MAX_TEXTS = 1000
MAX_DEPTH = 4
_LINE = 12
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HIDING = frozenset(
    {"password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "credential", "credentials", "apikey"}
    | {"authorization", "bearer", "cookie", "cookies", "jwt"}
)
_SCHEME = re.compile(r"(?:Bearer|Basic|Digest|Token|ApiKey)\s+(\S.*)", re.IGNORECASE)
_IN_URL = re.compile(r"(?<=://)([^\s/?#@:'\"]*:)([^\s/?#@'\"]+)(?=@)")
_MAY_HIDE = frozenset({"key", "keys", "token", "tokens"})
_HARMLESS = frozenset(
    {
        "cache",
        "dict",
        "foreign",
        "group",
        "idempotency",
        "index",
        "join",
        "max",
        "min",
        "n",
        "num",
        "order",
        "partition",
    }
    | {"primary", "public", "row", "sort", "stop"}
)


@functools.lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Tell whether a value of this name must stay hidden.

    Examples
    --------
    >>> [name for name in ("password", "api_token", "privateKey", "sort_key", "max_tokens") if is_secret(name)]
    ['password', 'api_token', 'privateKey']
    """
    words = [word.lower() for word in _WORD.findall(name)]
    for before, word in zip(["", *words], words, strict=False):
        if word in _HIDING or (word in _MAY_HIDE and before not in _HARMLESS):
            return True
    return False


class Secrets:
    """The values of one run that must stay hidden, and texts without them."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: Any, depth: int = 0) -> None:
        """Hide `value`: the texts and bytes in it. Numbers stay, since they stand for themselves everywhere."""
        if isinstance(value, str):
            self._hide(value)
        elif isinstance(value, (bytes, bytearray)):
            self._hide(bytes(value).decode("utf-8", "replace"))
        elif hasattr(value, "get_secret_value"):
            self.add(value.get_secret_value(), depth + 1)
        elif depth < MAX_DEPTH and isinstance(value, (Mapping, list, tuple, set)):
            for each in list(value.values() if isinstance(value, Mapping) else value)[:MAX_TEXTS]:
                self.add(each, depth + 1)

    def find(self, value: Any, depth: int = 0) -> None:
        """Hide what stands under secret names in `value`, at any depth up to 4."""
        if isinstance(value, Mapping):
            for name, each in list(value.items())[:MAX_TEXTS]:
                if isinstance(name, str) and is_secret(name):
                    self.add(each)
                elif depth < MAX_DEPTH:
                    self.find(each, depth + 1)
        elif depth < MAX_DEPTH and isinstance(value, (list, tuple)):
            for each in value[:MAX_TEXTS]:
                self.find(each, depth + 1)
        elif isinstance(value, str) and "://" in value:
            for _, password in _IN_URL.findall(value):
                self._hide(password)

    def scrub(self, text: str) -> str:
        """Return `text` with a mask in place of each of them, and of passwords in addresses; from any thread."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return _IN_URL.sub(rf"\1{MASK}", text) if "://" in text and "@" in text else text

    def scrub_all(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return `texts`, each scrubbed."""
        return tuple(map(self.scrub, texts))

    def _hide(self, text: str) -> None:
        scheme = _SCHEME.fullmatch(text)
        lines = [line for line in text.splitlines() if len(line) >= _LINE]
        before = len(self._texts)
        for each in (text, *lines, *(scheme.groups() if scheme is not None else ())):
            if len(each) >= MIN_LENGTH and before < MAX_TEXTS:
                escaped = msgspec.json.encode(each.encode("utf-8", "replace").decode()).decode()[1:-1]
                self._texts.update(dict.fromkeys((each, repr(each)[1:-1], escaped)))
        if len(self._texts) > before:
            longest_first = sorted(self._texts, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
