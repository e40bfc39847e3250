"""Runs calls on a Dask cluster. The only file that knows Dask; its workers need this package as well."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import linecache
import pickle
import secrets
import sys
import threading
from typing import TYPE_CHECKING, Any

from graphrun_nb.errors import GraphRunError
from graphrun_nb.executors.faults import raised_elsewhere
from graphrun_nb.executors.packing import packed
from graphrun_nb.executors.worker import Kind, RemoteContext, awaited, dumps, note_away, packed_fault, unfit
from graphrun_nb.protocols import Error, Lost, Outcome, Value

try:
    import dask
    import distributed
    from distributed.diagnostics.plugin import SchedulerPlugin
except ImportError as _error:
    raise GraphRunError(
        f"the executor 'dask' needs Dask's scheduler, which cannot be imported: {_error}",
        hints=("pip install 'graphrun-nb[dask]'",),
    ) from _error

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.protocols import Call

_PREFIX = "graphrun-"
_MAX_OUTPUT = 64 * 1024
_GONE = "the Dask worker that ran it died"
_QUIET = {"distributed.admin.large-graph-warning-threshold": "1TB"}


class DaskExecutor:
    """Calls on the workers of a Dask cluster; how many at a time is the runs' ``max_concurrency``, and the workers'.

    Functions, arguments and results are copied, by cloudpickle; what a function prints and its progress come back. A
    call whose worker dies is lost: Dask does not try it again, since that is for the run to decide. One that is given
    up is dropped if it has not begun, and else ends by itself.

    Parameters
    ----------
    cluster
        A ``distributed.Client``, whom the caller closes, or the address of a scheduler. By default the client of this
        process, if there is one, or the scheduler that Dask's configuration names; else a cluster of processes is
        started here, and ends with this executor. A script that starts one needs ``if __name__ == "__main__":``.

    Raises
    ------
    GraphRunError
        The cluster cannot be reached.
    """

    name = "dask"

    def __init__(self, cluster: distributed.Client | str | None = None) -> None:
        self._client, self._is_ours = _client_of(cluster)
        self._topic = f"{_PREFIX}{secrets.token_hex(8)}"
        self._calls: dict[str, tuple[Call, contextvars.Context]] = {}
        self._closed = False
        self._client.register_plugin(_OnceOnly())
        self._client.subscribe_topic(self._topic, self._on_told)

    async def submit(self, call: Call) -> Outcome:
        """Run `call` on some worker."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()
        key = f"{_PREFIX}{secrets.token_hex(8)}"
        self._calls[key] = (call, contextvars.copy_context())
        future: distributed.Future[Any] | None = None
        try:
            payload = packed(call)
            with dask.config.set(_QUIET):
                future = self._client.submit(_perform, payload, key, self._topic, key=key, pure=False, retries=0)
            future.add_done_callback(functools.partial(_tell, loop, done))
            return await done
        except BaseException as error:  # noqa: BLE001 (being given up is an outcome like any other)
            if future is not None and self._client.loop is not None:
                self._client.loop.add_callback(future.cancel, asynchronous=True, force=True)
            return Error(error)
        finally:
            del self._calls[key]
            if self._closed and not self._calls:
                self._end()

    def close(self) -> None:
        """Let go of the cluster, once the calls under way have ended; a cluster that was started here ends."""
        if not self._closed:
            self._closed = True
            if not self._calls:
                self._end()

    def _end(self) -> None:
        self._client.unsubscribe_topic(self._topic)
        if self._is_ours:
            threading.Thread(target=self._client.close, name="graphrun ending").start()

    def _on_told(self, event: tuple[float, tuple[str, int, bytes]]) -> None:
        _, (key, kind, told) = event
        call, context = self._calls.get(key, (None, None))
        if call is None or context is None:
            return
        if kind == Kind.PROGRESS:
            _, *how_far = pickle.loads(told)  # noqa: S301 (from our own function)
            context.run(call.arguments[call.context].progress, *how_far)
        else:
            context.run((sys.stdout if kind == Kind.STDOUT else sys.stderr).write, told.decode())


class _OnceOnly(SchedulerPlugin):
    """Lets Dask give a call up when its worker dies, instead of trying it on others as well."""

    name = "graphrun once only"
    idempotent = True

    async def start(self, scheduler: Any) -> None:
        """Remember the scheduler."""
        self._scheduler = scheduler

    def transition(self, key: Any, start: str, finish: str, *_: Any, **__: Any) -> None:
        """Make it known that a task of ours has used up its chances."""
        del start
        if finish == "processing" and isinstance(key, str) and key.startswith(_PREFIX):
            task = self._scheduler.tasks.get(key)
            if task is not None:
                task.suspicious = self._scheduler.allowed_failures


def _client_of(cluster: distributed.Client | str | None) -> tuple[distributed.Client, bool]:
    """Return a client of the cluster, and whether it was made here."""
    if isinstance(cluster, distributed.Client):
        return cluster, False
    if cluster is None:
        with contextlib.suppress(ValueError):
            return distributed.default_client(), False
    address = cluster or dask.config.get("scheduler-address", None)
    here = {} if address else {"host": "127.0.0.1", "dashboard_address": None}
    try:
        return distributed.Client(address, set_as_default=False, timeout="10s", **here), True
    except (OSError, ValueError) as error:
        raise GraphRunError(
            f"there is no Dask cluster at {address!r}: {error}",
            hints=("DaskExecutor('tcp://host:8786') names its scheduler",),
        ) from error


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[Outcome], future: distributed.Future[Any]) -> None:
    """Say on the loop how a call has ended; in a thread of Dask's."""
    outcome = _outcome(future)

    def tell() -> None:
        if not done.done():
            done.set_result(outcome)

    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(tell)


def _outcome(future: distributed.Future[Any]) -> Outcome:
    try:
        kind, data = future.result()
    except distributed.KilledWorker:
        return Lost(_GONE)
    except BaseException as error:  # noqa: BLE001 (what a function raises comes as a value: this is Dask's)
        return Lost(f"Dask lost the call: {type(error).__name__}: {error}")
    if kind == Kind.ERROR:
        return Error(raised_elsewhere(data))
    try:
        return Value(pickle.loads(data))  # noqa: S301 (from our own function)
    except Exception as error:  # noqa: BLE001 (loading runs user code)
        return Error(error)


class _Here(threading.local):
    """What this thread of a worker tells, and to whom."""

    tell: Callable[[Kind, bytes], None] | None = None
    n_left = 0


_HERE = _Here()


class _Told:
    """A standard stream of a worker: what calls print goes to their runs as well."""

    def __init__(self, stream: Any, kind: Kind) -> None:
        self._stream = stream
        self._kind = kind

    def write(self, text: str) -> int:
        """Write, and tell."""
        if _HERE.tell is not None and _HERE.n_left > 0:
            _HERE.n_left -= len(text)
            _HERE.tell(self._kind, text.encode(errors="backslashreplace"))
        written: int = self._stream.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _perform(payload: bytes, key: str, topic: str) -> tuple[Kind, bytes]:
    """Make a call, in a thread of a worker."""
    worker = distributed.get_worker()

    def tell(kind: Kind, told: bytes) -> None:
        worker.log_event(topic, [key, int(kind), told])

    if not isinstance(sys.stdout, _Told):
        sys.stdout, sys.stderr = _Told(sys.stdout, Kind.STDOUT), _Told(sys.stderr, Kind.STDERR)
    try:
        function, arguments, node_id, name, facts, sources = pickle.loads(payload)  # noqa: S301 (from the run)
        linecache.cache.update(sources)
        if name:
            arguments[name] = RemoteContext(facts, dict(arguments), 0, tell)
        _HERE.tell, _HERE.n_left = tell, _MAX_OUTPUT
        note_away(node_id)
        value = function(**arguments)
        if hasattr(type(value), "__await__"):
            value = awaited(value)
    except BaseException as error:  # noqa: BLE001 (user code: whatever it raises is an outcome)
        trace = error.__traceback__
        return Kind.ERROR, packed_fault(error.with_traceback(trace and trace.tb_next))
    finally:
        _HERE.tell = None
        note_away("")
    try:
        return Kind.VALUE, dumps(value)
    except BaseException as error:  # noqa: BLE001 (pickling runs user code)
        return Kind.ERROR, packed_fault(unfit(value, node_id, error))
