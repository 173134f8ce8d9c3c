"""What does a browser make of the value that a page gives an input?

The value sanitization algorithms of https://html.spec.whatwg.org/multipage/input.html, by type: a text has no
line ends, a number that is none is empty, a range and a colour always have a value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from typing import Protocol

TYPES = frozenset(
    (
        *("hidden", "text", "search", "tel", "url", "email", "password", "date", "month", "week", "time"),
        *("datetime-local", "number", "range", "color", "checkbox", "radio", "file", "submit", "image", "reset"),
        "button",
    )
)

_SPACE = "\t\n\f\r "
_LINE_ENDS = {ord("\n"): None, ord("\r"): None}
_FLOAT = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII).fullmatch
_COLOR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII).fullmatch
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII).fullmatch
_WEEK = re.compile(r"\d{4}-W(?:0[1-9]|[1-4]\d|5[0-3])", re.ASCII).fullmatch
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d{1,3})?))?", re.ASCII).fullmatch


class Attributes(Protocol):
    """The attributes of an input: an element, or a dict."""

    def get(self, name: str, /) -> str | None: ...


def sanitized(kind: str, value: str | None, attributes: Attributes) -> str:
    """Return the value with which an input of a type is sent; ``value`` None: it has no such attribute."""
    rule = _RULES.get(kind)
    return (value or "") if rule is None else rule(value or "", attributes)


def _email(value: str, attributes: Attributes) -> str:
    value = value.translate(_LINE_ENDS)
    addresses = value.split(",") if attributes.get("multiple") is not None else [value]
    return ",".join(address.strip(_SPACE) for address in addresses)


def _float(text: str | None) -> float | None:
    if not text or not _FLOAT(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _range(value: str, attributes: Attributes) -> str:
    """Return the nearest number that the slider can show; without a value it stands in the middle."""
    low, high = _float(attributes.get("min")) or 0.0, _float(attributes.get("max"))
    high = max(low, 100.0 if high is None else high)
    given = _float(value)
    number = min(max(low + (high - low) / 2 if given is None else given, low), high)
    step = _float(attributes.get("step")) or 1.0
    if (attributes.get("step") or "").lower() != "any":
        step = step if step > 0 else 1.0
        base = low if _float(attributes.get("min")) is not None else (given or 0.0)
        steps = (number - base) / step
        if abs(steps - round(steps)) > 1e-9:
            number = base + math.floor(steps + 0.5) * step
            number = number - step if number > high else number + step if number < low else number
    if given is not None and number == given:
        return value
    return f"{number:.15g}"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _moment(value: str, _: Attributes) -> str:
    found = _TIME(value[11:])
    if found is None or value[10] not in "T " or not _is_date(value[:10]):
        return ""
    hour, minute, second = found.groups()
    second = (second or "").rstrip("0").rstrip(".") if "." in (second or "") else second
    return f"{value[:10]}T{hour}:{minute}" + (f":{second}" if second and second != "00" else "")


_RULES: dict[str, Callable[[str, Attributes], str]] = {
    **dict.fromkeys(("text", "search", "tel", "password"), lambda value, _: value.translate(_LINE_ENDS)),
    "url": lambda value, _: value.translate(_LINE_ENDS).strip(_SPACE),
    "email": _email,
    "number": lambda value, _: value if _float(value) is not None else "",
    "range": _range,
    "color": lambda value, _: value.lower() if _COLOR(value) else "#000000",
    "date": lambda value, _: value if _is_date(value) else "",
    "month": lambda value, _: value if _MONTH(value) else "",
    "week": lambda value, _: value if _WEEK(value) else "",
    "time": lambda value, _: value if _TIME(value) else "",
    "datetime-local": _moment,
}
