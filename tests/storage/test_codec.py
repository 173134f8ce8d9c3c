"""Does what comes back from the store equal what went in, and nothing else come out?"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import pickle
import random
import sys
import uuid
import zoneinfo
from collections import OrderedDict, UserDict, defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, ClassVar

import attrs
import msgspec
import pydantic
import pytest

from crawler.errors import StoreError
from crawler.model.fields import NO_CALLBACK
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.scrapy.forms import FormRequest, JsonRequest
from crawler.storage.codec import CannotStore, Codec
from tests.storage.support import Spider, can_store


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass(frozen=True)
class Book:
    title: str
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.title == "made again":
            raise AssertionError("__init__ ran")


@attrs.frozen
class Author:
    name: str
    born: datetime.date | None = None


class Price(pydantic.BaseModel):
    amount: Decimal
    note: str = "none"


class Shop(msgspec.Struct):
    name: str
    books: list[Book] = []


class Loose(UserDict):  # type: ignore[type-arg]
    """Stands for a mapping class such as Item."""


class Special(Request):
    """A request class of a project."""


class Slotted(Request):
    """A request class with fields of its own."""

    __slots__ = ("_render", "wait")
    wait: float
    _render: bool


class Guarded(Slotted):
    """A request class whose attributes are not what they are called."""

    __slots__ = ("__dict__", "__key")
    ran: ClassVar[list[Any]] = []

    def __init__(self, url: str, key: str = "") -> None:
        super().__init__(url)
        self.__key = key

    @property
    def key(self) -> str:
        """The key."""
        return self.__key

    @key.setter
    def key(self, value: Any) -> None:
        self.ran.append(value)


class XmlRpcRequest(Request):
    """A request class that only has another constructor."""

    def __init__(self, url: str, method: str, *, encode: Any = repr, **options: Any) -> None:
        super().__init__(url, method="POST", body=encode(method), **options)


CLASSES = (Colour, Level, Book, Author, Price, Shop, Loose, Special)


@pytest.fixture
def spider() -> Spider:
    return Spider()


@pytest.fixture
def codec(spider: Spider) -> Codec:
    return Codec(spider, CLASSES)


UTC = datetime.UTC
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
VALUES = [
    None, True, False, 0, -1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**100, -(10**100),
    0.0, -0.0, 1.5, math.inf, -math.inf, 5e-324, "", "text", "ü€😀", "a\0b", "\ud800", "x\udfffy", b"", b"\0\xff",
    bytearray(b"ab"), [], [1, [2, []]], (), (1, (2,)), set(), {1, (2,)}, frozenset(), frozenset({frozenset({1})}),
    {}, {"a": 1}, {1: 2, None: 3, (1, 2): 4, b"k": 5, False: 6}, {"\ud800": 1}, {frozenset({1}): [()]},
    datetime.datetime(2024, 2, 29, 1, 2, 3, 4), datetime.datetime(2024, 1, 1, tzinfo=UTC),
    datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
    datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=-5, minutes=-30))),
    datetime.date(9999, 12, 31), datetime.time(23, 59, 59, 999999), datetime.time(1, 2, tzinfo=UTC),
    datetime.timedelta(days=-3, microseconds=7), Decimal("1.50"), Decimal("-Infinity"), Decimal("0E-10"),
    Fraction(1, 3), complex(1, -2), uuid.UUID(int=2**127), Path("/tmp/x"), PurePosixPath("a/b"),
    Colour.RED, Level.HIGH, Book("t", ("a", "b")), Author("n", datetime.date(1900, 1, 1)), Author("n"),
    Price(amount=Decimal("2.0")), Shop("s", [Book("x")]), Loose({"a": (1,)}),
]  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Equal, of the same type, all the way down, and with equal signs of zero."""
    if type(one) is not type(other) or (repr(one) != repr(other) and not isinstance(one, set | frozenset)):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_equal_and_of_its_type(codec: Codec, value: Any) -> None:
    assert same(codec.decode(codec.encode(value)), value)
    assert same(codec.decode(codec.encode({"in": [value]})), {"in": [value]})


def test_not_a_number_comes_back(codec: Codec) -> None:
    assert math.isnan(codec.decode(codec.encode(math.nan)))
    assert codec.decode(codec.encode(Decimal("sNaN"))).is_snan()


def test_random_nested_values_come_back(codec: Codec) -> None:
    dice = random.Random(7)
    hashable = [value for value in VALUES if value.__hash__ is not None and not isinstance(value, Price)]

    def grow(depth: int) -> Any:
        kind = dice.randrange(6) if depth else 5
        parts = [grow(depth - 1) for _ in range(dice.randrange(4))] if kind < 3 else []
        if kind == 0:
            return parts
        if kind == 1:
            return tuple(parts)
        if kind == 2:
            return {dice.choice(hashable[:20]): part for part in parts}
        return dice.choice(VALUES)

    for _ in range(500):
        value = grow(4)
        assert same(codec.decode(codec.encode(value)), value)


def test_an_object_is_made_again_without_running_its_code(codec: Codec) -> None:
    book = object.__new__(Book)
    object.__setattr__(book, "title", "made again")
    object.__setattr__(book, "tags", ())
    assert codec.decode(codec.encode(book)) == book
    assert codec.decode(codec.encode(Price(amount=Decimal(1)))).model_fields_set == {"amount"}


class Stranger:
    def __reduce__(self) -> Any:
        raise AssertionError("pickled")


@pytest.mark.parametrize(
    "value",
    [object(), Stranger(), lambda: 0, Spider, (n for n in ()), OrderedDict(a=1), defaultdict(list), memoryview(b"")],
)
def test_what_has_no_stored_form_is_refused_by_its_type(codec: Codec, value: Any) -> None:
    with pytest.raises(CannotStore, match=type(value).__qualname__):
        codec.encode({"deep": [(value,)]})


def test_unregistered_classes_are_refused_in_requests_and_kept_as_dicts_in_items() -> None:
    codec = Codec(Spider())
    for value in (Book("t"), Author("n"), Shop("s"), Price(amount=Decimal(1)), Colour.RED, Level.HIGH):
        with pytest.raises(CannotStore):
            codec.encode(value)
    item = {"book": Book("t", ("a",)), "level": Level.HIGH, "more": OrderedDict(a=(1,))}
    kept = codec.decode(codec.encode_item(item))
    assert kept == {"book": {"title": "t", "tags": ("a",)}, "level": 3, "more": {"a": (1,)}}


def test_a_value_that_contains_itself_is_refused(codec: Codec) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(CannotStore, match="nested"):
        codec.encode(value)


def test_a_class_that_is_gone_is_named(codec: Codec) -> None:
    for value in (Book("t"), Colour.RED):
        with pytest.raises(StoreError, match="is not known to this project any more"):
            Codec(Spider()).decode(codec.encode(value))


def test_planted_bytes_make_nothing_but_errors(codec: Codec) -> None:
    dice = random.Random(3)
    samples = [codec.encode(VALUES), pickle.dumps({"a": 1}), b"cos\nsystem\n(S'true'\ntR.", b""]
    for _ in range(3000):
        data = bytearray(dice.choice(samples))
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(len(data) + 1) :][:1] = b""
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            codec.decode(bytes(data))
        except StoreError:
            continue


def round_trip(codec: Codec, request: Request) -> Request:
    return codec.decode_request(request.url, request.priority, codec.encode_request(request))


def test_a_plain_request_comes_back(codec: Codec) -> None:
    request = round_trip(codec, Request("http://a/x?y=1"))
    assert (request.url, request.method, request.body, request.callback, request.meta) == (
        "http://a/x?y=1",
        "GET",
        b"",
        None,
        {},
    )
    assert type(request) is Request
    assert len(codec.encode_request(request)) == 1


def test_a_full_request_comes_back(codec: Codec, spider: Spider) -> None:
    request = Special(
        "http://a/", spider.parse, "PUT", {"X-One": ["a", "b"], "Accept": None}, b"\0body", {"c": "d"},
        {"depth": 2, "t": (1, {2})}, "latin-1", 7, True, spider.failed, ["flag"], {"n": Decimal(1)},
    )  # fmt: skip
    back = round_trip(codec, request)
    assert type(back) is Special
    for name in Request.attributes:
        assert getattr(back, name) == getattr(request, name), name
    assert isinstance(back.headers, Headers)
    assert back.headers.raw() == request.headers.raw()
    assert "Accept" in back.headers


@pytest.mark.parametrize(
    "request_",
    [
        FormRequest("http://a/login", formdata={"user": "u", "password": "p"}),
        FormRequest.from_response(
            Response("http://a/", body="<form action=/in method=post><input name=csrf value=1></form>"),
            formdata={"user": "u"},
        ),
        JsonRequest("http://a/", data={"b": 1, "a": 2}),
        JsonRequest("http://a/", data={"b": 1, "a": 2}, dumps_kwargs={"sort_keys": False, "indent": 1}),
        XmlRpcRequest("http://a/", "call"),
    ],
    ids=repr,
)
def test_requests_of_classes_that_add_no_state(request_: Any) -> None:
    codec = Codec(Spider())
    assert can_store(codec, request_)
    back = round_trip(codec, request_)
    assert type(back) is type(request_)
    for name in type(request_).attributes:
        assert getattr(back, name) == getattr(request_, name), name
    if isinstance(request_, JsonRequest):
        assert back.replace(data=[1]).body == request_.replace(data=[1]).body


def test_the_state_of_a_request_class_comes_back_or_the_request_is_carried(codec: Codec) -> None:
    slotted = Slotted("http://a/")
    slotted.wait = 0.5
    assert round_trip(codec, slotted).wait == 0.5  # type: ignore[attr-defined]  # it is a Slotted
    special: Any = Special("http://a/")
    special.tags = {"a", Colour.RED}
    assert round_trip(codec, special).tags == {"a", Colour.RED}  # type: ignore[attr-defined]  # it is a Special
    special.lock = object()
    assert not can_store(codec, special)

    class Local(Request):
        """Cannot be found again."""

    assert not can_store(codec, Local("http://a/"))


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("subprocess:Popen", None),
        ("builtins:dict", None),
        ("not.imported:Request", None),
        ("tests.storage.test_codec:gone", None),
        (1, None),
        (f"{__name__}:Slotted", {"gone": 1}),
        (f"{__name__}:Slotted", {"__class__": 1}),
        (f"{__name__}:Slotted", 1),
    ],
)
def test_only_request_classes_that_exist_come_back(codec: Codec, name: Any, state: Any) -> None:
    with pytest.raises(StoreError):
        codec.decode_request("http://a/", 0, codec.encode([None] * 11 + [name, state]))


def test_a_stored_name_is_looked_up_in_no_module(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    module: Any = ModuleType("planted")
    module.__getattr__ = lambda name: [asked.append(name), Special][1]
    module.Special = Special
    monkeypatch.setitem(sys.modules, "planted", module)
    for name in ("planted:anything", "planted:Special", f"{__name__}:pytest.Special"):
        with pytest.raises(StoreError, match="is not known to this project any more"):
            codec.decode_request("http://a/", 0, codec.encode([None] * 11 + [name]))
    assert asked == []


def test_a_request_class_that_is_made_later_is_found(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(round_trip(codec, Special("http://a/"))) is Special

    class Late(Request):
        """Stands for one of a module that is imported when it is needed."""

    Late.__qualname__ = "Late"
    monkeypatch.setitem(globals(), "Late", Late)
    assert type(round_trip(codec, Late("http://a/"))) is Late


def test_state_goes_back_past_the_code_of_the_class(codec: Codec) -> None:
    request = Guarded("http://a/", "k")
    request.wait = 0.5
    request.note = "n"
    Guarded.ran.clear()
    back: Any = round_trip(codec, request)
    assert (back.key, back.wait, back.note, Guarded.ran) == ("k", 0.5, "n", [])
    planted = codec.encode([None] * 11 + [f"{__name__}:Guarded", {"key": 1, "__class__": 2}])
    assert type(codec.decode_request("http://a/", 0, planted)) is Guarded
    assert Guarded.ran == []


def test_callbacks_are_named_and_only_the_spiders_methods_come_back(codec: Codec, spider: Spider) -> None:
    assert round_trip(codec, Request("http://a/", spider.parse_book)).callback == spider.parse_book
    assert round_trip(codec, Request("http://a/", NO_CALLBACK)).callback is NO_CALLBACK
    for name in ("__init__", "name", "__class__", "gone", "os.system"):
        with pytest.raises(StoreError, match="callback"):
            codec.decode_request("http://a/", 0, codec.encode([name]))


@pytest.mark.parametrize("callback", [lambda response: None, Spider().parse, print, [].append, str.upper])
def test_other_callables_are_carried(codec: Codec, callback: Any) -> None:
    assert not can_store(codec, Request("http://a/", callback))
    assert not can_store(codec, Request("http://a/", errback=callback))


def test_a_method_that_is_overridden_or_inherited_is_stored_by_its_name() -> None:
    class Child(Spider):
        def parse(self, response: Any) -> None: ...

    spider = Child()
    codec = Codec(spider)
    for callback in (spider.parse, spider.parse_book):
        assert round_trip(codec, Request("http://a/", callback)).callback == callback
    assert not can_store(codec, Request("http://a/", super(Child, spider).parse))
