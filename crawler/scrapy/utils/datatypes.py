"""Which containers does Scrapy have of its own?"""

from __future__ import annotations

from collections import OrderedDict, UserDict
from collections.abc import Container
from typing import Any, Self


class CaseInsensitiveDict(UserDict[Any, Any]):
    """A dict whose keys are found however they are written; one is kept as it was written last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._keys: dict[Any, Any] = {}
        super().__init__(*args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self._keys[key.lower()])

    def __setitem__(self, key: Any, value: Any) -> None:
        if key in self:
            del self[key]
        super().__setitem__(key, value)
        self._keys[key.lower()] = key

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(self._keys.pop(key.lower()))

    def __contains__(self, key: Any) -> bool:
        return key.lower() in self._keys

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc]  # as dict has it
        self.update(other)
        return self

    def __copy__(self) -> Self:
        return type(self)(self.data)

    copy = __copy__


class SequenceExclude:
    """What contains all that a sequence does not."""

    def __init__(self, seq: Container[Any]) -> None:
        self.seq = seq

    def __contains__(self, item: Any) -> bool:
        return item not in self.seq


class LocalCache(OrderedDict[Any, Any]):
    """A dict of at most ``limit`` entries; the oldest goes first."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self.limit = limit

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        while self.limit is not None and len(self) > self.limit:
            self.popitem(last=False)
