"""Whatever others do to the standard streams, nodes print and the streams stay what they are."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import asyncio
import contextlib
import copy
import io
import sys

import pytest

from graphrun_nb import GraphRunFailed, run
from graphrun_nb.engine.capture import Router
from tests.engine.conftest import settle
from tests.engine.printing import logs_of, nodes, texts

pytestmark = pytest.mark.usefixtures("untouched")


async def test_a_stream_that_lacks_a_character_shows_it_spelt_out(monkeypatch):
    bare = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bare, encoding="ascii", write_through=True))

    def node():
        print("é")

    assert texts(await logs_of(node)) == ["é"]
    assert bare.getvalue() == b"\\xe9\n"


async def test_redirecting_inside_a_node_works_as_ever():
    def node():
        print("before")
        with contextlib.redirect_stdout(io.StringIO()) as mine, contextlib.redirect_stderr(mine):
            print("redirected")
            print("this too", file=sys.stderr)
        print("after")
        caught.append(mine.getvalue())

    caught = []
    assert texts(await logs_of(node)) == ["before", "after"]
    assert caught == ["redirected\nthis too\n"]


async def test_a_broken_stream_does_not_hurt_a_node(monkeypatch):
    class Broken(io.StringIO):
        def write(self, text):
            raise OSError("no space left")

        flush = write

    monkeypatch.setattr(sys, "stdout", Broken())

    def node():
        print("kept", flush=True)
        sys.stdout.write("and this")

    assert texts(await logs_of(node)) == ["kept", "and this"]
    with pytest.raises(OSError, match="no space"):
        print("outside")


async def test_what_is_not_text_is_refused_as_by_any_stream():
    async def node():
        sys.stdout.write(b"bytes")

    with pytest.raises(GraphRunFailed, match=r"TypeError: write\(\) argument must be str, not bytes"):
        await logs_of(node)


async def test_a_process_without_streams_runs_all_the_same(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)

    def node():
        print("into the void")
        print("seen", file=sys.stderr)

    assert texts(await logs_of(node)) == ["seen"]
    assert sys.stdout is None


async def test_in_everything_but_writing_a_router_is_the_stream():
    gate = asyncio.Event()
    original = sys.stdout

    async def node():
        await gate.wait()

    future = run(nodes(n=node))
    await settle()
    router = sys.stdout
    assert type(router) is Router
    assert isinstance(router, type(original))
    assert router.encoding == original.encoding
    assert router.isatty() is original.isatty()
    assert router.fileno() == original.fileno()
    assert router.buffer is original.buffer
    assert copy.copy(router) is router
    router.colour = "red"
    assert original.colour == "red"
    del router.colour
    assert not hasattr(original, "colour")
    with pytest.raises(AttributeError):
        router.parent_header  # noqa: B018 (it has none)
    with router as entered:
        assert entered is router
        router.flush()
        del entered
        router.close = lambda: None
    del router.close
    gate.set()
    await future
    assert sys.stdout is original


async def test_whoever_puts_a_write_of_their_own_on_a_router_sees_what_passes():
    """IPython does so for each cell."""
    gate, seen = asyncio.Event(), []

    async def node():
        await gate.wait()
        print("the node's")

    future = run(nodes(n=node))
    await settle()
    stream = sys.stdout
    original_write = stream.write
    stream.write = lambda text: (seen.append(text), original_write(text))[1]
    print("outside")
    stream.write = original_write
    print("later")
    gate.set()
    await future
    assert seen == ["outside", "\n"]
    assert texts(future.node("n")) == ["the node's"]


async def test_output_still_passes_where_somebody_wrapped_a_router_and_put_it_back_too_late(capsys):
    original, gate = sys.stdout, asyncio.Event()

    async def node():
        await gate.wait()

    future = run(nodes(n=node))
    await settle()
    with contextlib.redirect_stdout(io.StringIO()) as mine:
        gate.set()
        await future
        print("mine")
    assert type(sys.stdout) is Router
    assert mine.getvalue() == "mine\n"
    print("passes")
    assert texts(await logs_of(lambda: print("captured"))) == ["captured"]
    assert sys.stdout is original
    assert capsys.readouterr().out == "passes\ncaptured\n"


async def test_nothing_is_captured_twice_where_a_wrapper_stands_between_two_routers(capsys):
    class Wrapper:
        def __init__(self, stream):
            self.stream = stream

        def __getattr__(self, name):
            return getattr(self.stream, name)

    original, gate = sys.stdout, asyncio.Event()

    async def waiting():
        await gate.wait()

    first = run(nodes(n=waiting))
    await settle()
    router, sys.stdout = sys.stdout, Wrapper(sys.stdout)
    assert texts(await logs_of(lambda: print("once"))) == ["once"]
    sys.stdout = router
    gate.set()
    await first
    assert sys.stdout is original
    assert capsys.readouterr().out == "once\n"


async def test_capsys_sees_nodes_and_works_afterwards(capsys):
    def node():
        print("the node's")
        print("its error", file=sys.stderr)

    await logs_of(node)
    print("after")
    out, err = capsys.readouterr()
    assert out == "the node's\nafter\n"
    assert err == "its error\n"
