"""How is a value shown? In one colour here, on a terminal, too."""

from __future__ import annotations

from pprint import pformat as _text
from typing import Any


def pformat(obj: Any, *args: Any, **kwargs: Any) -> str:
    """Return a value as text."""
    return _text(obj)


def pprint(obj: Any, *args: Any, **kwargs: Any) -> None:
    """Print a value."""
    print(_text(obj))
