"""How is an item copied, so that it stays what it was?

A copy has containers and item objects of its own, whatever they hold, and shares what cannot change. What is
neither is given to ``other``: an item on its way to a stage keeps such an object, since a stage may want it;
one on its way to the feeds must not (``crawler.engine.items.pipelines``).

The containers are taken apart in C and without the methods of subclasses where that is possible; what an
object of the user's raises all the same, the caller gets.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import NoneType
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from itemadapter import ItemAdapter

T = TypeVar("T")
Several: TypeAlias = set[Any] | frozenset[Any] | deque[Any]

DEEPEST = 100
"""Containers nested deeper than this are given to ``other``: readers of JSON give up soon after it."""

FIXED = frozenset(
    {NoneType, bool, int, float, complex, str, bytes, datetime.date, datetime.timedelta, Decimal, Fraction, UUID}
    | {type(Path()), PurePosixPath}
)
"""The types whose values never change and run no code of the user's."""

Other = Callable[[Any, int], Any]
"""Called with a value that is neither fixed nor a container, and how deep it lies."""


def as_it_is(value: T, depth: int) -> T:
    """Keep an object that nobody here knows how to copy."""
    return value


def copied(value: T, other: Other = as_it_is, depth: int = 0) -> T:
    """Return a copy of an item or of a value in one; raises what the user's objects raise."""
    kind = type(value)
    if kind in FIXED:
        return value
    make = _maker(kind) if depth <= DEEPEST else None  # type: ignore[arg-type]  # a class is hashable
    made: T = other(value, depth) if make is None else make(value, other, depth + 1)
    return made


def _dict(value: dict[Any, Any], other: Other, depth: int) -> dict[Any, Any]:
    for key, each in dict.items(value):
        if type(each) not in FIXED or type(key) is not str:
            break
    else:
        return dict.copy(value)
    return {
        key if type(key) is str else copied(key, other, depth): (
            each if type(each) in FIXED else copied(each, other, depth)
        )
        for key, each in dict.items(value)
    }


def _list(value: list[Any], other: Other, depth: int) -> list[Any]:
    return [each if type(each) in FIXED else copied(each, other, depth) for each in value]


@lru_cache(maxsize=1000)  # not for ever: a callback may make classes
def _maker(kind: type) -> Callable[[Any, Other, int], Any] | None:
    """Return how objects of this class are copied; None for one that is neither container nor item."""
    if kind is dict:
        return _dict
    if kind is list:
        return _list
    if kind in (tuple, set, frozenset):
        return lambda value, other, depth: kind(copied(each, other, depth) for each in value)
    if kind is bytearray:
        return lambda value, other, depth: bytearray(value)
    if kind is deque:
        return lambda value, other, depth: deque((copied(each, other, depth) for each in value), value.maxlen)
    if issubclass(kind, tuple):  # a named one
        return _derived_tuple
    for base, made in ((dict, _derived_dict), (list, _derived_list), (set | frozenset | deque, _derived_others)):
        if issubclass(kind, base):
            return made
    names = _field_names(kind)
    if names is not None:
        return lambda value, other, depth: _of_fields(value, names, other, depth)
    if ItemAdapter.is_item_class(kind):  # a mapping whose insides nobody knows
        return lambda value, other, depth: copy.deepcopy(value)
    return None


# Objects of derived classes keep their class as long as a stage may see them. Those that are a mere value in
# an item are of the plain type in the end, whose methods are not the user's.


def _derived_dict(value: dict[Any, Any], other: Other, depth: int) -> dict[Any, Any]:
    if other is not as_it_is and depth > 1:
        return _dict(value, other, depth)
    made = _shallow(value)
    for key, each in dict.items(made):
        if type(each) not in FIXED:
            dict.__setitem__(made, key, copied(each, other, depth))
    return made


def _derived_list(value: list[Any], other: Other, depth: int) -> list[Any]:
    elements = [copied(each, other, depth) for each in list.__iter__(value)]
    if other is not as_it_is:
        return elements
    made = _shallow(value)
    list.__setitem__(made, slice(None), elements)
    return made


def _derived_tuple(value: tuple[Any, ...], other: Other, depth: int) -> tuple[Any, ...]:
    kind = type(value) if other is as_it_is else tuple
    return tuple.__new__(kind, [copied(each, other, depth) for each in tuple.__iter__(value)])


def _derived_others(value: Several, other: Other, depth: int) -> Several:
    if other is as_it_is:
        return _shallow(value)
    base: type[Any] = next(base for base in (set, frozenset, deque) if isinstance(value, base))
    made: Several = base(copied(each, other, depth) for each in base.__iter__(value))
    return made


def _shallow(value: T) -> T:
    made = copy.copy(value)
    if made is value and not isinstance(value, frozenset):
        raise TypeError(f"a copy of the {type(value).__name__} is the very object")
    return made


def _field_names(kind: type) -> list[str] | None:
    """Return the fields of a class of items (the kinds of itemadapter, and msgspec.Struct); None if it is none."""
    if issubclass(kind, msgspec.Struct):
        return list(kind.__struct_fields__)
    if (kept := getattr(kind, "__kept_in__", None)) is not None:  # a mapping that says where its insides are
        return list(kept)
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    attributes = getattr(kind, "__attrs_attrs__", None)
    if attributes is not None:
        return [attribute.name for attribute in attributes]
    if hasattr(kind, "model_fields") and hasattr(kind, "model_construct"):  # pydantic's, all in its __dict__
        return []
    return None


def _of_fields(value: T, names: list[str], other: Other, depth: int) -> T:
    made = _shallow(value)
    # A frozen class refuses any other way to set a field.
    put: Callable[..., None] = msgspec.structs.force_setattr if isinstance(made, msgspec.Struct) else object.__setattr__
    for name in names or vars(made):
        each = getattr(made, name, msgspec.UNSET)  # one that was never set, or deleted
        if each is not msgspec.UNSET and type(each) not in FIXED:
            put(made, name, copied(each, other, depth))
    more = getattr(made, "__pydantic_extra__", None)  # what a model does not declare
    if more:
        put(made, "__pydantic_extra__", copied(more, other, depth))
    return made
