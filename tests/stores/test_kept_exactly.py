"""What a store says that it has kept is read back as it was, in type and value; of the rest it says that it is lost."""

import asyncio
import collections
import contextlib
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import http
import math
import os
import typing
import zoneinfo

import numpy as np
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

from graphrun_nb import GraphBuildError, GraphRunFailed, SqliteStore, graph, run_async, tool
from graphrun_nb.core.ids import qualified_name
from graphrun_nb.engine.live import RUNS
from graphrun_nb.stores.typed_json import decode, encode
from tests.stores.test_typed_json import values as plain

N = int(os.environ.get("GRAPHRUN_EXAMPLES", "100"))
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


class Words(str):
    __slots__ = ()


class Count(int):
    pass


class Ratio(float):
    pass


class Rows(list):
    pass


class Table(dict):
    pass


class Step(enum.IntEnum):
    ONE = 1
    TWO = 2


class Mood(enum.StrEnum):
    GOOD = "good"


class Right(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


class Bits(enum.IntFlag, boundary=enum.KEEP):
    LOW = 1


class Pair(typing.NamedTuple):
    a: object
    b: object = None


class Tagged(Pair):
    pass


Old = collections.namedtuple("Old", "x y")  # noqa: PYI024


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: object


@dataclasses.dataclass(slots=True)
class Slotted:
    x: object
    y: object = dataclasses.field(init=False, default=3)


@dataclasses.dataclass
class Doubling:
    x: object

    def __post_init__(self):
        self.x = [self.x, self.x]


@dataclasses.dataclass(init=False)
class OwnInit:
    x: object

    def __init__(self, given):
        self.x = ("made of", given)


@dataclasses.dataclass(eq=False)
class AlwaysEqual:
    x: object

    def __eq__(self, other):
        return True

    __hash__ = None


class _Hidden:
    __slots__ = ("secret",)


@dataclasses.dataclass
class OnHidden(_Hidden):
    x: object

    def __post_init__(self):
        self.secret = self.x


@dataclasses.dataclass
class Caching:
    x: object

    @functools.cached_property
    def twice(self):
        return [self.x, self.x]


@dataclasses.dataclass
class OnDict(dict):
    x: object = None


class Model(pydantic.BaseModel):
    x: object = None
    when: dt.date | None = None


class Swapped(pydantic.BaseModel):
    a: object = pydantic.Field(default=None, alias="b")
    b: object = pydantic.Field(default=None, alias="a")


class Open(pydantic.BaseModel, extra="allow"):
    x: int = 0


class Upper(pydantic.BaseModel):
    x: str

    @pydantic.field_validator("x")
    @classmethod
    def upper(cls, value):
        return value.upper()


class Root(pydantic.RootModel[list[int]]):
    pass


class Secretive(pydantic.BaseModel):
    x: object = None
    _y: object = pydantic.PrivateAttr(default=1)


T = typing.TypeVar("T")


class Box(pydantic.BaseModel, typing.Generic[T]):
    x: T


CLASSES = (
    *(Step, Mood, Right, Bits, Pair, Tagged, Old, Frozen, Slotted, Doubling, OwnInit, AlwaysEqual, OnHidden, Caching),
    *(OnDict, Model, Swapped, Open, Upper, Root, Secretive, Box, Box[int], http.HTTPStatus),
)
TYPES = {qualified_name(each): each for each in CLASSES}


def exactly(one, other):  # noqa: C901, PLR0912 (a table of kinds)
    """The same type, and the same in every part: written down anew here, so that it is no mirror of what it tests."""
    assert type(one) is type(other), (one, other)
    if isinstance(one, enum.Enum):
        assert one is other
    elif isinstance(one, (np.ndarray, np.generic)):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        for name in one.dtype.names or ():
            exactly(np.asarray(one[name]), np.asarray(other[name]))
        if one.dtype.names is None:
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other), strict=True)
    elif isinstance(one, float):
        assert (math.isnan(one) and math.isnan(other)) or math.copysign(1, one) == math.copysign(1, other)
        assert math.isnan(one) or one == other
    elif isinstance(one, complex):
        exactly((one.real, one.imag), (other.real, other.imag))
    elif isinstance(one, (dt.datetime, dt.time)):
        assert one.replace(tzinfo=None) == other.replace(tzinfo=None)
        assert (one.fold, type(one.tzinfo), str(one.tzinfo)) == (other.fold, type(other.tzinfo), str(other.tzinfo))
        assert (one.utcoffset(), one.tzname()) == (other.utcoffset(), other.tzname())
    elif isinstance(one, decimal.Decimal):
        assert one.as_tuple() == other.as_tuple()
    elif isinstance(one, (set, frozenset)):
        assert one == other
        assert sorted(map(repr, one)) == sorted(map(repr, other))
    elif isinstance(one, dict):
        exactly(list(one.items()), list(other.items()))
    elif isinstance(one, (list, tuple, collections.deque)):
        assert len(one) == len(other)
        assert getattr(one, "maxlen", None) == getattr(other, "maxlen", None)
        for sides in zip(one, other, strict=True):
            exactly(*sides)
    elif not isinstance(one, pydantic.BaseModel) and not dataclasses.is_dataclass(one):
        assert one == other
    if isinstance(one, collections.defaultdict):
        assert one.default_factory is other.default_factory
    if isinstance(one, pydantic.BaseModel):
        assert one.model_fields_set == other.model_fields_set
        exactly(one.model_extra, other.model_extra)
        exactly(one.__pydantic_private__, other.__pydantic_private__)
        exactly(
            [getattr(one, each) for each in type(one).model_fields],
            [getattr(other, each) for each in type(one).model_fields],
        )
    state = {name for kind in type(one).__mro__ for name in kind.__dict__.get("__slots__", ())} - {"__weakref__"}
    if dataclasses.is_dataclass(one):
        for name in {*getattr(one, "__dict__", ()), *(state - {"__dict__"})}:
            exactly(getattr(one, name), getattr(other, name))
    elif not isinstance(one, (pydantic.BaseModel, enum.Enum)):
        assert getattr(one, "__dict__", {}) == getattr(other, "__dict__", {})


zones = st.timezones() | st.builds(
    dt.timezone, st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)), st.sampled_from(["CET", "", "UTC+1"])
)
instants = st.datetimes(timezones=st.none() | zones | st.just(dt.UTC)) | st.times(timezones=st.none() | zones)
instants |= st.builds(lambda each: each.replace(fold=1), instants)
flat_types = numpy_st.scalar_dtypes() | numpy_st.byte_string_dtypes() | numpy_st.unicode_string_dtypes()
array_types = flat_types | numpy_st.array_dtypes(flat_types, allow_subarrays=True)
arrays = numpy_st.arrays(array_types, numpy_st.array_shapes(min_dims=0, min_side=0, max_side=3))
numbers = flat_types.flatmap(numpy_st.from_dtype) | arrays.filter(lambda each: each.size).map(lambda each: each.flat[0])
odd = st.sampled_from(
    [
        *(Words("x"), Count(3), Ratio(0.5), Rows([1]), Table(a=1), np.ma.masked_array([1, 2])),
        *(
            np.array([object()]),
            np.rec.array([(1, 2)]),
            object(),
            range(3),
            memoryview(b"x"),
            1j,
            -0.0,
            [-0.0, math.nan],
        ),
    ]
)
leaves = (
    plain | instants | arrays | numbers | odd | st.sampled_from([*Step, Mood.GOOD, *Right, Right(0), Right(5), Bits(6)])
)
keys = (
    st.integers()
    | st.text()
    | st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.dates()
    | st.sampled_from([*Step])
)


def tagged(value, more):
    made = Tagged(value)
    made.more = more
    return made


def cached(value):
    made = Caching(value)
    assert made.twice
    return made


def containers(inner):
    return st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(keys, inner, max_size=3),
        st.dictionaries(keys, inner, max_size=3).map(collections.OrderedDict),
        st.dictionaries(keys, inner, max_size=3).map(lambda each: collections.defaultdict(list, each)),
        st.dictionaries(keys, inner, max_size=3).map(lambda each: collections.defaultdict(lambda: 1, each)),
        st.dictionaries(keys, st.integers(), max_size=3).map(collections.Counter),
        st.builds(collections.deque, st.lists(inner, max_size=3), st.none() | st.integers(0, 3)),
        st.builds(Pair, inner, inner),
        st.builds(tagged, inner, st.just(1)),
        st.builds(Tagged, inner),
        st.builds(Old, inner, inner),
        *(
            st.builds(each, inner)
            for each in (Frozen, Slotted, Doubling, OwnInit, AlwaysEqual, OnHidden, Caching, OnDict)
        ),
        st.builds(cached, inner),
        st.builds(Model, x=inner, when=st.none() | st.dates()),
        st.builds(lambda x: Model.model_construct(x=x, when="no date"), inner),
        st.builds(Swapped, a=inner, b=inner),
        st.builds(Swapped, a=inner),
        st.builds(Open, x=st.integers(), y=inner),
        st.builds(Upper, x=st.text()),
        st.builds(lambda x: Upper.model_construct(x=x), st.text()),
        st.builds(Root, st.lists(st.integers(), max_size=3)),
        st.builds(Secretive, x=inner),
        st.builds(Box, x=inner),
        st.builds(Box[int], x=st.integers()),
    )


@settings(max_examples=N, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(leaves, containers, max_leaves=6))
def test_what_is_kept_comes_back_exactly_or_is_said_not_to_be_kept(value):
    data = encode(value, TYPES)
    if data is not None:
        exactly(decode(data, TYPES), value)


KEPT = [
    Step.TWO,
    Mood.GOOD,
    Right.READ | Right.RUN,
    Bits(6),
    http.HTTPStatus.OK,
    Pair(1, (2, Step.ONE)),
    Tagged(1),
    Old(1, 2),
    Frozen({1: "a", (2, None): {3}}),
    Slotted([Frozen(1)]),
    Doubling(1),
    OwnInit(2),
    AlwaysEqual(1),
    Model(x=Pair(1), when=dt.date(2026, 1, 2)),
    Swapped(a=1, b=2),
    Open(x=1, y=Frozen(2)),
    Upper(x="a"),
    Root([1, 2]),
    Box(x=1),
    Box[int](x=1),
    dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
    dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=1), "CET")),
    dt.time(12, tzinfo=BERLIN),
    dt.timedelta(days=-1, microseconds=1),
    collections.OrderedDict(b=1, a=2),
    collections.defaultdict(list, a=[1]),
    collections.Counter("abca"),
    collections.deque([1, 2], maxlen=2),
    {1: "a", None: "b", (1, 2): "c", 2.5: "d", Step.ONE: "e"},
    np.float64(0.1),
    np.int8(-3),
    np.array(3),
    np.array(["", "a"]),
    np.zeros((3, 0, 2), "c16"),
    np.array([(1, [2.0, 3.0], "x")], dtype=[("a", "i4"), ("b", "f8", (2,)), ("c", [("d", "U3")])])[:1][["a", "b"]],
    np.array([(1, 2.0)], dtype=np.dtype([("a", "i1"), ("b", ">f8")], align=True)),
    np.array([(1, "2026-01-02")], dtype=[("a", "i1"), ("b", "M8[us]")])[0],
]


@pytest.mark.parametrize("value", KEPT, ids=lambda value: f"{type(value).__name__}-{str(value)[:30]}")
def test_these_are_kept(value):
    exactly(decode(encode(value, TYPES), TYPES), value)


LOST = [
    *(Words("x"), Count(1), Ratio(1.5), Rows(), Table(), tagged(1, 2), cached(1), OnHidden(1), OnDict(1), Secretive()),
    *(Model.model_construct(when="no date"), collections.defaultdict(lambda: 1), np.rec.array([(1, 2)])),
    *(
        dt.datetime(
            2026, 1, 2, tzinfo=type("Zone", (dt.tzinfo,), {"utcoffset": lambda *_: dt.timedelta(), "tzname": str})()
        ),
    ),
]


@pytest.mark.parametrize("value", LOST, ids=lambda value: type(value).__name__)
def test_these_are_said_not_to_be_kept(value):
    assert encode(value, TYPES) is None


def test_a_class_that_changed_since_takes_what_it_still_can():
    data = encode([Slotted(1), Model(x=1), Pair(1)], TYPES)
    more = dataclasses.make_dataclass("Slotted", [("x", object), ("y", object), ("z", object, 7)])
    model = pydantic.create_model("Model", x=(object, None), when=(object, None), z=(int, 7))
    slotted, again, _ = decode(data, {**TYPES, qualified_name(Slotted): more, qualified_name(Model): model})
    assert (slotted.x, slotted.z, again.x, again.z) == (1, 7, 1, 7)
    for kind, other in [
        (Slotted, dataclasses.make_dataclass("Slotted", ["x"])),
        (Pair, typing.NamedTuple("Pair", [("b", int), ("a", int)])),
        (Model, pydantic.create_model("Model", x=(str, ...))),
        (Pair, Model),
    ]:
        with pytest.raises(LookupError, match=f"{kind.__name__}, which does not take it any more"):
            decode(data, {**TYPES, qualified_name(kind): other})


def test_an_unknown_zone_is_no_damage_and_a_path_is_no_zone():
    with pytest.raises(LookupError, match="Mars/Phobos"):
        decode(b'{"$":"datetime","v":["2026-01-02T00:00:00",0,"Mars/Phobos"]}', {})
    for key in ("../../etc/passwd", "/etc/passwd", "a/../b", "", "Europe\\\\Berlin"):
        with pytest.raises(Exception, match="no time zone"):
            decode(b'{"$":"datetime","v":["2026-01-02T00:00:00",0,"%b"]}' % key.encode(), {})


FAILED = []


@tool(outputs=["x"])
async def given_back(i: int) -> typing.Union[CLASSES]:  # noqa: UP007 (a tuple of them)
    return {"x": [*KEPT, *LOST][i]}


@tool(outputs=["ok"])
async def fails_first(values: list) -> bool:
    if not FAILED:
        FAILED.append(True)
        raise ValueError("the first time")
    for i, value in enumerate(values):
        exactly(value, [*KEPT, *LOST][i])
    return True


def test_a_run_that_goes_on_has_its_values_as_they_were_or_says_which_it_has_not(tmp_path):
    def made():
        with graph(name="typed") as g:
            values = [given_back(i=i, _id=f"n{i}") for i in range(len(KEPT) + len(LOST))]
            g.expose("ok", fails_first(values=values).ok)
        return g.build()

    store = SqliteStore(tmp_path / "runs.db")
    with contextlib.suppress(GraphRunFailed):
        asyncio.run(run_async(made(), store=store, run_id="r"))
    RUNS.clear()
    store.close()
    with pytest.raises(GraphBuildError) as caught:
        asyncio.run(run_async(made(), store=SqliteStore(tmp_path / "runs.db"), run_id="r"))
    assert caught.value.code == "resume_snapshot_policy_violation"
    told = [f"'n{i}'" for i in range(len(KEPT), len(KEPT) + 8)]
    assert f"the outputs of {', '.join(told)} and {len(LOST) - 8} more were not kept" in str(caught.value)
    again = SqliteStore(tmp_path / "runs.db")
    assert asyncio.run(run_async(made(), store=again, run_id="r", on_unsaved="rerun")) == {"ok": True}
