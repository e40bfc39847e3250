"""Inspectors without a kernel, and graphs for them to look at."""

from __future__ import annotations

import json

from graphrun_nb import graphify, tool
from graphrun_nb.notebook.inspector import Inspector
from graphrun_nb.tools import ask_approval


class View:
    """An inspector without a kernel: what it sends is kept, as the front end would get it."""

    def __init__(self, future):
        self.future = future
        self.inspector = Inspector(future)
        self.sent = []
        self.inspector.send = self._keep

    def _keep(self, content, buffers=None):
        self.sent.append(json.loads(json.dumps(content, ensure_ascii=False).encode()))

    def tell(self, content):
        """Give the widget a custom message, and return what it sends for it."""
        self.sent.clear()
        self.inspector._obey(content)
        return list(self.sent)

    def ask(self, kind, **rest):
        """Give a command, and return the reply to it."""
        (reply,) = [each for each in self.tell({"kind": kind, "id": 7, **rest}) if each["kind"] == "reply"]
        assert reply["id"] == 7
        return reply


@graphify(name="gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="approve").approved}


def trace(future):
    """Everything that a command could have changed."""
    return len(future.events), future.run.state.digest(), future.status, future.waits


@tool(outputs=["total", "rows"])
def add_up(a, b=2):
    # A comment that shows in the source.
    return {"total": a + b, "rows": ["word"] * 10_000}
