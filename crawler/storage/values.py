"""How does a Python value become bytes, and come back equal?

MessagePack (msgspec) carries None, bool, int, float, str, bytes, list and dict with str keys as they are;
what it would flatten or refuse (tuples, sets, dates, Decimal, big integers, lone surrogates, …) becomes a
tagged extension. Objects of classes come from a closed registry that the caller makes: data names an
entry of it, never a Python object to look up. Nothing here can run code that the data chose.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from msgspec.msgpack import Ext

from crawler.errors import StoreError
from crawler.storage import shapes
from crawler.storage.shapes import CannotStore, ItemObject, Shape

_INT_LEAST, _INT_MOST = -(2**63), 2**64 - 1
_encode = msgspec.msgpack.Encoder().encode
T = TypeVar("T")
Packed: TypeAlias = bool | int | float | str | bytes | Ext | Sequence["Packed"] | Mapping[str, "Packed"] | None
"""What MessagePack carries."""
Moment: TypeAlias = datetime.date | datetime.time | datetime.timedelta
Value: TypeAlias = (
    Packed | bytearray | complex | Decimal | Fraction | UUID | PurePath | Enum | Moment
    | Sequence["Value"] | Set["Value"] | Mapping[Any, "Value"] | ItemObject
)  # fmt: skip
"""What has a stored form; of a class's objects those whose class is registered."""

TUPLE, SET, FROZENSET, DICT, BIG_INT, SURROGATES, BYTEARRAY, DATETIME, DATE, TIME, TIMEDELTA = range(1, 12)
DECIMAL, UUID_, COMPLEX, FRACTION, PATH, ENUM, OBJECT = range(12, 19)


class Values:
    """Encodes and decodes values; ``classes`` are the item and Enum classes that may come and go.

    ``lenient`` at encoding: an instance of a subclass of dict, list, tuple, set or int that is not
    registered is kept as its base (enough for an item on its way to a feed); else it is refused.
    """

    def __init__(self, classes: Iterable[type] = ()) -> None:
        self._shapes: dict[type, Shape] = {}
        self._by_name: dict[str, Shape] = {}
        self._enums: dict[str, type[Enum]] = {}
        for cls in classes:
            self._register(cls)
        self._decoder = msgspec.msgpack.Decoder(ext_hook=self._from_ext)
        self._strict = dict(self._packers(lenient=False))
        self._lenient = dict(self._packers(lenient=True))

    def __repr__(self) -> str:
        return f"<Values with {len(self._by_name)} classes>"

    def encode(self, value: Value, *, lenient: bool = False) -> bytes:
        """Return the stored form; raises CannotStore."""
        try:
            return _encode(self._pack(value, lenient))
        except RecursionError:
            raise CannotStore("the value is nested too deeply, or contains itself") from None
        except UnicodeEncodeError:  # a lone surrogate in a place that was not looked at
            raise CannotStore("a text contains lone surrogates") from None

    def encode_plain(self, parts: list[Any], others: Sequence[int]) -> bytes:
        """Return the stored form of a list whose parts are plain, apart from those at the places ``others``.

        Plain is what MessagePack carries as it is; nothing is looked at but the others. Raises CannotStore.
        """
        try:
            for place in others:
                if place < len(parts) and parts[place] is not None:
                    parts[place] = self._pack(parts[place], False)
            return _encode(parts)
        except RecursionError:
            raise CannotStore("the value is nested too deeply, or contains itself") from None
        except UnicodeEncodeError:
            raise CannotStore("a text contains lone surrogates") from None

    def decode(self, data: bytes | memoryview) -> Any:
        """Return the value; raises StoreError if the bytes are no stored form or name an unknown class."""
        try:
            return self._decoder.decode(data)
        except StoreError:
            raise
        except (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
            raise StoreError(f"a stored value does not decode: {error}") from error

    def _register(self, cls: type) -> None:
        name = f"{cls.__module__}:{cls.__qualname__}"
        if issubclass(cls, Enum):
            self._enums[name] = cls
        else:
            shape = shapes.shape_of(cls, name)
            if shape is not None:
                self._shapes[cls] = self._by_name[name] = shape

    # To MessagePack

    def _pack(self, value: Value, lenient: bool) -> Packed:
        pack = (self._lenient if lenient else self._strict).get(value.__class__)
        if pack is not None:
            return pack(value)
        return self._pack_other(value, lenient)

    def _packers(self, *, lenient: bool) -> list[tuple[type, Callable[[Any], Packed]]]:
        pack = self._pack

        def inner(value: Iterable[Any]) -> bytes:
            return _encode([pack(each, lenient) for each in value])

        return [
            *((plain, _same) for plain in (type(None), bool, float, bytes)),
            (int, _pack_int),
            (str, _pack_str),
            (list, lambda value: [pack(each, lenient) for each in value]),
            (dict, lambda value: self._pack_dict(value, lenient)),
            (tuple, lambda value: Ext(TUPLE, inner(value))),
            (set, lambda value: Ext(SET, inner(value))),
            (frozenset, lambda value: Ext(FROZENSET, inner(value))),
            (bytearray, lambda value: Ext(BYTEARRAY, bytes(value))),
            (datetime.datetime, lambda value: Ext(DATETIME, _encode(shapes.datetime_parts(value)))),
            (datetime.date, lambda value: Ext(DATE, _encode([value.year, value.month, value.day]))),
            (datetime.time, lambda value: Ext(TIME, _encode(shapes.time_parts(value)))),
            (datetime.timedelta, lambda v: Ext(TIMEDELTA, _encode([v.days, v.seconds, v.microseconds]))),
            (Decimal, lambda value: Ext(DECIMAL, str(value).encode())),
            (UUID, lambda value: Ext(UUID_, value.bytes)),
            (complex, lambda value: Ext(COMPLEX, _encode([value.real, value.imag]))),
            (Fraction, lambda value: Ext(FRACTION, f"{value.numerator}/{value.denominator}".encode())),
            (type(Path()), lambda value: Ext(PATH, _encode([1, pack(str(value), lenient)]))),
            (PurePosixPath, lambda value: Ext(PATH, _encode([0, pack(str(value), lenient)]))),
        ]

    def _pack_dict(self, value: dict[Any, Any], lenient: bool) -> Packed:
        strict = self._lenient if lenient else self._strict
        packed = {}
        for key, each in value.items():
            if key.__class__ is not str or not (key.isascii() or _is_text(key)):
                flat = [self._pack(part, lenient) for pair in value.items() for part in pair]
                return Ext(DICT, _encode(flat))
            pack = strict.get(each.__class__)
            packed[key] = pack(each) if pack is not None else self._pack_other(each, lenient)
        return packed

    def _pack_other(self, value: Value, lenient: bool) -> Packed:
        """Pack what is of none of the plain types: registered classes, then (subclasses of) str, then bases."""
        cls = value.__class__
        shape = self._shapes.get(cls)
        if shape is not None:
            fields = {name: self._pack(each, lenient) for name, each in shape.fields(value).items()}
            return Ext(OBJECT, _encode([shape.name, fields]))
        if isinstance(value, Enum):
            name = f"{cls.__module__}:{cls.__qualname__}"
            if self._enums.get(name) is cls and value.name is not None:
                return Ext(ENUM, _encode([name, value.name]))
            if not lenient:
                raise CannotStore(f"no stored form for {cls.__qualname__}: its class is not registered")
            return self._pack(value.value, lenient)
        if isinstance(value, str):  # lxml's strings with a parent are such: equal as text
            return _pack_str(str.__str__(value))
        if lenient:
            plain = _plain(value)
            if plain is not None:
                return self._lenient[plain.__class__](plain)
        raise CannotStore(f"no stored form for {cls.__module__}.{cls.__qualname__}")

    # From MessagePack

    def _from_ext(self, code: int, data: memoryview) -> Value:
        if code in _FROM_BYTES:
            return _FROM_BYTES[code](bytes(data))
        inner = self._decoder.decode(data)
        if code in _FROM_LIST:
            return _FROM_LIST[code](inner)
        if code == ENUM:
            enum = self._enums.get(inner[0])
            if enum is None:
                raise StoreError(f"the stored class {inner[0]!r} is not known to this project any more")
            return enum[inner[1]]
        if code == OBJECT:
            shape = self._by_name.get(inner[0])
            if shape is None:
                raise StoreError(f"the stored class {inner[0]!r} is not known to this project any more")
            made: Value = shape.make(inner[1])
            return made
        raise StoreError(f"unknown tag {code} in a stored value")


def _plain(value: Value) -> Value:
    """Return the base of an unregistered object, or the fields of an item as a dict; None if it has neither."""
    bases: tuple[type[Any], ...] = (dict, list, tuple, set, frozenset, int, float, bytes)
    make: Callable[[Any], Value] | None = next((base for base in bases if isinstance(value, base)), None)
    if make is None and (shape := shapes.shape_of(type(value), "")) is not None:
        make = shape.plain
    return None if make is None else make(value)


def _same(value: T) -> T:
    return value


def _pack_int(value: int) -> int | Ext:
    if _INT_LEAST <= value <= _INT_MOST:
        return value
    size = value.bit_length() // 8 + 1
    return Ext(BIG_INT, value.to_bytes(size, "big", signed=True))


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pack_str(value: str) -> str | Ext:
    if value.isascii() or _is_text(value):
        return value
    return Ext(SURROGATES, value.encode("utf-8", "surrogatepass"))


def _make_dict(flat: list[Any]) -> dict[Any, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


_FROM_BYTES: dict[int, Callable[[bytes], Value]] = {
    BIG_INT: lambda data: int.from_bytes(data, "big", signed=True),
    SURROGATES: lambda data: data.decode("utf-8", "surrogatepass"),
    BYTEARRAY: bytearray,
    DECIMAL: lambda data: Decimal(data.decode()),
    UUID_: lambda data: UUID(bytes=data),
    FRACTION: lambda data: Fraction(data.decode()),
}

_FROM_LIST: dict[int, Callable[[Any], Value]] = {
    TUPLE: tuple,
    SET: set,
    FROZENSET: frozenset,
    DICT: _make_dict,
    DATETIME: shapes.make_datetime,
    DATE: lambda parts: datetime.date(*parts),
    TIME: shapes.make_time,
    TIMEDELTA: lambda parts: datetime.timedelta(*parts),
    COMPLEX: lambda parts: complex(*parts),
    PATH: lambda parts: Path(parts[1]) if parts[0] else PurePath(parts[1]),
}
