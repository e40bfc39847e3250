"""Which names are allowed, and how names of things are formed from each other."""

from __future__ import annotations

import re
import unicodedata

RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_NAME = 200
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_name(text: object) -> bool:
    """Tell whether `text` may name a node or a graph: 1 to 200 characters, no control characters."""
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_NAME:
        return False
    return text.isprintable() or not any(unicodedata.category(char) in _CONTROL for char in text)


def is_run_id(text: object) -> bool:
    """Tell whether `text` may name a run."""
    return isinstance(text, str) and RUN_ID.fullmatch(text) is not None


def qualified_name(kind: type) -> str:
    """Name a type so that it can be recognised after a restart, for example ``builtins.ValueError``."""
    return f"{kind.__module__}.{kind.__qualname__}"
