"""LangGraph: a compiled `StateGraph` with its SQLite saver; a thread is a run."""

from __future__ import annotations

import operator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt

from tests.bench.survivors import work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RETRY = RetryPolicy(max_attempts=3, initial_interval=0.001)


class Values(TypedDict):
    """What nodes give, by their names."""

    x: Annotated[dict[str, int], operator.or_]


class Answer(TypedDict):
    """What was answered."""

    text: str


def layered(folder: Path, shape: str) -> StateGraph:
    """Return a graph of `work`."""

    def do(what: work.Node, state: Values) -> Values:
        return {"x": {what.name: work.do(folder, what.name, what.kind, *(state["x"][need] for need in what.needs))}}

    builder = StateGraph(Values)
    for each in chain.from_iterable(work.layers(shape)):
        builder.add_node(each.name, partial(do, each), retry_policy=RETRY)
        builder.add_edge(list(each.needs) or START, each.name)
    for each in work.layers(shape)[-1]:
        builder.add_edge(each.name, END)
    return builder


def question(folder: Path, i: int) -> StateGraph:
    """Return a node that asks, and one that acts."""

    def ask(state: Answer) -> Answer:
        return {"text": interrupt("?")}

    def act(state: Answer) -> None:
        work.act(folder, i, state["text"])

    return StateGraph(Answer).add_sequence([ask, act]).add_edge(START, "ask").add_edge("act", END)


class LangGraph:
    """A thread that is invoked, and invoked again with None, as for any failure."""

    packages = ("langgraph", "langgraph-checkpoint-sqlite")

    def __init__(self, durability: Literal["async", "sync"]) -> None:
        self.name = f"LangGraph, {durability}"
        self.how = (
            f"`compile(checkpointer=SqliteSaver)`, `durability={durability!r}`{' (default)' * (durability == 'async')},"
            " `invoke(None)` after a kill, `RetryPolicy` a node; `interrupt()`, `invoke(Command(resume=…))`"
        )
        self.durability = durability

    def run(self, folder: Path, shape: str) -> list[int]:
        config = {"configurable": {"thread_id": "layered"}, "recursion_limit": 2 * work.DEPTH}
        with SqliteSaver.from_conn_string(str(folder / "runs.sqlite")) as saver:
            compiled = layered(folder, shape).compile(checkpointer=saver)
            has_begun = compiled.get_state(config).created_at is not None
            values = compiled.invoke(None if has_begun else {"x": {}}, config, durability=self.durability)
        return [values["x"][each.name] for each in work.layers(shape)[-1]]

    def hold(self, folder: Path, n: int) -> None:
        with SqliteSaver.from_conn_string(str(folder / "runs.sqlite")) as saver:
            for i in range(n):
                asked = self._invoke(folder, saver, i, {"text": ""})
                assert asked["__interrupt__"]
        (folder / "asked").touch()

    @contextmanager
    def answering(self, folder: Path) -> Iterator[Callable[[int, str], None]]:
        with SqliteSaver.from_conn_string(str(folder / "runs.sqlite")) as saver:
            yield lambda i, text: self._invoke(folder, saver, i, Command(resume=text))

    def _invoke(self, folder: Path, saver: SqliteSaver, i: int, given: object) -> dict:
        config = {"configurable": {"thread_id": f"q{i}"}}
        return question(folder, i).compile(checkpointer=saver).invoke(given, config, durability=self.durability)


SURVIVORS = (LangGraph("async"), LangGraph("sync"))
