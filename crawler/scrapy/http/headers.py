"""How are header fields kept where code written for Scrapy looks at them: as a dict of lists, by Title-Case names?

``dict(headers)`` gives the lists, ``headers[name]`` the last value (docs.scrapy.org, "Request objects"). It has the
native face, too, so that the engine reads it as it reads its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Self

from crawler.model.headers import Headers as NativeHeaders
from crawler.model.headers import RawHeaders, Text, checked_name

_FORBIDDEN = re.compile(rb"[\r\n\0]").search
_BREAKS = re.compile(rb"[\r\n\0]+")


@lru_cache(maxsize=512)
def _title(name: Text, encoding: str) -> bytes:
    title = name.title()
    return title.encode(encoding) if isinstance(title, str) else title


def _in_one_line(value: bytes) -> bytes:
    """Return a value with a space for each line break and the blanks beside it."""
    first, *others = _BREAKS.split(value)
    if not others:
        return value
    lines = [first.rstrip(b" \t"), *(line.strip(b" \t") for line in others[:-1]), others[-1].lstrip(b" \t")]
    return b" ".join(lines)


class Headers(dict[Any, Any]):
    """A dict from names in Title-Case to lists of bytes; any case, and str, is taken (Scrapy's Headers).

    A name whose list is empty is withheld: no default fills it. Raises InvalidRequest for a name that is no token,
    TypeError for a value that is neither text nor int. Line breaks in a value are sent as spaces, as by Scrapy.
    """

    encoding: str = "utf-8"

    def __init__(self, seq: Any = None, encoding: str = "utf-8") -> None:
        if encoding != "utf-8":
            self.encoding = encoding
        if seq:
            self.update(seq)

    @classmethod
    def of(cls, native: NativeHeaders) -> Self:
        """Return what native headers say."""
        headers = cls()
        for name, value in native.raw():
            dict.setdefault(headers, headers.normkey(name), []).append(value)
        for name in native._withheld:
            dict.setdefault(headers, headers.normkey(name), [])
        return headers

    def normkey(self, key: Text) -> bytes:
        """Return the name as it is kept."""
        return _title(key, self.encoding)

    def normvalue(self, value: Any) -> list[bytes]:
        """Return a value, or several, as they are kept."""
        if value is None:
            return []
        several = value if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]
        return [self._tobytes(each) for each in several]

    def _tobytes(self, x: Any) -> bytes:
        if isinstance(x, bytes):
            return x
        if isinstance(x, str | int):
            return str(x).encode(self.encoding)
        raise TypeError(f"Unsupported value type of a header: {type(x).__name__}, give str, bytes or int")

    def __getitem__(self, key: Text) -> bytes | None:
        values = dict.__getitem__(self, self.normkey(key))
        return values[-1] if values else None

    def __setitem__(self, key: Text, value: Any) -> None:
        dict.__setitem__(self, checked_name(self.normkey(key)), self.normvalue(value))

    def __delitem__(self, key: Text) -> None:
        dict.__delitem__(self, self.normkey(key))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str | bytes) and dict.__contains__(self, self.normkey(key))

    has_key = __contains__

    def get(self, key: Text, def_val: Any = None) -> Any:
        """Return the last value, or the default as bytes."""
        values = dict.get(self, self.normkey(key)) or (self.normvalue(def_val) if key not in self else None)
        return values[-1] if values else None

    def getlist(self, key: Text, def_val: Any = None) -> list[bytes]:
        """Return the list itself of a name's values."""
        values: list[bytes] | None = dict.get(self, self.normkey(key))
        return self.normvalue(def_val) if values is None else values

    def setlist(self, key: Text, list_: Iterable[Any]) -> None:
        """Set all values of a name."""
        self[key] = list_

    def setdefault(self, key: Text, def_val: Any = None) -> Any:
        """Set a name that is not there; return the list of what it has."""
        return dict.setdefault(self, checked_name(self.normkey(key)), self.normvalue(def_val))

    def setlistdefault(self, key: Text, default_list: Iterable[Any] = ()) -> Any:
        """Set all values of a name that is not there."""
        return self.setdefault(key, default_list)

    def appendlist(self, key: Text, value: Any) -> None:
        """Add values to those of a name."""
        values = self.getlist(key)
        values += self.normvalue(value)
        self[key] = values

    append = appendlist

    def pop(self, key: Text, *default: Any) -> Any:
        """Take a name out; return its list."""
        return dict.pop(self, self.normkey(key), *default)

    def update(self, seq: Any = (), /, **values: Any) -> None:
        """Set names; one that comes twice in ``seq`` keeps both values."""
        given: dict[bytes, list[bytes]] = {}
        for name, value in (*(seq.items() if isinstance(seq, Mapping) else seq), *values.items()):
            given.setdefault(checked_name(self.normkey(name)), []).extend(self.normvalue(value))
        dict.update(self, given)

    @classmethod
    def fromkeys(  # type: ignore[override]  # as Scrapy has it
        cls, keys: Iterable[Text], value: Any = None
    ) -> Self:
        """Return headers in which each name has this value."""
        return cls((key, value) for key in keys)

    def items(self) -> Iterator[tuple[bytes, list[bytes]]]:  # type: ignore[override]  # as Scrapy has it
        """Yield names and lists."""
        return ((key, self.getlist(key)) for key in self)

    def values(self) -> list[bytes | None]:  # type: ignore[override]  # as Scrapy has it
        """Return the last value of each name."""
        return [self[key] for key in self]

    def copy(self) -> Self:
        """Return headers of one's own."""
        return type(self)(self, self.encoding)

    __copy__ = copy

    def to_string(self) -> bytes:
        """Return the fields as lines, without a final line end."""
        return b"\r\n".join(name + b": " + value for name, values in self.items() for value in values)

    def to_unicode_dict(self) -> Any:
        """Return a CaseInsensitiveDict of one str per name, several values joined by a comma."""
        from crawler.scrapy.utils.datatypes import CaseInsensitiveDict

        joined = ((key, b",".join(values)) for key, values in self.items())
        return CaseInsensitiveDict((key.decode(self.encoding), text.decode(self.encoding)) for key, text in joined)

    def to_tuple_list(self) -> list[tuple[str, str]]:
        """Return (name, value) pairs of str."""
        return [(name.decode(self.encoding), value.decode(self.encoding)) for name, value in self.raw()]

    # What the engine asks its own headers for.

    def raw(self) -> RawHeaders:
        """Return the fields as they are sent."""
        fields = [(name, value) for name, values in dict.items(self) for value in values]
        if _FORBIDDEN(b"".join([value for _, value in fields])):
            return [(name, _in_one_line(value)) for name, value in fields]
        return fields

    @property
    def _withheld(self) -> frozenset[bytes]:
        return frozenset(name.lower() for name, values in dict.items(self) if not values)

    def fill(self, fields: RawHeaders) -> None:
        """Add the fields whose names are neither there nor withheld. They were checked before."""
        taken, encoding = set(self), self.encoding
        for name, value in fields:
            if (key := _title(name, encoding)) not in taken:
                dict.setdefault(self, key, []).append(value)

    def text(self, name: Text, default: str | None = None) -> str | None:
        """Return the last value as str: UTF-8 where it is that, else ISO-8859-1 (RFC 9110 §5.5)."""
        value: bytes | None = self.get(name)
        if value is None:
            return default
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
