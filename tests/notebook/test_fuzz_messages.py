"""What a browser sends is untrusted: whatever comes, the run is as it was, and the sender gets a short answer."""

from __future__ import annotations

import json
import os

import pytest

from graphrun_nb import RunStatus, run
from graphrun_nb.notebook.commands import Detail, Digest, Resume, Sync, Tidy, read_command
from graphrun_nb.view.frames import Reply
from tests.engine.conftest import loop_errors, settle
from tests.notebook import kernels, matrix
from tests.notebook.fuzzing import NODE_IDS, Fuzzer, asking
from tests.notebook.views import View, trace

N_MESSAGES = int(os.environ.get("GRAPHRUN_FUZZ", "10000"))
N_SEEDS = 4
MAX_ERROR = 2_000
"""Characters of a refusal, and of its hint, whatever was refused."""

HARMLESS = (Reply, Sync, Detail, Digest, Tidy, Resume)
"""The rest are orders, which are followed when they are well-formed. No answer that is made up fits the questions."""


@pytest.fixture
async def view():
    view = View(run(asking()))
    while len(view.future.waits) < 4:
        await settle()
    view.tell({"kind": "sync", "id": 1, "have": 0})
    yield view
    view.future.cancel()
    await settle()


def is_answer(content):
    """Tell whether a fuzzed answer is right by chance: an approval takes any bool, and files may be none."""
    if not isinstance(content, dict) or content.get("kind") != "resume":
        return False
    payload = content.get("payload")
    if content.get("node_id") == "files":
        return isinstance(payload, dict) and payload.get("files") == []
    given = payload.get("approved") if isinstance(payload, dict) else payload
    return content.get("node_id") == "approve" and isinstance(given, bool)


def traits(inspector):
    return {name: inspector.trait_values()[name] for name in ("run_id", "graph_name", "others", "_esm", "_css")}


@pytest.mark.parametrize("seed", range(N_SEEDS))
async def test_whatever_a_view_sends_is_answered_shortly_and_changes_nothing(view, seed):
    fuzzer = Fuzzer(seed, NODE_IDS)
    before, own = trace(view.future), traits(view.inspector)
    told, n_refused = 0, 0
    with loop_errors() as escaped:
        while told < N_MESSAGES // N_SEEDS:
            content = fuzzer.message()
            if not isinstance(read_command(content), HARMLESS) or is_answer(content):
                continue
            told += 1
            view.sent.clear()
            view.inspector._on_message(view.inspector, content, [])
            (reply,) = [each for each in view.sent if each["kind"] == "reply"]
            given = content.get("id") if isinstance(content, dict) else None
            if type(given) is int and abs(given) < 2**53:
                assert reply["id"] == given
            n_refused += "error" in reply
            assert len(reply.get("error", "")) <= MAX_ERROR
            assert len(reply.get("hint", "")) <= MAX_ERROR
            assert trace(view.future) == before
        await settle()
    assert escaped == []
    assert traits(view.inspector) == own
    assert trace(view.future) == before
    assert told * 0.5 < n_refused < told

    state = view.future.run.state
    assert view.ask("digest")["data"] == {"seq": state.seq, "digest": state.digest()}
    assert "error" not in view.ask("resume", node_id="form", attempt=1, no=0, payload={"code": "5b1e40e2"})
    while view.future.node("later").outputs.get("x") != "5b1e40e2":
        await settle()


async def test_what_a_front_end_sends_as_the_widgets_state_changes_nothing(view):
    before, own = trace(view.future), traits(view.inspector)
    fuzzer = Fuzzer(0, NODE_IDS)
    for _ in range(300):
        state = {fuzzer.pick((*own, "layout", "_model_module")): fuzzer.pick(("another", ["another"], fuzzer.junk()))}
        view.inspector._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})
    assert traits(view.inspector) == own
    assert trace(view.future) == before
    assert view.future.status is RunStatus.WAITING


@pytest.mark.parametrize("wrong", [0, 2**53, -1, 1.0, True, "1", None, [1], {}])
async def test_a_message_without_a_usable_id_is_refused_all_the_same(view, wrong):
    (reply,) = view.tell({"kind": "digest", "id": wrong, "more": "x" * 1_000_000})
    assert reply["error"].startswith("refused")
    assert reply["id"] == (wrong if type(wrong) is int and abs(wrong) < 2**53 else 0)
    assert len(json.dumps(reply)) < 1_000


IN_A_KERNEL = """
%load_ext graphrun_nb
from tests.notebook.fuzzing import asking
from graphrun_nb import Inspector, run
future = run(asking())
view = Inspector(future)
while len(future.waits) < 4:
    await __import__("asyncio").sleep(0)
before = len(future.events), future.run.state.digest()
view.comm.comm_id
"""


@pytest.fixture(params=matrix.versions())
def kernel(request, tmp_path):
    python = matrix.python(request.param)
    if python is None:
        pytest.skip(f"not there: python tests/notebook/matrix.py prepare {request.param}")
    with kernels.started(python, tmp_path) as kernel:
        yield kernel


def test_a_kernel_that_is_sent_nonsense_while_a_cell_waits_goes_on_answering(kernel):
    comm = kernel.run(IN_A_KERNEL).text.strip("'")
    waiting = kernel.submit("await future")
    fuzzer = Fuzzer(7, NODE_IDS, depth=400, size=50_000)
    for number in range(10):
        for _ in range(40):
            content = fuzzer.message()
            if is_json(content) and isinstance(read_command(content), HARMLESS) and not is_answer(content):
                kernel.comm_send(comm, {"method": "custom", "content": content})
        kernel.comm_send(comm, {"method": "custom", "content": {"kind": "digest", "id": 2**40 + number}})
        kernel.wait(lambda message, number=number: reply_id(message) == 2**40 + number, "the reply")
    assert waiting not in kernel.replied()
    kernel.interrupt()
    assert kernel.reply(waiting).status == "error"
    assert kernel.run("assert before == (len(future.events), future.run.state.digest())").status == "ok"
    said = [message for message in kernel.published if message["msg_type"] in ("stream", "error")]
    assert [message["content"] for message in said if not kernels.of(message, waiting)] == []


def test_a_cell_at_whose_very_beginning_a_view_says_something_is_told_to_have_ended(kernel):
    comm = kernel.run(IN_A_KERNEL).text.strip("'")
    for number in range(20):
        cell = kernel.submit("import asyncio\nawait asyncio.sleep(0.02)")
        for n in range(10):
            kernel.comm_send(comm, {"method": "custom", "content": {"kind": "digest", "id": 100 * number + n}})
        kernel.reply(cell)


def is_json(content):
    """Tell whether a browser could write it: neither NaN nor lone surrogates, and not too deep."""
    try:
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def reply_id(message):
    if message["msg_type"] != "comm_msg":
        return None
    return message["content"]["data"].get("content", {}).get("id")
