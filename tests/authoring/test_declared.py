"""Classes that tools name in their annotations are found, and nothing else."""

from __future__ import annotations

import dataclasses
import enum
import typing

import pydantic

from graphrun_nb import graph, tool
from graphrun_nb.authoring.declared import declared_types
from graphrun_nb.core.ids import qualified_name

T = typing.TypeVar("T")


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Inner:
    colour: Colour


class Invoice(pydantic.BaseModel):
    lines: list[Inner] = []


def found_of(function):
    with graph(name="g") as g:
        tool(outputs=["x"])(function)(g.arg("value"))
    return declared_types(g.build())


def test_classes_are_found_inside_of_containers_options_and_fields():
    def first(value: dict[str, list[Invoice]] | None) -> int: ...

    assert found_of(first) == {qualified_name(each): each for each in (Invoice, Inner, Colour)}


def test_what_a_tool_gives_is_declared_too():
    def made(value) -> Inner: ...

    assert found_of(made) == {qualified_name(each): each for each in (Inner, Colour)}


def test_an_annotation_that_names_nothing_is_passed_over():
    def odd(value: Missing) -> 3: ...  # noqa: F821

    assert found_of(odd) == {}


def test_plain_annotations_declare_nothing():
    def plain(value: int, *, k: str = "") -> dict: ...

    assert found_of(plain) == {}


class Pair(typing.NamedTuple):
    colour: Colour


class Box(pydantic.BaseModel, typing.Generic[T]):
    inner: T


class Options(typing.TypedDict):
    pair: Pair


def test_named_tuples_generic_classes_and_what_typed_dicts_hold_are_declared():
    def made(value: Options) -> Box[Inner]: ...

    declared = {qualified_name(each): each for each in (Pair, Colour, Box[Inner], Inner)}
    found = found_of(made)
    assert declared.items() <= found.items()
