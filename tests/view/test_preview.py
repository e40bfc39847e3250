"""How values look: bounded, without secrets in the columns and keys that hide them, and whatever the value does."""

from __future__ import annotations

import base64
import dataclasses
import io
import sys
from functools import partialmethod
from types import SimpleNamespace
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel

from graphrun_nb.core.files import FileRef
from graphrun_nb.view.look import ArrayLook, HtmlLook, ImageLook, TableLook, TreeLook, scrubbed
from graphrun_nb.view.preview import MAX_FULL, full_text, is_known, look, size
from graphrun_nb.view.rich import MAX_HTML, MAX_IMAGE, is_rich, rich

MAX_LOOK = 20_000


@dataclasses.dataclass
class Point:
    x: int
    password: str = "hunter22"  # noqa: S105 (a canary)
    hidden: int = dataclasses.field(default=1, repr=False)


class Model(BaseModel):
    name: str


class Pair(NamedTuple):
    left: int
    right: set[int]


def frame(n_rows=100, **columns):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(columns or {"n": range(n_rows), "x": [1.23456789] * n_rows, "t": ["long " * 40] * n_rows})


def test_a_data_frame_is_its_first_rows_with_how_many_there_are():
    found = look(frame())
    assert isinstance(found, TableLook)
    assert (found.n_rows, found.n_columns, len(found.rows)) == (100, 3, 20)
    assert found.columns == ("n", "x", "t")
    assert found.rows[1][:2] == ("1", "1.23457")
    assert len(found.rows[1][2]) == 60
    assert found.index[:2] == ("0", "1")
    assert found.numeric == (True, True, False)
    assert size(frame(), found) == "100 rows, 3 columns"


def test_series_polars_and_arrow_are_tables_too():
    polars = pytest.importorskip("polars")
    assert look(frame()["n"]).columns == ("n",)
    found = look(polars.DataFrame({"a": [1, 2], "b": ["x", None]}))
    assert found.rows == (("1", "x"), ("2", "None"))
    assert found.index == ()

    class Arrow:
        shape = (2, 1)
        column_names = ("a",)

        def slice(self, start, n):
            return self

        def to_pylist(self):
            return [{"a": 1}, {"a": 2}]

    assert look(Arrow()).rows == (("1",), ("2",))


def test_dicts_with_the_same_keys_are_a_table_and_others_are_a_tree():
    found = look([{"a": 1, "b": "x"}, {"a": 2}])
    assert isinstance(found, TableLook)
    assert found.rows == (("1", "x"), ("2", ""))
    for value in ([{"a": 1}], [{"a": 1}, {"b": 2}, {"c": 3}], [{1: 2}, {1: 3}], [{"a": 1}, 2]):
        assert isinstance(look(value), TreeLook), value
    for nothing in ([], {}, (), "text", 3, None, b"bytes"):
        assert look(nothing) is None


def test_columns_and_keys_that_hide_are_masked_also_in_the_whole_text():
    people = frame(name=["Ada"], api_token=["sk-12345678"])
    assert look(people).rows == (("Ada", "•••"),)
    assert "sk-12345678" not in full_text(people)
    found = look({"point": Point(1), "token": "sk-12345678"})
    text = msgspec.json.encode(found).decode()
    assert "hunter22" not in text
    assert "sk-12345678" not in text
    assert "hidden" not in text


def test_an_array_is_its_corner_and_a_picture_of_all_of_it():
    found = look(np.arange(10_000.0).reshape(100, 100))
    assert isinstance(found, ArrayLook)
    assert (found.shape, found.dtype) == ((100, 100), "float64")
    assert found.rows[1][:2] == ("100", "101")
    assert (found.width, found.height, found.channels) == (50, 50, 1)
    assert (found.low, found.high) == ("0", "9898")
    pixels = base64.b64decode(found.pixels)
    assert (len(pixels), pixels[0], pixels[-1]) == (2500, 1, 255)
    vector = look(np.array([1.0, np.nan, 3.0, np.inf]))
    assert vector.line == (1.0, None, 3.0, None)
    assert len(look(np.zeros(100_000)).line) == 120
    colours = look(np.full((200, 100, 3), 7, np.uint8))
    assert (colours.width, colours.height, colours.channels) == (50, 50, 3)
    assert set(base64.b64decode(colours.pixels)) == {7}


@pytest.mark.parametrize(
    "value",
    [
        np.float64(1.5),
        np.array(3),
        np.zeros((0, 5)),
        np.zeros((3, 0, 4)),
        np.full((9, 9), np.nan),
        np.full((9, 9), np.inf),
        np.full((9, 9, 3), np.nan),
        np.zeros((9, 9), bool),
        np.array(["a", 1], object),
        np.array(["a"]),
        np.array(["2026-01-01"], "datetime64[D]"),
        np.zeros(3, [("a", int)]),
        np.ones((2,) * 20),
        np.ma.masked_all((9, 9)),
        np.iinfo("int64").max * np.ones((10, 10), "int64"),
    ],
    ids=lambda value: f"{value.dtype} {value.shape}",
)
def test_every_array_is_looked_at_without_a_warning(value):
    found = look(value)
    assert len(msgspec.json.encode(found)) <= MAX_LOOK
    assert full_text(value)
    assert size(value, found) is not None


def test_records_are_trees_of_their_fields():
    found = look([Point(1), Pair(1, {2}), Model(name="Ada")])
    point, pair, model = found.root.children
    assert [(each.key, each.text) for each in point.children] == [("x", "1"), ("password", "•••")]
    assert [each.key for each in pair.children] == ["left", "right"]
    assert (model.text, model.children[0].text) == ("Model · 1", "'Ada'")


def deep():
    value = []
    for _ in range(5000):
        value = [value]
    return value


def endless():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)),
        {str(i): {str(j): "x" * 1000 for j in range(100)} for i in range(100)},
        [{f"c{j}": "x" * 1000 for j in range(150)} for _ in range(1000)],
        deep(),
        endless(),
        {"k" * 10_000: 1},
        {frozenset({1}): 2},
        ["\ud800", {"\ud800": "\ud800"}],
        {1: float("nan")},
        [[b"x" * 10_000] * 100] * 100,
    ],
    ids=["long", "wide", "many columns", "deep", "endless", "long key", "odd key", "half", "nan", "bytes"],
)
def test_what_is_shown_of_containers_is_bounded_and_can_be_sent(value):
    assert len(msgspec.json.encode(look(value))) <= 70_000
    assert len(full_text(value)) <= MAX_FULL + 10_000
    assert is_known(value)


def test_the_whole_of_a_value_is_json_csv_or_its_own_text():
    assert full_text("a\nb") == "a\nb"
    assert full_text({"a": [1, None]}) == '{\n  "a": [\n    1,\n    null\n  ]\n}'
    assert full_text({"a": Point(1)}).count("Point(") == 1
    assert full_text(frame(a=[1, 2], b=["x,y", "z"])) == ',a,b\n0,1,"x,y"\n1,2,z\n'
    assert full_text(3.5) == "3.5"


def test_values_that_run_no_code_of_others_are_known_ones():
    assert all(map(is_known, [1, "x", None, [1, {"a": (2.0,)}], np.zeros(3), {1: {2: {3: 4}}}]))
    assert is_known(frame(a=[1]))
    odd = type("Odd", (), {})()
    for value in (odd, [odd], {"a": [odd]}, {odd: 1}, np.array([odd]), frame(a=[odd, 1])):
        assert not is_known(value)
    assert not any(map(is_known, [type("MyList", (list,), {})(), type("MyStr", (str,), {})("x")]))


def png(side):
    file = io.BytesIO()
    Image.effect_noise((side, side), 100).save(file, "PNG")
    return file.getvalue()


def given(_self, value):
    return value


def make(**methods):
    return type("Made", (), {name: partialmethod(given, value) for name, value in methods.items()})()


@pytest.mark.parametrize(
    ("value", "mime"),
    [
        (make(_repr_png_=png(8)), "image/png"),
        (make(_repr_png_=base64.b64encode(png(8)).decode()), "image/png"),
        (make(_repr_png_=(png(8), {"width": 8})), "image/png"),
        (make(_repr_svg_="<svg/>", _repr_html_="<b>"), "image/svg+xml"),
        (make(_repr_mimebundle_={"image/png": png(8), "text/html": "<b>"}), "image/png"),
        (make(_repr_mimebundle_=({"image/png": png(8)}, {})), "image/png"),
        (Image.new("RGB", (3000, 3000)), "image/png"),
        (Image.effect_noise((1500, 1500), 100), "image/png"),
        (FileRef.of("a.png", "image/png", png(8)), "image/png"),
    ],
)
def test_pictures_are_files_of_at_most_a_megabyte(value, mime):
    assert is_rich(value)
    found = rich(value)
    assert isinstance(found, ImageLook)
    assert found.mime == mime
    assert 0 < len(base64.b64decode(found.data)) <= MAX_IMAGE


def test_a_figure_of_matplotlib_is_a_picture():
    figures = pytest.importorskip("matplotlib.figure")
    figure = figures.Figure()
    figure.subplots().plot([1, 2])
    assert is_rich(figure)
    assert base64.b64decode(rich(figure).data).startswith(b"\x89PNG")


def test_html_is_cut_and_what_is_no_picture_and_no_html_is_nothing():
    assert rich(make(_repr_html_="<b>x</b>")) == HtmlLook("<b>x</b>")
    assert len(rich(make(_repr_html_="x" * 10_000_000)).html) == MAX_HTML
    for value in (
        make(_repr_html_=None),
        make(_repr_html_=3),
        make(_repr_png_=b""),
        make(_repr_png_=b"x" * (MAX_IMAGE + 1)),
        make(_repr_png_="not base64 at all: é"),
        make(_repr_mimebundle_=None),
        make(_repr_mimebundle_={"text/plain": "x"}),
    ):
        assert rich(value) is None
    assert not is_rich(SimpleNamespace(_repr_html_=lambda: "x"))
    assert not is_rich(3)


def test_every_text_of_a_look_is_scrubbed_and_no_picture_is():
    table = scrubbed(look([{"a": "key-123456", "b": 1}] * 2), lambda text: text.replace("key-123456", "•••"))
    assert table.rows[0] == ("•••", "1")
    assert scrubbed(HtmlLook("<i>key</i>"), str.upper) == HtmlLook("<I>KEY</I>")
    assert scrubbed(ImageLook("image/png", "abc"), str.upper).data == "abc"


def test_looking_imports_nothing():
    before = set(sys.modules)
    look({"a": [1]})
    assert set(sys.modules) == before
