"""Which containers does Scrapy have of its own?"""

from __future__ import annotations

import weakref
from collections import OrderedDict, UserDict
from collections.abc import Container
from typing import Any, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class CaseInsensitiveDict(UserDict[Any, Any]):
    """A dict whose keys are found however they are written; one is kept as it was written last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._keys: dict[Any, Any] = {}
        super().__init__(*args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self._keys[self._normkey(key).lower()])

    def __setitem__(self, key: Any, value: Any) -> None:
        key = self._normkey(key)
        if key in self:
            del self[key]
        super().__setitem__(key, self._normvalue(value))
        self._keys[key.lower()] = key

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(self._keys.pop(self._normkey(key).lower()))

    def __contains__(self, key: Any) -> bool:
        return self._normkey(key).lower() in self._keys

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {super().__repr__()}>"

    def __copy__(self) -> Self:
        made = type(self)()
        made.data, made._keys = self.data.copy(), self._keys.copy()
        return made

    copy = __copy__

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc]  # as dict has it
        self.update(other)
        return self

    def _normkey(self, key: Any) -> Any:
        return key

    def _normvalue(self, value: Any) -> Any:
        return value


class LocalCache(OrderedDict[K, V]):
    """A dict of at most ``limit`` entries; the oldest goes first."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self.limit = limit

    def __setitem__(self, key: K, value: V) -> None:
        if self.limit == 0:
            return
        while self.limit is not None and key not in self and len(self) >= self.limit:
            self.popitem(last=False)
        super().__setitem__(key, value)


class LocalWeakReferencedCache(weakref.WeakKeyDictionary[Any, Any]):
    """A LocalCache that keeps no key alive; a key that cannot be weakly referred to is not kept."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self.data: LocalCache[Any, Any] = LocalCache(limit)

    def __setitem__(self, key: Any, value: Any) -> None:
        try:
            super().__setitem__(key, value)
        except TypeError:
            pass  # a key of such a type is not kept

    def __getitem__(self, key: Any) -> Any:
        try:
            return super().__getitem__(key)
        except (TypeError, KeyError):
            return None


class SequenceExclude:
    """What contains all that a sequence does not."""

    def __init__(self, seq: Container[Any]) -> None:
        self.seq = seq

    def __contains__(self, item: Any) -> bool:
        return item not in self.seq
