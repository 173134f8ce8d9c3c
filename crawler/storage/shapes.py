"""Which parts has an object of an item class, or a time, and how is it made from them again?

The kinds are itemadapter's: dataclass, attrs, pydantic, msgspec.Struct and mappings such as Item. An
object is made again without running its ``__init__`` or validators where the kind allows that, since
what comes back shall be what went in and not what a changed validator would make of it.
"""

from __future__ import annotations

import dataclasses
import datetime
import zoneinfo
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec

from crawler.errors import StoreError

T = TypeVar("T")


class CannotStore(StoreError):
    """A value has no stored form; the message names its type."""


class DataclassObject(Protocol):
    """An item of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Model(Protocol):
    """An item of a pydantic class."""

    model_fields_set: set[str]
    model_construct: ClassVar[Callable[..., Model]]


ItemObject: TypeAlias = msgspec.Struct | DataclassObject | Model | Mapping[str, Any]
"""An item, but for those of attrs, which have no type in common."""


class Shape(NamedTuple):
    """One item class: ``fields(object)`` to a dict and ``make(dict)`` back; ``plain`` is the item as a dict."""

    name: str
    fields: Callable[[Any], dict[str, Any]]
    make: Callable[[dict[str, Any]], Any]
    plain: Callable[[Any], dict[str, Any]]


def shape_of(cls: type[Any], name: str) -> Shape | None:
    """Return how objects of the class are taken apart and made; None if it is of no known kind."""
    make: Callable[[dict[str, Any]], Any] = cls
    if issubclass(cls, msgspec.Struct):
        return Shape(name, msgspec.structs.asdict, lambda fields: cls(**fields), msgspec.structs.asdict)
    if hasattr(cls, "model_fields") and hasattr(cls, "model_construct"):
        return _pydantic(cls, name)
    if dataclasses.is_dataclass(cls):
        return _slots(cls, name, [field.name for field in dataclasses.fields(cls)])
    attributes = getattr(cls, "__attrs_attrs__", None)
    if attributes is not None:
        return _slots(cls, name, [attribute.name for attribute in attributes])
    if issubclass(cls, MutableMapping) and cls.__module__ != "builtins":
        return Shape(name, dict, make, dict)
    return None


def _slots(cls: type[T], name: str, names: list[str]) -> Shape:
    missing = object()

    def fields(value: T) -> dict[str, Any]:
        pairs = ((each, getattr(value, each, missing)) for each in names)
        return {each: part for each, part in pairs if part is not missing}

    def make(values: dict[str, Any]) -> T:
        made = object.__new__(cls)
        for each in names:
            if each in values:
                object.__setattr__(made, each, values[each])
        return made

    return Shape(name, fields, make, fields)


def _pydantic(cls: type[Model], name: str) -> Shape:
    def fields(value: Model) -> dict[str, Any]:
        return {"values": plain(value), "set": sorted(value.model_fields_set)}

    def make(parts: dict[str, Any]) -> Model:
        return cls.model_construct(_fields_set=set(parts["set"]), **parts["values"])

    def plain(value: Model) -> dict[str, Any]:
        # As dict(value) has it, which asks the model's own __iter__.
        return {**vars(value), **(getattr(value, "__pydantic_extra__", None) or {})}

    return Shape(name, fields, make, plain)


def zone_parts(zone: datetime.tzinfo | None) -> str | list[int] | None:
    """Return a time zone as None, its name, or [days, seconds, microseconds]; raises CannotStore."""
    if zone is None:
        return None
    if type(zone) is datetime.timezone:
        offset = zone.utcoffset(None)
        return [offset.days, offset.seconds, offset.microseconds]
    if type(zone) is zoneinfo.ZoneInfo and zone.key:
        return zone.key
    raise CannotStore(f"no stored form for a time zone of {type(zone).__module__}.{type(zone).__qualname__}")


def _zone(parts: str | list[int] | None) -> datetime.tzinfo | None:
    if parts is None:
        return None
    return zoneinfo.ZoneInfo(parts) if isinstance(parts, str) else datetime.timezone(datetime.timedelta(*parts))


def datetime_parts(v: datetime.datetime) -> list[Any]:
    """Return [year, …, microsecond, fold, zone parts]; raises CannotStore for a zone of a foreign class."""
    zone = zone_parts(v.tzinfo)
    return [v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, v.fold, zone]


def time_parts(v: datetime.time) -> list[Any]:
    """Return [hour, minute, second, microsecond, fold, zone parts]; raises CannotStore for a foreign zone."""
    return [v.hour, v.minute, v.second, v.microsecond, v.fold, zone_parts(v.tzinfo)]


def make_datetime(parts: list[Any]) -> datetime.datetime:
    """Make the datetime of ``datetime_parts`` again; raises ValueError or TypeError for other parts."""
    year, month, day, hour, minute, second, microsecond, fold, zone = parts
    return datetime.datetime(year, month, day, hour, minute, second, microsecond, tzinfo=_zone(zone), fold=fold)


def make_time(parts: list[Any]) -> datetime.time:
    """Make the time of ``time_parts`` again; raises ValueError or TypeError for other parts."""
    hour, minute, second, microsecond, fold, zone = parts
    return datetime.time(hour, minute, second, microsecond, tzinfo=_zone(zone), fold=fold)
