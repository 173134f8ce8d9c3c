"""Which header fields does a message carry, whatever the case of their names?

The fields are kept as one list in wire order; an index by lower-case name is built on the first look-up
and dropped on change. A response's headers that nobody asks for cost one object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar, overload

from crawler.model.invalid import InvalidRequest

Text: TypeAlias = str | bytes
Value: TypeAlias = str | bytes | int | Iterable[str | bytes | int] | None
RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
GivenHeaders: TypeAlias = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
"""Names and values as somebody gives them; they are checked."""
Other = TypeVar("Other")

# RFC 9110 §5.6.2: a field name is a token.
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
# RFC 9110 §5.5: these in a field value are invalid and dangerous.
_FORBIDDEN = re.compile(rb"[\r\n\0]").search


@lru_cache(maxsize=512)
def _key(name: Text) -> bytes:
    """Return the form under which a name is looked up."""
    return (name.encode("utf-8") if isinstance(name, str) else name).lower()


@lru_cache(maxsize=512)
def checked_name(name: Text) -> bytes:
    """Return a name as it goes on the wire; raises InvalidRequest unless it is a token."""
    if not isinstance(name, str | bytes):
        raise InvalidRequest(f"header name must be str or bytes, got {type(name).__name__}: {name!r}")
    raw = name.encode("utf-8") if isinstance(name, str) else name
    if not _TOKEN(raw):
        raise InvalidRequest(f"header name {name!r} is no token: use letters, digits and !#$%&'*+-.^_`|~ only")
    return raw


def _checked_value(name: bytes, given: Value) -> bytes:
    value: bytes
    if isinstance(given, bytes):
        value = given
    elif isinstance(given, str):
        value = given.encode("utf-8", "surrogateescape")
    elif isinstance(given, int):
        value = b"%d" % given
    else:
        raise InvalidRequest(f"header {name.decode()}: value must be str, bytes or int, got {type(given).__name__}")
    if _FORBIDDEN(value):
        raise InvalidRequest(f"header {name.decode()}: value contains CR, LF or NUL: {value[:80]!r}")
    return value.strip(b" \t")


def _checked_values(name: bytes, value: Value) -> list[bytes]:
    if value is None:
        return []
    if isinstance(value, str | bytes | int | Mapping) or not isinstance(value, Iterable):
        return [_checked_value(name, value)]
    return [_checked_value(name, each) for each in value]


class Headers(MutableMapping[Text, Any]):
    """A multi-map from names (any case) to byte values, with the meaning of Scrapy's Headers.

    ``headers[name]`` is the last value as bytes, ``getlist(name)`` all of them. Values may be set as
    str (sent as UTF-8), bytes, int, a list of these, or None: the name is then taken, so that no
    default fills it, but nothing is sent. Names and values that RFC 9110 §5 forbids raise
    InvalidRequest. Iteration gives names in Title-Case; ``raw()`` keeps spelling and order.
    """

    __slots__ = ("_index", "_raw", "_withheld")

    def __init__(self, raw: GivenHeaders | None = None) -> None:
        self._raw: RawHeaders = []
        self._index: dict[bytes, list[bytes]] | None = None
        self._withheld: frozenset[bytes] = frozenset()
        if raw.__class__ is Headers:
            self._raw = raw._raw.copy()
            self._withheld = raw._withheld
        elif raw:
            self._add_all(raw.items() if isinstance(raw, Mapping) else raw)

    @classmethod
    def from_raw(cls, raw: RawHeaders) -> Headers:
        """Wrap fields as they came from the wire, without checks or copies."""
        headers = cls.__new__(cls)
        headers._raw = raw
        headers._index = None
        headers._withheld = frozenset()
        return headers

    def raw(self) -> RawHeaders:
        """Return the fields in wire order with their original spelling."""
        return self._raw.copy()

    def copy(self) -> Headers:
        """Return headers of one's own."""
        return Headers(self)

    __copy__ = copy

    def _values(self) -> dict[bytes, list[bytes]]:
        index = self._index
        if index is None:
            index = {}
            for name, value in self._raw:
                index.setdefault(name.lower(), []).append(value)
            for key in self._withheld:
                index.setdefault(key, [])
            self._index = index
        return index

    def __getitem__(self, name: Text) -> bytes:
        values = self._values()[_key(name)]
        if not values:
            raise KeyError(name)
        return values[-1]

    @overload
    def get(self, name: Text) -> bytes | None: ...
    @overload
    def get(self, name: Text, default: Text) -> bytes: ...
    @overload
    def get(self, name: Text, default: Other) -> bytes | Other: ...
    def get(self, name: Text, default: Text | Other | None = None) -> bytes | Other | None:
        """Return the last value as bytes, or ``default`` (a str is encoded, as Scrapy does)."""
        values = (self._index or self._values()).get(_key(name))
        if values:
            return values[-1]
        return default.encode("utf-8") if isinstance(default, str) else default

    def getlist(self, name: Text, default: Value = None) -> list[bytes]:
        """Return all values in wire order."""
        values = (self._index or self._values()).get(_key(name))
        if values is None:
            return [] if default is None else _checked_values(_key(name), default)
        return values.copy()

    def text(self, name: Text, default: str | None = None) -> str | None:
        """Return the last value as str: UTF-8 where it is that, else ISO-8859-1 (RFC 9110 §5.5)."""
        values = (self._index or self._values()).get(_key(name))
        if not values:
            return default
        try:
            return values[-1].decode("utf-8")
        except UnicodeDecodeError:
            return values[-1].decode("latin-1")

    def __setitem__(self, name: Text, value: Value) -> None:
        wire = checked_name(name)
        fields = [(wire, each) for each in _checked_values(wire, value)]
        self._remove(_key(name), fields)
        if not fields:
            self._withheld |= {_key(name)}

    def _remove(self, key: bytes, instead: RawHeaders) -> bool:
        """Put ``instead`` where the first field of that name was, or at the end."""
        self._index = None
        found = [position for position, (name, _) in enumerate(self._raw) if name.lower() == key]
        for position in reversed(found):
            del self._raw[position]
        position = found[0] if found else len(self._raw)
        self._raw[position:position] = instead
        withheld = key in self._withheld
        self._withheld -= {key}
        return bool(found) or withheld

    def __delitem__(self, name: Text) -> None:
        if not self._remove(_key(name), []):
            raise KeyError(name)

    def append(self, name: Text, value: Value) -> None:
        """Add values and keep those there."""
        wire = checked_name(name)
        self._raw += [(wire, each) for each in _checked_values(wire, value)]
        self._withheld -= {_key(name)}
        self._index = None

    appendlist = append

    def setlist(self, name: Text, values: Iterable[str | bytes | int]) -> None:
        """Set all values of a name."""
        self[name] = values

    def setdefault(self, name: Text, default: Value = None) -> bytes | None:
        """Set a value unless the name has one or is withheld; return the value that holds."""
        if name not in self:
            self[name] = default
        return self.get(name)

    def fill(self, fields: RawHeaders) -> None:
        """Add the fields whose names are neither there nor withheld. They were checked before."""
        if not self._raw and not self._withheld:
            self._raw += fields
        else:
            taken = set(self._withheld)
            for name, _ in self._raw:
                taken.add(name.lower())
            for field in fields:
                if field[0].lower() not in taken:
                    self._raw.append(field)
        self._index = None

    def update(self, other: Any = (), /, **values: Value) -> None:
        """Set the names of ``other``; a name that comes twice in it keeps both values."""
        if isinstance(other, Mapping):
            other = other.items()
        if not self._raw and not self._withheld:
            self._add_all((*other, *values.items()))
            return
        given: dict[bytes, tuple[bytes, list[bytes]]] = {}
        for name, value in (*other, *values.items()):
            wire = checked_name(name)
            given.setdefault(_key(name), (wire, []))[1].extend(_checked_values(wire, value))
        for wire, checked in given.values():
            self[wire] = checked or None

    def _add_all(self, fields: Iterable[tuple[Any, Any]]) -> None:
        """Add to headers that were empty."""
        raw = []
        withheld: frozenset[bytes] = frozenset()
        for name, value in fields:
            wire = checked_name(name)
            if value.__class__ is str or value.__class__ is bytes:
                raw.append((wire, _checked_value(wire, value)))
            elif checked := _checked_values(wire, value):
                raw += [(wire, each) for each in checked]
            else:
                withheld |= {_key(name)}
        self._raw = raw
        self._withheld = withheld
        self._index = None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str | bytes) and _key(name) in self._values()

    def __iter__(self) -> Iterator[bytes]:
        return (key.title() for key in self._values())

    def __len__(self) -> int:
        return len(self._values())

    def items(self) -> list[tuple[bytes, list[bytes]]]:  # type: ignore[override]  # as Scrapy has it
        """Return pairs of Title-Case name and list of values."""
        return [(key.title(), values.copy()) for key, values in self._values().items()]

    def values(self) -> list[bytes | None]:  # type: ignore[override]  # as Scrapy has it
        """Return the last value of each name."""
        return [values[-1] if values else None for values in self._values().values()]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers):
            return self._values() == other._values()
        if isinstance(other, Mapping):
            try:
                return self == Headers(other)
            except InvalidRequest:
                return False
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # mutable

    def to_string(self) -> bytes:
        """Return the fields as they stand on the wire, without a final line end."""
        return b"\r\n".join(name + b": " + value for name, value in self._raw)

    def to_unicode_dict(self) -> dict[str, str]:
        """Return one str per name, several values joined by a comma (RFC 9110 §5.3)."""
        return {key.decode("latin-1"): b",".join(values).decode("utf-8", "replace") for key, values in self.items()}

    def __repr__(self) -> str:
        return f"Headers({self._raw!r})"
