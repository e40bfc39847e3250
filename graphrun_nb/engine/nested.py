"""Runs that a node starts: each is a run of its own, which knows its parent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.registry import defined
from graphrun_nb.engine.env import RuntimeEnv
from graphrun_nb.engine.future import RunFuture, started
from graphrun_nb.engine.live import live_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphrun_nb.engine.here import Here

_INHERITED = ("store", "clock", "session_id", "agent_id", "app_id")


def spawn(here: Here, target: Any, inputs: Mapping[str, Any] | None, overrides: Mapping[str, Any]) -> RunFuture:
    """Start a run whose parent is the node `here`; it takes over store, clock, session, agent and app.

    Parameters
    ----------
    target
        What `run` takes, or the name of a graph that is defined in this process.
    """
    from graphrun_nb.engine.preparing import prepared  # noqa: PLC0415 (it makes runs, whose nodes know this module)

    env = RuntimeEnv.from_overrides({**{name: getattr(here.run.env, name) for name in _INHERITED}, **overrides})
    meant = defined(target) if isinstance(target, str) else target
    return started(prepared(meant, inputs, env, parent=(here.run.run_id, here.node_id)), env.on_wait)


async def outputs_of(here: Here, future: RunFuture) -> dict[str, Any]:
    """Return the outputs of a run, once it has ended; the node `here` holds no slot meanwhile."""
    scheduler = here.run.scheduler
    scheduler.release(here.node_id)
    outputs = await future
    await scheduler.regain(here.node_id)
    return outputs


async def spawn_and_wait(
    here: Here, target: Any, inputs: Mapping[str, Any] | None, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Start a run and return its outputs; giving this up cancels the run."""
    future = spawn(here, target, inputs, overrides)
    try:
        return await outputs_of(here, future)
    except asyncio.CancelledError:
        future.cancel()
        raise


async def wait_for(here: Here, run_id: str, timeout_s: float | None) -> dict[str, Any]:
    """Return the outputs of a run of this process; raises TimeoutError after `timeout_s`, and the run goes on."""
    async with asyncio.timeout(timeout_s):
        return await outputs_of(here, RunFuture(live_run(run_id)))
