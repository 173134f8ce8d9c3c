"""How does itemadapter come to know items of msgspec.Struct? By importing this module."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, KeysView
from typing import Any, cast

from itemadapter import ItemAdapter
from itemadapter.adapter import AdapterInterface
from msgspec import UNSET, Struct


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
