"""Values come back equal and of the same type, or are refused; reading them runs nothing."""

import dataclasses
import datetime as dt
import decimal
import enum
import math
import pathlib
import sys
import uuid
from collections import namedtuple

import numpy as np
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrun_nb.core.files import FileRef
from graphrun_nb.core.ids import qualified_name
from graphrun_nb.errors import StoreCorrupt
from graphrun_nb.stores.typed_json import decode, encode


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: int
    y: tuple[int, ...] = ()


class Invoice(pydantic.BaseModel):
    total: decimal.Decimal
    when: dt.date | None = None


TYPES = {qualified_name(each): each for each in (Colour, Point, Invoice)}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.datetimes().filter(lambda each: not each.fold)
    | st.datetimes(timezones=st.just(dt.UTC)).filter(lambda each: not each.fold)
    | st.dates()
    | st.times().filter(lambda each: not each.fold)
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.complex_numbers(allow_nan=False)
)
hashables = st.integers() | st.text() | st.binary() | st.dates()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.just("$"), inner, max_size=4)
        | st.dictionaries(hashables, inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(hashables, max_size=3)
        | st.frozensets(hashables, max_size=3)
    ),
    max_leaves=12,
)


def is_same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        both_nan = math.isnan(one) and math.isnan(other)
        return both_nan or (math.copysign(1, one) == math.copysign(1, other) and one == other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(is_same(one[key], other[key]) for key in one)
    return one == other


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values)
def test_what_is_kept_comes_back_as_it_was(value):
    data = encode(value, {})
    assert data is not None
    assert is_same(decode(data, {}), value)


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        Point(1, (2, 3)),
        Invoice(total=decimal.Decimal("1.50"), when=dt.date(2026, 1, 2)),
        Invoice(total=decimal.Decimal(1)),
        [{"a": Point(1)}, Colour.RED],
        FileRef.of("a.txt", "text/plain", b"hello"),
        pathlib.Path("some/x"),
        pathlib.PurePosixPath("a/b"),
        np.int64(3),
        np.float32(1.5),
        np.bool_(True),
        np.str_("x"),
        np.datetime64("2026-01-01"),
        decimal.Decimal("1E+5"),
        uuid.UUID(int=7),
    ],
    ids=repr,
)
def test_declared_classes_and_common_types_come_back(value):
    back = decode(encode(value, TYPES), TYPES)
    assert type(back) is type(value)
    assert back == value


def test_a_model_knows_afterwards_which_fields_were_given():
    back = decode(encode(Invoice(total=1), TYPES), TYPES)
    assert back.model_fields_set == {"total"}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12).reshape(3, 4),
        np.array(7.5),
        np.zeros((0, 3)),
        np.array(["a", "bcd"]),
        np.arange(10)[::2],
        np.asfortranarray(np.ones((2, 3))),
        np.array([1, 2], dtype=">i4"),
        np.array(["2026-01-01"], dtype="M8[ns]"),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_come_back_writable_with_type_and_shape(array):
    back = decode(encode(array, {}), {})
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert (back == array).all()
    back[...] = array


class Words(str):
    __slots__ = ()


class Private(pydantic.BaseModel):
    _secret: int = pydantic.PrivateAttr(default=1)
    x: int = 1


Pair = namedtuple("Pair", "a b")  # noqa: PYI024


def cyclic():
    made = []
    made.append(made)
    return made


def deep():
    made = []
    for _ in range(500):
        made = [made]
    return made


@pytest.mark.parametrize(
    "value",
    [
        object(),
        lambda: 1,
        Words("x"),
        Pair(1, 2),
        cyclic(),
        deep(),
        np.array([object()]),
        np.ma.masked_array([1, 2]),
        "\ud800",
        {"\ud800": 1},
        [1, object()],
        Private(),
        open,
        type,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_not_come_back_as_it_was_is_refused(value):
    types = {**TYPES, **{qualified_name(each): each for each in (Private,)}}
    assert encode(value, types) is None


def test_a_class_that_is_not_declared_is_refused_and_not_found():
    assert encode(Point(1), {}) is None
    with pytest.raises(LookupError, match="Point"):
        decode(encode(Point(1), TYPES), {})


HOSTILE = [
    b"",
    b"{",
    b'{"$": "eval", "v": "1"}',
    b'{"$": ["tuple"], "v": []}',
    b'{"$": null}',
    b'{"$": "dict", "v": [[[], 1]]}',
    b'{"$": "dict", "v": 3}',
    b'{"$": "array", "dtype": "O", "shape": [1], "v": "AAAA"}',
    b'{"$": "array", "dtype": "|O", "shape": [1], "v": "AAAA"}',
    b'{"$": "array", "dtype": "|V8", "shape": [1], "v": "AAAAAAAAAAA="}',
    b'{"$": "array", "dtype": "<i8,<i8", "shape": [1], "v": "AAAA"}',
    b'{"$": "array", "dtype": "<i4", "shape": [-1], "v": "AAAA"}',
    b'{"$": "array", "dtype": "<i4", "shape": [999999999999], "v": "AAAA"}',
    b'{"$": "array", "dtype": "<i4", "shape": 3, "v": "AAAA"}',
    b'{"$": "array"}',
    b'{"$": "bytes", "v": "*"}',
    b'{"$": "datetime", "v": "now"}',
    b'{"$": "Decimal", "v": "x"}',
    b'{"$": "int", "v": "1' + b"0" * 5000 + b'"}',
    b'{"$": "enum", "type": "os.system", "v": "x"}',
    b'{"$": "model", "type": "builtins.exec", "v": {}, "set": []}',
    b'{"$": "dataclass", "type": "subprocess.Popen", "v": {"args": "true"}}',
    b'{"$": "enum", "type": 3, "v": "x"}',
    b'{"$": "flag", "type": "re.RegexFlag", "v": 2}',
    b'{"$": "namedtuple", "type": "os.stat_result", "fields": [], "v": []}',
    b'{"$": "namedtuple", "type": "tests.stores.test_typed_json.Point", "fields": [], "v": []}',
    b'{"$": "dataclass", "type": "tests.stores.test_typed_json.Point", "v": {"__class__": 1}}',
    b'{"$": "datetime", "v": ["2026-01-02", 0, "../../etc/passwd"]}',
    b'{"$": "datetime", "v": ["2026-01-02", 2, null]}',
    b'{"$": "datetime", "v": ["2026-01-02", 0, {}]}',
    b'{"$": "defaultdict", "factory": "eval", "v": []}',
    b'{"$": "defaultdict", "factory": ["list"], "v": []}',
    b'{"$": "Counter", "v": 3}',
    b'{"$": "deque", "v": [], "maxlen": "x"}',
    b'{"$": "array", "dtype": {"fields": [["a", "O", 0]], "size": 8, "aligned": false}, "shape": [0], "v": ""}',
    b'{"$": "array", "dtype": {"fields": [["a", "<i8", -8]], "size": 8, "aligned": false}, "shape": [0], "v": ""}',
    b'{"$": "array", "dtype": {"fields": [["a", "<i8", 0]], "size": 4, "aligned": false}, "shape": [0], "v": ""}',
    b'{"$": "array", "dtype": ["<i8", [99999999999]], "shape": [1], "v": ""}',
    b'{"$": "array", "dtype": "<i8", "shape": [999999999999], "v": ""}',
    b'{"$": "array", "dtype": ' + b'["<i8", [1]],' * 3 + b'"shape": [1], "v": ""}',
    b'{"$": "enum", "type": ["a"], "v": "x"}',
    b"[" * 100_000 + b"]" * 100_000,
]


def test_hostile_bytes_give_typed_errors_and_run_nothing():
    watched, seen = False, []

    def hook(event, args):
        if watched and event.split(".")[0] in ("import", "exec", "compile", "open", "subprocess", "os", "socket"):
            seen.append((event, args))

    sys.addaudithook(hook)
    try:
        for data in HOSTILE:
            watched = True
            try:
                decode(data, TYPES)
            except (LookupError, StoreCorrupt):
                watched = False
            else:
                watched = False
                pytest.fail(f"{data[:60]!r} was read")
    finally:
        watched = False
    assert seen == []
