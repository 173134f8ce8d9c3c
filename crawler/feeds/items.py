"""Which fields has an item, whatever its type, and what does a feed make of them?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from itemadapter.adapter import ItemAdapter

from crawler.feeds.formats.base import Format
from crawler.feeds.values import sound, struct_fields, text_of
from crawler.model.copied import copied

logger = logging.getLogger(__name__)

T = TypeVar("T")
Serializer = Callable[[Any], Any]


class Declared(dict[str, Any]):
    """The fields that an item has; ``columns`` are all that its class declares, in that order."""

    __slots__ = ("columns",)

    def __init__(self, fields: Mapping[str, Any], columns: Sequence[str]) -> None:
        super().__init__(fields)
        self.columns = columns


@dataclass(frozen=True, slots=True)
class ItemTest:
    """Tells which items a feed writes: those of some classes (none named: of all), for which a function is true."""

    classes: tuple[type, ...]
    function: Callable[[Any], bool] | None

    def accepts(self, item: Any) -> bool:
        """Tell whether this one is written; raises whatever the function does."""
        if self.classes and not isinstance(item, self.classes):
            return False
        return self.function is None or bool(self.function(item))


class Fields:
    """Turns items (dict, dataclass, attrs, pydantic, msgspec.Struct, Item) into dicts of what is written.

    ``names`` maps field names to output names, in the order written; None: every field under its own name.
    ``wanted`` tells which items are written; one that it raises for is not, and joins ``lost``. ``empty``: a field that
    is named, or that the item's class declares, is written as None where the item does not have it.
    A field's ``serializer`` (metadata of Field, dataclass, attrs; docs.scrapy.org, "Item exporters") is applied.
    """

    def __init__(
        self,
        names: Mapping[str, str] | None = None,
        *,
        text_names: bool = False,
        wanted: ItemTest | None = None,
        empty: bool = False,
    ) -> None:
        self.names = dict(names) if names is not None else None
        self.lost: list[tuple[Any, BaseException]] = []
        self._text_names = text_names
        self._wanted = wanted
        self._empty = empty
        self._serializers: dict[type, dict[str, Serializer]] = {}

    def of(self, items: Sequence[Any]) -> list[dict[str, Any]]:
        """Return what is written of each item; plain dicts are passed through, not copied, if all is written."""
        if self._wanted is not None:
            items = [item for item in items if self._belongs(item)]
        names = self.names
        whole = [item if type(item) is dict else self._taken_apart(item) for item in items]
        if self._empty:
            whole = [_filled_up(item, fields, names) for item, fields in zip(items, whole, strict=True)]
        if self._text_names:
            whole = [item if _named_by_text(item) else {text_of(name): item[name] for name in item} for item in whole]
        if names is None:
            return whole
        return [{shown: item[name] for name, shown in names.items() if name in item} for item in whole]

    def _belongs(self, item: Any) -> bool:
        assert self._wanted is not None
        try:
            return self._wanted.accepts(item)
        except BaseException as error:  # the user's item_filter; sys.exit(), too, costs this item alone
            self.lost.append((item, error))
            return False

    def _taken_apart(self, item: Any) -> dict[str, Any]:
        if isinstance(item, msgspec.Struct):
            return struct_fields(item)
        if not ItemAdapter.is_item(item):
            if isinstance(item, Mapping):
                return dict(item)
            raise TypeError(f"{type(item).__name__} is no item: a dict, dataclass, attrs, pydantic or Struct object is")
        fields = dict(ItemAdapter(item))
        fields.update(getattr(item, "__pydantic_extra__", None) or {})
        for name, serializer in self._serializers_of(type(item)).items():
            if name in fields:
                fields[name] = self._serialized(serializer, name, fields[name])
        if isinstance(item, Mapping) and (columns := ItemAdapter.get_field_names_from_class(type(item))):
            return Declared(fields, columns)
        return fields

    def _serializers_of(self, kind: type) -> dict[str, Serializer]:
        found = self._serializers.get(kind)
        if found is None:
            found = {}
            for name in ItemAdapter.get_field_names_from_class(kind) or ():
                serializer = ItemAdapter.get_field_meta_from_class(kind, name).get("serializer")
                if callable(serializer):
                    found[name] = serializer
            self._serializers[kind] = found
        return found

    def _serialized(self, serializer: Serializer, name: str, value: T) -> T | Any:
        try:
            return copied(serializer(value), lambda odd, _: sound(odd))  # what it returns may raise as it may
        except BaseException:
            logger.exception("The serializer of field %r failed; the value is written without it", name)
            return value


@dataclass(frozen=True, slots=True)
class Shape:
    """Which items and fields are written, and in which format.

    ``name`` is what the job's marks call the format. ``store_empty``: there is an output even if no item comes.
    """

    form: Format
    fields: Fields
    name: str
    store_empty: bool = True


def _filled_up(item: Any, fields: dict[str, Any], names: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the fields with None for those that the item could have."""
    declared = item.__struct_encode_fields__ if isinstance(item, msgspec.Struct) else None
    columns = names or declared or ItemAdapter.get_field_names_from_class(type(item))
    return {**dict.fromkeys(columns), **fields} if columns else fields


def _named_by_text(item: dict[Any, Any]) -> bool:
    return all(type(name) is str and (name.isascii() or text_of(name) == name) for name in item)
