"""Slips in running bodies, recognised by what this Python says of them."""

from __future__ import annotations

import asyncio

import pytest

from graphrun_nb.authoring.slips import hint_for


async def coroutine():
    return {}


def subscripted():
    called = coroutine()
    try:
        return called["y"]
    finally:
        called.close()


def read():
    called = coroutine()
    try:
        return called.y
    finally:
        called.close()


def awaited():
    async def body():
        return await {}

    asyncio.run(body())


def error_of(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 (any)
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        (subscripted, "has to be awaited"),
        (read, "has to be awaited"),
        (awaited, "without await"),
        (lambda: {}.total, "write ['total'] instead of .total"),
        (lambda: [].total, ""),
        (lambda: {}["total"], ""),
        (lambda: 1 + "2", ""),
    ],
)
def test_a_slip_is_recognised_in_a_body_and_nothing_else_is(slip, hint):
    assert hint in hint_for(error_of(slip), "body")
    assert bool(hint) == bool(hint_for(error_of(slip), "body"))
    assert hint_for(error_of(slip), "tool") == ""


@pytest.mark.parametrize("kind", ["tool", "body"])
def test_input_where_nobody_can_be_asked_is_told_how_a_node_asks(kind):
    assert "ask_text" in hint_for(EOFError("EOF when reading a line"), kind)
