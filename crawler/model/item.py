"""How are items declared in Scrapy's way, with named fields, and how does itemadapter come to know the kinds of ours?

By importing this module: from then on objects of msgspec.Struct are items, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, KeysView, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, Self, TypeAlias, cast

from itemadapter import ItemAdapter
from itemadapter.adapter import AdapterInterface, DictAdapter
from msgspec import UNSET, Struct

Given: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]


class Field(dict[str, Any]):
    """The metadata of a field."""


class Item(dict[str, Any]):
    """A dict that takes only the fields its class declares; others raise KeyError.

        class Book(Item):
            title = Field()
            price = Field(serializer=str)

    Being a dict it works wherever a dict does; Scrapy's Item is a mapping of its own with the same face.
    """

    fields: ClassVar[dict[str, Field]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        fields: dict[str, Field] = {}
        for base in reversed(cls.__mro__):
            fields.update(vars(base).get("fields", {}))
            fields.update((name, value) for name, value in vars(base).items() if isinstance(value, Field))
        for name in [name for name, value in vars(cls).items() if isinstance(value, Field)]:
            delattr(cls, name)
        cls.fields = fields

    def __init__(self, *arguments: Given, **values: Any) -> None:
        super().__init__()
        self.update(*arguments, **values)

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self.fields:
            raise KeyError(f"{type(self).__name__} does not support field: {name}")
        super().__setitem__(name, value)

    def update(self, *arguments: Any, **values: Any) -> None:
        """Set several fields."""
        for name, value in dict(*arguments, **values).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Set a field that has no value."""
        if name not in self:
            self[name] = default
        return self[name]

    def __getattr__(self, name: str) -> NoReturn:
        if name in self.fields:
            raise AttributeError(f"use item[{name!r}] to get a field's value")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"use item[{name!r}] = {value!r} to set a field's value")
        super().__setattr__(name, value)

    def copy(self) -> Self:
        """Return a shallow copy of the same class."""
        return type(self)(self)

    def deepcopy(self) -> Self:
        """Return a deep copy of the same class."""
        return deepcopy(self)


class Declared(DictAdapter):
    """Tells itemadapter of the fields of ``classes``: serializers, processors and columns are found by it."""

    classes: ClassVar[type] = Item

    @classmethod
    def is_item(cls, item: Any) -> bool:
        return isinstance(item, cls.classes)

    @classmethod
    def is_item_class(cls, item_class: type) -> bool:
        return issubclass(item_class, cls.classes)

    @classmethod
    def get_field_meta_from_class(cls, item_class: type, field_name: str) -> MappingProxyType[str, Any]:
        fields: dict[str, Field] = item_class.fields  # type: ignore[attr-defined]  # it is an Item
        return MappingProxyType(fields[field_name])

    @classmethod
    def get_field_names_from_class(cls, item_class: type) -> list[str]:
        return list(item_class.fields)  # type: ignore[attr-defined]  # it is an Item

    def field_names(self) -> KeysView[str]:
        return KeysView(self.item.fields)


class _InOrder(Declared):
    """Has the fields in the order of the class, as feeds write them, whatever a callback set first."""

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.item.fields if name in self.item)


cast(deque[Any], ItemAdapter.ADAPTER_CLASSES).appendleft(_InOrder)  # before the one for plain dicts


class StructAdapter(AdapterInterface):
    """A Struct as a mapping of its fields; one that is UNSET is not there."""

    @classmethod
    def is_item_class(cls, item_class: type) -> bool:
        return issubclass(item_class, Struct)

    @classmethod
    def get_field_names_from_class(cls, item_class: type) -> list[str]:
        return list(item_class.__struct_fields__)  # type: ignore[attr-defined]  # it is a Struct

    def field_names(self) -> KeysView[str]:
        return KeysView(dict.fromkeys(self.item.__struct_fields__))

    def __getitem__(self, name: str) -> Any:
        value = getattr(self.item, name, UNSET) if name in self.item.__struct_fields__ else UNSET
        if value is UNSET:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self.item.__struct_fields__:
            raise KeyError(f"{type(self.item).__name__} does not support field: {name}")
        setattr(self.item, name, value)

    def __delitem__(self, name: str) -> None:
        raise KeyError(f"a field of {type(self.item).__name__} cannot be deleted: {name}")

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.item.__struct_fields__ if getattr(self.item, name, UNSET) is not UNSET)

    def __len__(self) -> int:
        return sum(1 for _ in self)


cast(deque[Any], ItemAdapter.ADAPTER_CLASSES).append(StructAdapter)
