"""This engine, with its store in a file."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from graphrun_nb import RetryPolicy, SqliteStore, graph, graphify, resume, run, run_async, tool
from graphrun_nb.tools import ask_text
from tests.bench.survivors import work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RETRY = RetryPolicy(max_attempts=3, backoff_first_s=0.001)


@tool(outputs=["x"])
async def on_the_loop(folder: str, name: str, kind: str, a: int = 0, b: int = 0) -> int:
    return await work.do_async(Path(folder), name, kind, a, b)


@tool(outputs=["x"])
def in_a_thread(folder: str, name: str, kind: str, a: int = 0, b: int = 0) -> int:
    return work.do(Path(folder), name, kind, a, b)


@tool(outputs=["x"])
def acts(folder: str, i: int, answer: str) -> str:
    work.act(Path(folder), i, answer)
    return answer


@graphify("question", inputs=["folder", "i"], outputs=["x"])
def question(folder, i):
    return {"x": acts(folder, i, ask_text(prompt="?", _id="ask").text, _id="act").x}


def layered(folder: str, shape: str):
    """Return a graph of `work`."""
    made = {}
    with graph(name="layered") as g:
        for each in chain.from_iterable(work.layers(shape)):
            runs = in_a_thread if each.kind in {"blocking", "flaky"} else on_the_loop
            made[each.name] = runs(folder, each.name, each.kind, *(made[need] for need in each.needs), _id=each.name).x
        for each in work.layers(shape)[-1]:
            g.expose(each.name, made[each.name])
    return g.build()


class Graphrun:
    """A run with an id, in a store."""

    name = "graphrun_nb"
    packages = ("graphrun-nb",)
    how = "`run_async(graph, run_id=…, store=SqliteStore(path), retry=…)`; `resume(token, payload)`; defaults otherwise"

    def run(self, folder: Path, shape: str) -> list[int]:
        store = SqliteStore(folder / "runs.db")
        outputs = asyncio.run(run_async(layered(str(folder), shape), run_id="layered", store=store, retry=RETRY))
        return [outputs[each.name] for each in work.layers(shape)[-1]]

    def hold(self, folder: Path, n: int) -> None:
        async def main() -> None:
            store = SqliteStore(folder / "runs.db")
            runs = [run(question, {"folder": str(folder), "i": i}, run_id=f"q{i}", store=store) for i in range(n)]
            while not all(each.waits for each in runs):
                await asyncio.sleep(0.01)
            (folder / "tokens.json").write_text(json.dumps([each.waits[0].token for each in runs]))
            (folder / "asked").touch()
            await asyncio.gather(*runs)

        asyncio.run(main())

    @contextmanager
    def answering(self, folder: Path) -> Iterator[Callable[[int, str], None]]:
        tokens = json.loads((folder / "tokens.json").read_text())
        with closing(SqliteStore(folder / "runs.db")) as store:
            yield lambda i, text: resume(tokens[i], {"text": text}, store=store)


SURVIVORS = (Graphrun(),)
