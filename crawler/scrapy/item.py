"""How are items declared where a project was written for Scrapy?

A mapping of its own, no dict (docs.scrapy.org, "Items"). itemadapter comes to know it by this module.
"""

from __future__ import annotations

from abc import ABCMeta
from collections import deque
from collections.abc import Iterator, KeysView, MutableMapping
from copy import deepcopy
from pprint import pformat
from typing import Any, ClassVar, NoReturn, Self, cast

from itemadapter import ItemAdapter

from crawler.model.item import Declared, Field

__all__ = ["Field", "Item", "ItemMeta"]


class ItemMeta(ABCMeta):
    """Collects the fields of a class of items: those of its bases come first."""

    def __new__(mcs, name: str, bases: tuple[type, ...], attributes: dict[str, Any], **options: Any) -> ItemMeta:
        """Make a class whose fields are no attributes."""
        fields = {key: value for key, value in attributes.items() if isinstance(value, Field)}
        own = {key: value for key, value in attributes.items() if key not in fields}
        cls = super().__new__(mcs, name, bases, {**own, "_declared": {**own.get("fields", {}), **fields}}, **options)
        of_bases = [vars(base).get("_declared", {}) for base in reversed(cls.__mro__)]
        cls.fields = {key: field for declared in of_bases for key, field in declared.items()}  # type: ignore[attr-defined]
        return cls


class Item(MutableMapping[str, Any], metaclass=ItemMeta):
    """A mapping that takes only the fields its class declares; others raise KeyError (Scrapy's Item)."""

    fields: ClassVar[dict[str, Field]]
    __kept_in__ = ("_values",)  # so that what the engine copies is these, and not each object in them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._values: dict[str, Any] = {}
        if args or kwargs:
            for name, value in dict(*args, **kwargs).items():
                self[name] = value

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self.fields:
            raise KeyError(f"{type(self).__name__} does not support field: {key}")
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __getattr__(self, name: str) -> NoReturn:
        if name in self.fields:
            raise AttributeError(f"use item[{name!r}] to get a field's value")
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"use item[{name!r}] = {value!r} to set a field's value")
        super().__setattr__(name, value)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    __hash__ = object.__hash__

    def keys(self) -> KeysView[str]:
        """Return the names of the fields that have a value."""
        return self._values.keys()

    def __repr__(self) -> str:
        return pformat(dict(self))

    def copy(self) -> Self:
        """Return a shallow copy of the same class."""
        return type(self)(self)

    def deepcopy(self) -> Self:
        """Return a deep copy of the same class."""
        return deepcopy(self)


class _Adapter(Declared):
    """Tells itemadapter of the fields. They are in the order in which they were set."""

    classes = Item


cast(deque[Any], ItemAdapter.ADAPTER_CLASSES).appendleft(_Adapter)
