# ruff: noqa: PLR0911, S311 (a return for each way to go wrong; nothing here is a secret)
"""Messages as a hostile or broken front end might send them: anything, and commands that are nearly right."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from graphrun_nb import graph, tool
from graphrun_nb.notebook.commands import Command
from graphrun_nb.tools import ask_approval, ask_choices, ask_files, ask_form
from graphrun_nb.view.text import preview

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = {"type": "object", "properties": {"code": {"const": "5b1e40e2"}}, "required": ["code"]}
NODE_IDS = ("bad", "form", "choice", "files", "approve", "later")


@tool(outputs=["x"])
async def bad():
    raise ValueError("no")


@tool(outputs=["x"])
async def later(code):
    return code


def asking():
    """Return a graph with four open questions, which no made-up answer fits, and a failure."""
    with graph(name="asking") as g:
        form = ask_form(prompt="Code?", schema=SCHEMA, _id="form")
        ask_choices(prompt="Which?", options=["5b1e", "40e2"], _id="choice")
        ask_files(prompt="Files?", _id="files")
        ask_approval(prompt="Pay?", options=("Pay 5b1e", "Keep 40e2"), _id="approve")
        bad(_id="bad")
        g.expose("x", later(code=form.code, _id="later").x)
    return g.build()


NAMES = (
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "__class__",
    "__init__",
    "__globals__",
    "future",
    "run",
    "_obey",
    "os.system",
    "kind",
    "id",
    "payload",
    "node_id",
)
TEXTS = (
    *NAMES,
    "",
    " ",
    "\0",
    "\ud800",
    "a\udfffb",
    "\u202egnp.exe",
    "\u200b\ufeff",
    "\u0130\u0131\u017f\u212a",
    "👩‍👩‍👧" * 10,
    "{{7*7}}",
    "%s%n%x",
    "{0.__class__}",
    "../../etc/passwd",
    "'; DROP TABLE runs; --",
    "<img src=x onerror=alert(1)>",
    "\x1b[2J",
    "NaN",
    "null",
    "x" * 5_000,
)
NUMBERS = (
    *(0, -1, 1, 2, 255, 2**31, -(2**31), 2**53 + 1, 2**63, 2**64, 10**400),
    *(0.0, -0.0, 0.5, 1.0, 1e308, 5e-324, float("nan"), float("inf"), float("-inf")),
)


def commands() -> list[type[Command]]:
    """Return the model of each command that there is."""
    return sorted(Command.__subclasses__(), key=lambda model: model.__name__)


def nested(depth: int, inner: Any, *, lists: bool) -> Any:
    for _ in range(depth):
        inner = [inner] if lists else {"a": inner}
    return inner


class Fuzzer:
    """Makes messages, the same ones for the same seed.

    Parameters
    ----------
    node_ids
        Of a run, so that some messages come close to it.
    depth, size
        How deep and how large the largest values are; a message that comes over a wire is bounded by what parses it.
    """

    def __init__(self, seed: int, node_ids: tuple[str, ...], *, depth: int = 5_000, size: int = 300_000) -> None:
        self._rng = Random(seed)
        self._node_ids = node_ids
        self._depth = depth
        self._size = size
        self._models = commands()

    def message(self) -> Any:
        """Return the next message: now and then anything, mostly a command, but for something."""
        rng = self._rng
        if rng.random() < 0.1:
            return self.junk()
        if rng.random() < 0.15:
            return self._answer()
        content = self._command()
        for _ in range(self._rng.choice((0, 1, 1, 1, 2, 3))):
            content = self._mutated(content)
        return content

    def pick(self, values: Sequence[Any]) -> Any:
        return self._rng.choice(values)

    def junk(self, level: int = 0) -> Any:
        """Return any value that JSON can hold."""
        rng = self._rng
        match rng.randrange(9 if level < 4 else 5):
            case 0:
                return rng.choice((None, True, False))
            case 1:
                return rng.choice(NUMBERS)
            case 2 | 3:
                return self._text()
            case 4:
                return rng.choice(([], {}, rng.randrange(-10, 10)))
            case 5 | 6:
                return [self.junk(level + 1) for _ in range(rng.randrange(4))]
            case _ if rng.random() < 0.01:
                return self._large()
            case _:
                return {self._text(): self.junk(level + 1) for _ in range(rng.randrange(4))}

    def _text(self) -> str:
        rng = self._rng
        if rng.random() < 0.7:
            return rng.choice(TEXTS)
        return "".join(chr(rng.choice((rng.randrange(0x80), rng.randrange(0x110000)))) for _ in range(rng.randrange(8)))

    def _large(self) -> Any:
        rng = self._rng
        match rng.randrange(4):
            case 0:
                return rng.choice("xé\0\ud800😀") * rng.randrange(self._size)
            case 1:
                return nested(rng.randrange(self._depth), self._text(), lists=rng.random() < 0.5)
            case 2:
                return [0] * rng.randrange(self._size)
            case _:
                return {f"{i}": i for i in range(rng.randrange(self._size // 20))}

    def _answer(self) -> dict[str, Any]:
        """Return an answer to what a node asks, as forms send them, but for what is in it."""
        name = self._rng.choice(("text", "choice", "approved", "code", "files", self._text()))
        files = [{"name": self.junk(), "mime": self.junk(), "data": self.junk()} for _ in range(self._rng.randrange(3))]
        payload = self._rng.choice((self.junk(), {name: self.junk()}, {"files": files}))
        place = {"node_id": self._rng.choice(self._node_ids), "attempt": 1, "no": 0}
        return {"kind": "resume", "id": self._rng.randrange(2**31), **place, "payload": payload}

    def _command(self) -> dict[str, Any]:
        model = self._rng.choice(self._models)
        return {name: self._fitting(field.annotation) for name, field in model.model_fields.items()}

    def _fitting(self, annotation: Any) -> Any:
        """Return a value of a field's type, as far as that is known here."""
        rng = self._rng
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        if get_origin(annotation) is Literal:
            return rng.choice(get_args(annotation))
        if annotation is int:
            return rng.choice((0, 0, 1, 1, 2, rng.randrange(2**31)))
        if annotation is str:
            return rng.choice((*self._node_ids, self._text()))
        return self.junk()

    def _mutated(self, content: Any) -> Any:
        rng = self._rng
        if not isinstance(content, dict) or not content:
            return [content]
        name = rng.choice(list(content))
        rest = {key: value for key, value in content.items() if key != name}
        value = content[name]
        match rng.randrange(9):
            case 0:
                return rest
            case 1:
                return content | {name: self.junk()}
            case 2:
                return content | {name: self._large()}
            case 3:
                return content | {self._text(): self.junk()}
            case 4:
                return rest | {rng.choice((name.upper(), f" {name}", f"{name}s", self._text())): value}
            case 5:
                return content | {name: rng.choice(([value], {"value": value}, preview(value)))}
            case 6:
                return content | {"kind": rng.choice((*NAMES, "SYNC", "cancel ", "Retry", "eval", "exec", "update"))}
            case 7:
                return rng.choice(([content], {"content": content}, {"method": "custom", "content": content}))
            case _:
                return {key: self.junk() for key in content}
