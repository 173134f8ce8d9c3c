"""What does the commit get of an item, so that nothing the user's objects do can end it?

Whatever left the last stage is copied once more, into values that run no code of the user's when they are
stored or written: plain types, and item objects of them. All that an object does when it is looked at (an
iterator, a property, ``__str__``) it does here, where its error costs this item alone.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from os import PathLike, fspath
from typing import Any

from itemadapter import ItemAdapter

from crawler.engine.frames import message_of
from crawler.model.copied import DEEPEST, Other, as_it_is, copied

logger = logging.getLogger(__name__)

_warned: set[str] = set()
_REMEMBERED = 1000


class Unwritable(Exception):
    """An item holds what cannot be written; the message names the field."""


def plain(item: Any) -> Any:
    """Return the item with values of plain types alone; raises Unwritable."""
    try:
        made = copied(item, _plain)
        if type(made) is not dict:
            dict(ItemAdapter(made))  # the feeds will: its class may have methods of its own for it
    except BaseException as error:  # sys.exit(), too, is the end of this item and of nothing else
        raise Unwritable(_where(item, _plain)) from error
    return made


def own(item: Any) -> Any:
    """Return the copy that a stage may have; raises Unwritable."""
    try:
        return copied(item)
    except BaseException as error:
        raise Unwritable(_where(item, as_it_is)) from error


def _where(item: Any, other: Other) -> str:
    """Say which field is to blame."""
    try:
        for name, value in ItemAdapter(item).items():
            try:
                copied(value, other, 1)
            except BaseException as error:
                return f"the field {name!r:.60} ({type(value).__name__}) cannot be copied: {_said(error)}"
    except BaseException as error:
        return f"the {type(item).__name__} cannot be read: {_said(error)}"
    return f"the {type(item).__name__} was changed while it was read"


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {message_of(error)}"


def _plain(value: Any, depth: int) -> Any:
    """Return what stands for a value that is no container."""
    if isinstance(value, Enum):
        copied(value.value, _plain, depth)
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, datetime.datetime | datetime.time | datetime.date):
        text = value.isoformat()  # asks the time zone, which may be the user's
        if type(value) in (datetime.datetime, datetime.time):
            return value
        return (datetime.datetime if isinstance(value, datetime.datetime) else datetime.date).fromisoformat(text)
    if isinstance(value, PathLike):
        path = fspath(value)
        return path if isinstance(path, str) else path.decode(errors="replace")
    if depth <= DEEPEST:
        if isinstance(value, Mapping):
            return copied(dict(value), _plain, depth)
        if isinstance(value, Iterable) and not isinstance(value, Iterator | type):
            return copied(list(value), _plain, depth)
    return _text(value)


def _text(value: Any) -> str:
    """Return str(value) of something that is no data, and warn of its type once."""
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    text = str.__str__(str(value))
    if name not in _warned and len(_warned) < _REMEMBERED:
        _warned.add(name)
        logger.warning("Values of type %s are written as text; was a .get() forgotten?", name)
    return text
