"""What a node writes becomes lines: joined, bounded, and heard in batches."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import asyncio
import logging
import sys
import threading

import pytest

from graphrun_nb import RetryPolicy, run
from graphrun_nb.engine.here import CURRENT
from graphrun_nb.engine.output import MAX_BYTES
from tests.engine.conftest import settle
from tests.engine.printing import Listening, logs_of, nodes, texts

LOG = logging.getLogger("tests.output")


async def test_pieces_are_joined_to_lines_and_the_last_one_ends_with_the_attempt():
    seen = []

    async def node(context):
        sys.stdout.write("one, ")
        sys.stderr.write("aside, ")
        await asyncio.sleep(0)
        sys.stdout.write("two\n\nthree")
        seen.append([(line.stream, line.text) for line in futures[0].node("n").logs])
        sys.stderr.write("over")

    futures = [run(nodes(n=node))]
    await futures[0]
    assert seen == [[("stdout", "one, two"), ("stdout", ""), ("stderr", "aside, "), ("stdout", "three")]]
    assert texts(futures[0].node("n"), "stdout") == ["one, two", "", "three"]
    assert texts(futures[0].node("n"), "stderr") == ["aside, over"]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["\r 0%", "\r 50%", "\r100%", "\n"], ["100%"]),
        (["0%\r", "50%\r", "100%\r"], ["100%"]),
        (["\r 1/2\r 2/2\ndone\n"], [" 2/2", "done"]),
        (["windows\r\n", "split\r", "\nnext"], ["windows", "split", "next"]),
        (["bar\r", "   \r"], []),
        (["a\x0bb\x0cc\u2028d\n"], ["a\x0bb\x0cc\u2028d"]),
        (["", "\n"], [""]),
    ],
)
async def test_of_a_line_that_is_written_over_the_last_state_is_kept(pieces, lines):
    def node():
        for piece in pieces:
            sys.stdout.write(piece)

    assert texts(await logs_of(node)) == lines


async def test_characters_that_cannot_be_encoded_are_spelt_out(capsys):
    def node():
        print("\ud800 é")
        sys.stdout.write("\udfff")

    listening = Listening()
    assert texts(await logs_of(node, observers=[listening])) == ["\\ud800 é", "\\udfff"]
    assert not any(0xD800 <= ord(c) <= 0xDFFF for signal in listening.heard for c in signal.text)
    assert "é" in capsys.readouterr().out


async def test_logs_tell_all_attempts_in_order_and_each_has_room_of_its_own():
    def node(context):
        print("attempt", context.attempt)
        print("x" * MAX_BYTES)
        if context.attempt < 3:
            raise ConnectionError

    one, two, three = (f"attempt {i}" for i in (1, 2, 3))
    retry = RetryPolicy(max_attempts=3, backoff_first_s=0, jitter=0)
    node = await logs_of(node, retry=retry)
    assert [text for text in texts(node, "stdout") if "x" not in text] == [one, two, three]
    assert len(texts(node, "note")) == 3
    assert [line.at for line in node.logs] == sorted({line.at for line in node.logs})


@pytest.mark.parametrize("text", ["x" * 99 + "\n", "é" * 49 + "\n", "\n", "x", "x" * MAX_BYTES, "y" * 10**6, "é\r\n"])
async def test_an_attempt_keeps_64_kb_and_says_once_that_there_was_more(text):
    def node():
        LOG.error("%s", text)
        for _ in range(MAX_BYTES // len(text) + 2):
            sys.stdout.write(text)
        LOG.error("dropped")
        print("dropped", file=sys.stderr)

    *kept, note = (await logs_of(node)).logs
    size = sum(len(line.text.encode()) + 1 for line in kept)
    assert MAX_BYTES - 100 < size <= MAX_BYTES + 1
    assert note.stream == "note"
    assert "64 kB" in note.text
    assert {line.stream for line in kept} <= {"stdout", "log"}


async def test_a_bar_that_is_drawn_for_ever_takes_no_room():
    def node():
        sys.stderr.write("".join(f"\r{i:08d}" for i in range(20_000)))
        for i in range(20_000):
            sys.stderr.write(f"\r{i:08d}")
        print("\ndone")

    assert texts(await logs_of(node)) == ["", "done", "00019999"]


async def test_instants_rise_even_where_the_clock_stands_still(clock):
    def node():
        print("one\ntwo")
        LOG.error("three")
        print("four", end="")

    instants = [line.at for line in (await logs_of(node, clock=clock)).logs]
    assert len(instants) == len(set(instants)) == 4
    assert instants == sorted(instants)
    assert instants[0] == clock.now
    assert instants[-1] < clock.now + 0.001


async def test_nothing_begun_is_shown_after_what_was_dropped():
    seen = []

    async def node():
        sys.stderr.write("begun")
        print("x" * MAX_BYTES)
        seen.append(texts(futures[0].node("n"))[-1])

    futures = [run(nodes(n=node))]
    await futures[0]
    assert "64 kB" in seen[0]


async def test_lines_that_follow_one_another_are_heard_together(monkeypatch):
    loop, posts = asyncio.get_running_loop(), []
    post = loop.call_soon_threadsafe
    monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *a, **k: (posts.append(a[0].__name__), post(*a, **k))[1])

    async def node():
        for i in range(200):
            print("line", i)
            await asyncio.sleep(0)

    listening = Listening()
    await logs_of(node, observers=[listening])
    assert posts.count("_tell") < 20
    assert [signal.text for signal in listening.heard] == [f"line {i}" for i in range(200)]


async def test_endless_output_leaves_the_loop_alone(monkeypatch):
    loop, posts, listening = asyncio.get_running_loop(), [], Listening()
    post = loop.call_soon_threadsafe
    monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *a, **k: (posts.append(a[0].__name__), post(*a, **k))[1])

    async def node():
        for i in range(10_000):
            print("line", i)
        for _ in range(10):
            print("x" * 10**7)

    node = await logs_of(node, observers=[listening])
    assert posts.count("_tell") == 1
    assert len(node.logs) == len(listening.heard) < 10_000


async def test_every_line_is_a_signal_on_the_loops_thread_and_outside_any_node():
    places = []

    class Here(Listening):
        def on_signal(self, signal):
            super().on_signal(signal)
            places.append((threading.current_thread(), CURRENT.get()))
            print("not the node's")

    def node():
        for i in range(3):
            print("line", i)
        LOG.warning("careful")
        print("end", end="")

    here = Here()
    node = await logs_of(node, observers=[here])
    heard = [signal for signal in here.heard if not signal.text.startswith("\r")]
    assert [(signal.stream, signal.text, signal.at) for signal in heard] == [
        (line.stream, line.text, line.at) for line in node.logs
    ]
    assert {(signal.node_id, signal.attempt) for signal in heard} == {("n", 1)}
    assert set(places) == {(threading.current_thread(), None)}


async def test_the_first_line_is_heard_at_once_and_an_unfinished_one_as_it_stands():
    listening, gate = Listening(), asyncio.Event()

    async def node():
        print("first")
        sys.stderr.write("\r10%")
        await gate.wait()
        sys.stderr.write("\r20%\n")

    future = run(nodes(n=node), observers=[listening])
    await settle()
    assert [(signal.stream, signal.text) for signal in listening.heard] == [("stdout", "first"), ("stderr", "\r10%")]
    gate.set()
    await future
    assert (listening.heard[-1].stream, listening.heard[-1].text) == ("stderr", "20%")


async def test_a_silent_run_makes_and_hears_nothing():
    future = run(nodes(n=lambda: 1))
    await future
    assert not future.run.output._nodes
    assert not future.run.output._is_watching
