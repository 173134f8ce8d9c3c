"""How does a text from the command line become a typed value, and is a Python value of the type?

Texts go through the small parser here, with our messages; msgspec then validates types and bounds.
The grammar: whole numbers may have underscores; true/false, yes/no, on/off, 1/0; ``none`` where None
is accepted; lists are comma-separated, or JSON when they begin with ``[``; dictionaries are JSON.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from crawler.config.kinds import Kind, Value, bare, choices, expectation, is_enum, is_optional, members
from crawler.config.nearest import did_you_mean
from crawler.model.masking import masked

_WHOLE = re.compile(r"[+-]?[0-9][0-9_]*", re.ASCII)
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_NONE = {"none", "null"}
# Texts are tried as the most demanding member of a union first: "a | str" would else always be str.
_ORDER: dict[Any, int] = {
    bool: 1,
    int: 2,
    float: 3,
    Decimal: 3,
    datetime: 4,
    date: 5,
    dict: 6,
    list: 7,
    Path: 8,
    str: 9,
}


class WrongValue(ValueError):
    """The value is not of the type; the message says what would be: ``expected …, got …``."""


def parse_text(text: str, kind: Kind) -> Value:
    """Turn a text into a value of the annotated type.

    Raises WrongValue, whose message names what was expected, what came, and the nearest right word.
    """
    if is_optional(kind) and text.strip().lower() in _NONE:
        return None
    candidates = [member for member in members(kind) if bare(member)[0] not in (None, type(None))]
    for member in sorted(candidates, key=_rank):
        try:
            return check(_parse_one(text, bare(member)[0]), member)
        except (ValueError, TypeError, InvalidOperation):
            continue
    hint = did_you_mean(text, [choice for member in candidates for choice in choices(member)])
    raise WrongValue(f"expected {expectation(kind)}, got {shorten(text)}{hint}")


def check(value: Value, kind: Kind) -> Value:
    """Return a Python value as the annotated type has it (an int for a float, a list for a tuple, …).

    What is no truth value is taken for one where only that fits: 1, 0, and the words of the command line.
    Raises WrongValue. Infinity and NaN are refused wherever they hide.
    """
    for member in members(kind):
        inner, _ = bare(member)
        candidate = value
        if is_enum(inner) and isinstance(value, inner):
            return value
        if isinstance(value, os.PathLike) and inner is str:
            candidate = os.fspath(value)
        elif isinstance(value, str) and inner is Path:
            candidate = Path(value)
        elif isinstance(value, dict) and get_args(inner)[:1] == (str,):
            candidate = {os.fspath(key) if isinstance(key, os.PathLike) else key: value[key] for key in value}
        try:
            converted: Value = msgspec.convert(candidate, type(None) if member is None else member)
        except (msgspec.ValidationError, TypeError):
            continue
        if _finite(converted):
            return converted
    if any(bare(member)[0] is bool for member in members(kind)) and isinstance(value, (int, str)):
        with suppress(WrongValue):
            return _truth(str(value))
    hint = ""
    if isinstance(value, str):
        hint = did_you_mean(value, [choice for member in members(kind) for choice in choices(member)])
    raise WrongValue(f"expected {expectation(kind)}, got {shorten(value)}{hint}")


def shorten(value: Value, limit: int = 60) -> str:
    """Return the value as it is shown in a message: quoted, printable and not long."""
    shown = masked(ascii(value) if not isinstance(value, str) or not value.isprintable() else f'"{value}"')
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def parse_any(text: str) -> Value:
    """Read a text whose type is not told: JSON where it looks like JSON, ``none``, else the text."""
    stripped = text.strip()
    if stripped.lower() in _NONE:
        return None
    if stripped[:1] in ("[", "{", '"') or stripped in ("true", "false") or _WHOLE.fullmatch(stripped):
        try:
            decoded: Value = msgspec.json.decode(stripped)
            return decoded
        except msgspec.DecodeError:
            return text
    return text


def _rank(member: Kind) -> int:
    inner, _ = bare(member)
    return 0 if choices(member) else _ORDER.get(get_origin(inner) or inner, 10)


def _parse_one(text: str, inner: type[Any]) -> Value:
    origin = get_origin(inner) or inner
    if origin is Literal:
        return _choose(text, {str(choice): choice for choice in get_args(inner)})
    if is_enum(inner):
        words = {str(member.value): member for member in inner}
        return _choose(text, words | {member.name: member for member in inner})
    if origin in (list, tuple, set, frozenset):
        return origin(_list(text, get_args(inner)))
    if origin is dict:
        decoded = msgspec.json.decode(text)
        if not isinstance(decoded, dict):
            raise WrongValue("not an object")
        return decoded
    parser = _PARSERS.get(inner)
    return parser(text) if parser is not None else text


def _choose(text: str, words: Mapping[str, Value]) -> Value:
    if text in words:
        return words[text]
    folded = {word.casefold(): value for word, value in words.items()}
    if len(folded) == len(words) and text.casefold() in folded:
        return folded[text.casefold()]
    raise WrongValue("no such choice")


def _list(text: str, arguments: Iterable[Any]) -> list[Any]:
    if text.lstrip().startswith("["):
        decoded = msgspec.json.decode(text)
        return list(decoded)
    kinds = [kind for kind in arguments if kind is not ...] or [str]
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    return [parse_text(part, kinds[min(place, len(kinds) - 1)]) for place, part in enumerate(parts)]


def _whole(text: str) -> int:
    if _WHOLE.fullmatch(text.strip()) is None:
        raise WrongValue("not a whole number")
    return int(text)


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise WrongValue("neither true nor false")
    return word in _TRUE


def _finite(value: Value) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Decimal):
        return value.is_finite()
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_finite, value))
    return all(map(_finite, value.values())) if isinstance(value, dict) else True


_PARSERS: dict[Any, Callable[[str], Any]] = {
    int: _whole,
    float: float,
    Decimal: Decimal,
    bool: _truth,
    Path: Path,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    bytes: str.encode,
    Any: parse_any,
}
