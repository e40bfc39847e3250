"""Part 4 of the contract, item 35: tokens and values of masked names show nowhere."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from graphrun_nb import GraphRunError, GraphRunFailed, graph, run, tool
from tests.contract.conftest import gate


async def test_35_continuation_masks_its_token_and_dot_token_gives_the_text(begin):
    held = await begin(gate, {"amount": 5})
    (wait,) = held.future.waits
    assert len(wait.token) > 20
    read_back = pickle.loads(pickle.dumps(wait))  # noqa: S301 (our own)
    shown = [repr(wait), str(wait), f"{wait}", repr([wait]), repr(copy.copy(wait)), repr(read_back)]
    assert not any(wait.token in text for text in shown)
    held.future.cancel()


async def test_35_tokens_show_in_no_traceback_and_no_saved_output(begin, kernel):
    held = await begin(gate, {"amount": 5}, on_wait="raise")
    with pytest.raises(GraphRunError) as raised:
        await held.future
    (wait,) = held.future.waits
    assert wait.token not in "".join(traceback.format_exception(raised.value))
    assert wait.token not in held.future.graph._repr_html_()
    kernel.run("f = run(gate, {'amount': 5})\nf")
    token = kernel.run("print(f.waits[0].token)").stdout.strip()
    said = [m for m in kernel.published if token in str(m["content"])]
    assert [m["msg_type"] for m in said] in (["stream"], ["execute_input", "stream"])
    kernel.run("f.cancel()")


@pytest.mark.parametrize("name", ["password", "api_token", "client_secret", "private_key"])
async def test_35_values_of_masked_names_are_scrubbed_wherever_they_occur(name, capsys):
    canary = "canary-5f2b8a"

    @tool(outputs=["x"], inputs=[name])
    async def connects(**credentials):
        print(f"connecting with {credentials[name]}")  # noqa: T201 (what a node prints is its log)
        raise ConnectionError(f"refused: {credentials[name]}")

    with graph(name="secretive") as g:
        g.expose("x", connects(**{name: g.arg(name)}, _id="connects").x)
    future = run(g, {name: canary})
    with pytest.raises(GraphRunFailed) as raised:
        await future
    node = future.node("connects")
    places = {
        "log of events": repr(future.events),
        "message": str(raised.value),
        "error of the node": repr(node.error),
        "lines of the node": repr(node.logs),
        "picture": future.graph._repr_html_(),
        "table": future.graph.pretty(),
    }
    assert [place for place, text in places.items() if canary in text] == []
