"""`parsed`: the syntax tree of a user's source."""

from __future__ import annotations

import ast
import gc


def parsed(source: str) -> ast.Module:
    """Return its tree; raises SyntaxError, or ValueError for what no source can have.

    CPython 3.11 counts the depth of a tree in the making once a process. If the collector runs meanwhile, and
    what it ends formats a traceback, which parses a line as well, the count is wrong and SystemError is raised (see
    https://github.com/python/cpython/issues/106905). So the tree is made again, without collecting.
    """
    try:
        return ast.parse(source)
    except SystemError:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return ast.parse(source)
        finally:
            if was_enabled:
                gc.enable()
