"""What is a type called when we speak to the user, and what does it accept?

The types of settings and spider arguments are Python annotations; this module takes them apart and
puts them into words. Bounds come from ``msgspec.Meta`` in an ``Annotated``.
"""

from __future__ import annotations

import datetime
import types
from collections.abc import Callable, Collection
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeGuard, Union, get_args, get_origin

from msgspec import Meta

Kind: TypeAlias = type[Any] | types.UnionType | None
"""An annotation, as typing has it."""

Value: TypeAlias = (
    "float | str | bytes | Decimal | datetime.date | PurePath | Enum | Callable[..., Any] | Collection[Value] | None"
)
"""What a setting or an argument holds: plain values, classes and functions, and lists and dictionaries of these."""

_WORDS: dict[Any, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    Decimal: ("a decimal number", "decimal numbers"),
    bool: ("true or false", "true or false"),
    str: ("text", "texts"),
    bytes: ("bytes", "bytes"),
    Path: ("a path", "paths"),
    datetime.date: ("a date like 2026-01-31", "dates like 2026-01-31"),
    datetime.datetime: ("a time like 2026-01-31T12:00:00", "times like 2026-01-31T12:00:00"),
    type(None): ("none", "none"),
    Any: ("a value", "values"),
}


def bare(kind: Kind) -> tuple[Any, tuple[Meta, ...]]:
    """Return the type without its ``Annotated`` and the bounds found there."""
    metas: tuple[Meta, ...] = ()
    while get_origin(kind) is Annotated:
        kind, *extras = get_args(kind)
        metas += tuple(extra for extra in extras if isinstance(extra, Meta))
    return kind, metas


def members(kind: Kind) -> tuple[Any, ...]:
    """Return the members of a union, or the type itself as the only one."""
    inner, _ = bare(kind)
    if get_origin(inner) in (Union, types.UnionType):
        return tuple(member for part in get_args(inner) for member in members(part))
    return (kind,)


def is_optional(kind: Kind) -> bool:
    """Tell whether None is among the accepted values."""
    return any(bare(member)[0] in (None, type(None)) for member in members(kind))


def is_class_variable(kind: Kind) -> bool:
    """Tell whether the annotation says that the attribute is not to be set per instance."""
    return ClassVar in (kind, get_origin(kind))


def is_enum(kind: Kind) -> TypeGuard[type[Enum]]:
    """Tell whether the type is an Enum."""
    return isinstance(kind, type) and issubclass(kind, Enum)


def choices(kind: Kind) -> list[str]:
    """Return the words that a Literal or an Enum accepts; empty for other types."""
    inner, _ = bare(kind)
    if get_origin(inner) is Literal:
        return [str(choice) for choice in get_args(inner)]
    return [member.name for member in inner] if is_enum(inner) else []


def expectation(kind: Kind, *, plural: bool = False) -> str:
    """Return what is accepted, in words: "a whole number, 1 or more"."""
    parts = members(kind)
    if len(parts) > 1:
        return " or ".join(expectation(part, plural=plural) for part in parts)
    inner, metas = bare(kind)
    inner = type(None) if inner is None else inner
    origin, arguments = get_origin(inner), get_args(inner)
    if words := choices(inner):
        return f"{'words among' if plural else 'one of'} " + ", ".join(words)
    if inner in _WORDS:
        return _WORDS[inner][plural] + _bounds(metas)
    if (origin or inner) in (list, tuple, set, frozenset):
        of = expectation(arguments[0], plural=True) if arguments else "values"
        return f"{'lists' if plural else 'a list'} of {of}"
    if (origin or inner) is dict:
        of = f" of {expectation(arguments[1], plural=True)}" if arguments and arguments[1] is not Any else ""
        return ("JSON objects" if plural else "a JSON object") + of
    return f"{'values' if plural else 'a value'} of type {type_name(inner)}"


def type_name(kind: Kind) -> str:
    """Return the type as one writes it: ``list[int] | None``."""
    parts = members(kind)
    if len(parts) > 1:
        return " | ".join(type_name(part) for part in parts)
    inner, _ = bare(kind)
    if inner in (None, type(None)):
        return "None"
    if inner is Any:
        return "any"
    origin, arguments = get_origin(inner), get_args(inner)
    if origin is Literal:
        return " | ".join(f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in arguments)
    if origin is not None and arguments:
        return f"{type_name(origin)}[{', '.join('…' if part is ... else type_name(part) for part in arguments)}]"
    return getattr(inner, "__name__", str(inner))


def _bounds(metas: tuple[Meta, ...]) -> str:
    least = next((meta.ge for meta in metas if meta.ge is not None), None)
    most = next((meta.le for meta in metas if meta.le is not None), None)
    # The far upper bounds only keep infinity out; nobody needs to be told of them.
    near = most is not None and most < 1e9
    if least is not None and near:
        return f" from {least:g} to {most:g}"
    if least is not None:
        return f", {least:g} or more"
    return f", {most:g} or less" if near else ""
