"""Which fields does an object of an item class have, and how is it made from them again?

The kinds are itemadapter's: dataclass, attrs, pydantic, msgspec.Struct and mappings such as Item. An
object is made again without running its ``__init__`` or validators where the kind allows that, since
what comes back shall be what went in and not what a changed validator would make of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

import msgspec

from crawler.errors import StoreError


class CannotStore(StoreError):
    """A value has no stored form; the message names its type."""


class Shape(NamedTuple):
    """One item class: ``fields(object)`` to a dict and ``make(dict)`` back; ``plain`` is the item as a dict."""

    name: str
    fields: Callable[[Any], dict[str, Any]]
    make: Callable[[dict[str, Any]], Any]
    plain: Callable[[Any], dict[str, Any]]


def shape_of(cls: type, name: str) -> Shape | None:
    """Return how objects of the class are taken apart and made; None if it is of no known kind."""
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
        mapping: Any = cls
        return Shape(name, dict, lambda fields: mapping(fields), dict)
    return None


def _slots(cls: type, name: str, names: list[str]) -> Shape:
    missing = object()

    def fields(value: Any) -> dict[str, Any]:
        pairs = ((each, getattr(value, each, missing)) for each in names)
        return {each: part for each, part in pairs if part is not missing}

    def make(values: dict[str, Any]) -> Any:
        made: Any = object.__new__(cls)
        for each in names:
            if each in values:
                object.__setattr__(made, each, values[each])
        return made

    return Shape(name, fields, make, fields)


def _pydantic(cls: Any, name: str) -> Shape:
    def fields(value: Any) -> dict[str, Any]:
        return {"values": plain(value), "set": sorted(value.model_fields_set)}

    def make(parts: dict[str, Any]) -> Any:
        return cls.model_construct(_fields_set=set(parts["set"]), **parts["values"])

    def plain(value: Any) -> dict[str, Any]:
        # As dict(value) has it, which asks the model's own __iter__.
        return {**vars(value), **(getattr(value, "__pydantic_extra__", None) or {})}

    return Shape(name, fields, make, plain)
