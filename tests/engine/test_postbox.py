"""Answers and events that come while nobody goes on with a run."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from graphrun_nb import (
    AlreadyResumed,
    GraphRunError,
    InvalidToken,
    MemoryStore,
    PayloadRejected,
    RunStatus,
    graph,
    open_run,
    resume,
    run,
    tool,
)
from graphrun_nb.tools import ask_approval, ask_text, wait_event, wait_until


class Left:
    """A run that its loop leaves behind, again and again."""

    def __init__(self, make):
        self.store = MemoryStore()
        with graph(name="left") as g:
            g.expose("x", make())
        self.graph = g.build()
        self.tokens = self.live()

    def live(self, **overrides):
        """Let it go on for a while; give the tokens of what it asks, or its outputs."""

        async def a_while():
            future = run(self.graph, run_id="r", store=self.store, **overrides)
            for _ in range(50):
                await asyncio.sleep(0)
            return future.result(0) if future.done() else [wait.token for wait in future.waits]

        found = asyncio.run(a_while())
        gc.collect()
        return found

    @property
    def opened(self):
        return open_run("r", store=self.store)


def interview(*questions, deadline=None):
    @tool(outputs=["x"])
    async def asks(context):
        return [(await context.wait("text", prompt=each, deadline=deadline))["text"] for each in questions]

    return lambda: asks(_id="asks").x


def test_an_answer_by_token_is_used_when_the_run_goes_on():
    left = Left(lambda: ask_approval(prompt="?", _id="asks").approved)
    receipt = resume(left.tokens[0], True, store=left.store, by="mail")
    assert (receipt.run_id, receipt.node_id) == ("r", "asks")
    assert left.opened.status is RunStatus.INTERRUPTED
    assert left.opened.waits == ()
    assert left.live() == {"x": True}


def test_an_answer_by_node_is_used_when_the_run_goes_on():
    left = Left(interview("one?"))
    left.opened.resume("asks", "1")
    assert left.live() == {"x": ["1"]}


def test_one_answer_wins_and_the_others_are_told_who_was_first():
    left = Left(interview("one?"))
    (token,) = left.tokens
    left.opened.resume("asks", "first", by="first")
    for late in (lambda: resume(token, "second", store=left.store), lambda: left.opened.resume("asks", "third")):
        with pytest.raises(AlreadyResumed) as refused:
            late()
        assert refused.value.by == "first"
    assert left.live() == {"x": ["first"]}
    with pytest.raises(AlreadyResumed):
        resume(token, "after the end", store=left.store)


def test_of_eight_threads_exactly_one_wins():
    for _ in range(20):
        left = Left(interview("one?"))
        barrier, won = threading.Barrier(8), []

        def answer(n, left=left, barrier=barrier, won=won):
            barrier.wait()
            try:
                resume(left.tokens[0], str(n), store=left.store)
            except AlreadyResumed:
                pass
            else:
                won.append(str(n))

        threads = [threading.Thread(target=answer, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert left.live() == {"x": won}


def test_an_answer_that_does_not_fit_is_refused_and_the_question_stays_open():
    left = Left(lambda: ask_approval(prompt="?", _id="asks").approved)
    before = left.store.read("r")
    with pytest.raises(PayloadRejected):
        resume(left.tokens[0], "perhaps", store=left.store)
    assert left.store.read("r") == before
    assert [wait.node_id for wait in left.opened.waits] == ["asks"]
    resume(left.tokens[0], False, store=left.store)
    assert left.live() == {"x": False}


def test_each_question_of_a_node_takes_one_answer_however_often_the_run_is_left():
    questions = [f"{n}?" for n in range(6)]
    left = Left(interview(*questions))
    for n in range(5):
        left.opened.resume("asks", f"answer {n}")
        left.live()
        assert [wait.prompt for wait in left.opened.waits] == [questions[n + 1]]
    left.opened.resume("asks", "answer 5")
    assert left.live() == {"x": [f"answer {n}" for n in range(6)]}
    assert left.opened.node("asks").attempts == 1


def test_a_node_that_has_not_asked_yet_keeps_its_answer_over_several_loops():
    left = Left(lambda: ask_text(prompt="?", _id="asks", _after=ask_text(prompt="first?", _id="first")).text)
    left.opened.resume("asks", "early")
    left.live()
    left.opened.resume("first", "go on")
    assert left.live() == {"x": "early"}


def test_an_event_is_used_when_the_run_goes_on_and_a_key_counts_once():
    left = Left(lambda: [wait_event("paid", _id="a").payload, wait_event("paid", _id="b").payload])
    first = left.opened.send_event("paid", 1, key="k")
    assert left.opened.send_event("paid", 99, key="k") == first
    assert first.node_id == "a"
    assert left.opened.send_event("paid", 2).node_id == "b"
    assert left.opened.send_event("paid", 3).node_id == ""
    assert left.live() == {"x": [1, 2]}


def test_what_nobody_asks_takes_no_answer():
    left = Left(lambda: ask_text(prompt="?", _id="asks", _after=wait_until(1000, _id="pause")).text)
    with pytest.raises(GraphRunError, match="can be answered now"):
        left.opened.resume("pause", None)
    with pytest.raises(GraphRunError, match="no node 'asd'"):
        left.opened.resume("asd", None)
    with pytest.raises(InvalidToken):
        resume("A" * 32, None, store=left.store)


def test_a_question_whose_deadline_passed_meanwhile_takes_no_answer():
    left = Left(interview("one?", deadline=0.3))
    threading.Event().wait(0.4)
    with pytest.raises(InvalidToken):
        resume(left.tokens[0], "late", store=left.store)
    with pytest.raises(GraphRunError, match="has expired"):
        left.opened.resume("asks", "late")
