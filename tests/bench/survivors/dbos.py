"""DBOS: a workflow of steps, with its system database in SQLite; launching it goes on with what was under way."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dbos import DBOS, DBOSClient, SetWorkflowID

from tests.bench.survivors import work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 600


@DBOS.step(retries_allowed=True, max_attempts=3, interval_seconds=0.001)
async def step(folder: str, name: str, kind: str, *needed: int) -> int:
    return await work.do_async(Path(folder), name, kind, *needed)


@DBOS.workflow()
async def layered(folder: str, shape: str) -> list[int]:
    values: dict[str, int] = {}
    for layer in work.layers(shape):
        steps = [
            asyncio.create_task(step(folder, each.name, each.kind, *(values[need] for need in each.needs)))
            for each in layer
        ]
        values = dict(zip((each.name for each in layer), await asyncio.gather(*steps), strict=True))
    return list(values.values())


@DBOS.step()
async def act(folder: str, i: int, answer: str) -> None:
    work.act(Path(folder), i, answer)


@DBOS.workflow()
async def question(folder: str, i: int) -> None:
    await act(folder, i, await DBOS.recv_async("answer", timeout_seconds=PATIENCE_S))


def address(folder: Path) -> str:
    return f"sqlite:///{folder / 'dbos.sqlite'}"


def launch(folder: Path) -> None:
    DBOS(config={"name": "survival", "system_database_url": address(folder), "log_level": "ERROR"})
    DBOS.launch()


class Dbos:
    """A workflow with an id; its steps of a layer are started in order, and gathered."""

    name = "DBOS"
    packages = ("dbos",)
    how = (
        "`@DBOS.workflow` of retried `@DBOS.step`s, a layer started in order and gathered; SQLite system database;"
        " `DBOS.launch()` after a kill; `recv`, `DBOSClient.send`"
    )

    def run(self, folder: Path, shape: str) -> list[int]:
        async def main() -> list[int]:
            if await DBOS.get_workflow_status_async("layered") is None:
                with SetWorkflowID("layered"):
                    await DBOS.start_workflow_async(layered, str(folder), shape)
            handle = await DBOS.retrieve_workflow_async("layered")
            return await handle.get_result(polling_interval_sec=0.05)

        launch(folder)
        return asyncio.run(main())

    def hold(self, folder: Path, n: int) -> None:
        async def main() -> None:
            handles = []
            for i in range(n):
                with SetWorkflowID(f"q{i}"):
                    handles.append(await DBOS.start_workflow_async(question, str(folder), i))
            (folder / "asked").touch()
            await asyncio.gather(*(each.get_result() for each in handles))

        launch(folder)
        asyncio.run(main())

    @contextmanager
    def answering(self, folder: Path) -> Iterator[Callable[[int, str], None]]:
        client = DBOSClient(system_database_url=address(folder))
        try:
            yield lambda i, text: client.send(f"q{i}", text, "answer")
        finally:
            client.destroy()


SURVIVORS = (Dbos(),)
