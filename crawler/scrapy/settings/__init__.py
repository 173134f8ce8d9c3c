"""How does a Scrapy project read and change its settings?

Values with priorities, as docs.scrapy.org, "Settings", has them: a value replaces one of the same or a lower priority.
What they mean for the crawl is said in ``crawler.scrapy.names``.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pprint import pformat
from types import ModuleType
from typing import Any, Final, Self

from crawler.scrapy.names.reads import Reads
from crawler.scrapy.settings import default_settings
from crawler.scrapy.utils.misc import load_object

SETTINGS_PRIORITIES: dict[str, int] = {
    "default": 0, "command": 10, "addon": 15, "project": 20, "spider": 30, "cmdline": 40,
}  # fmt: skip
_NOT_GIVEN: Final = object()

Given = Mapping[str, Any] | Iterable[tuple[str, Any]] | str | None


def get_settings_priority(priority: int | str) -> int:
    """Return the number of a priority; raises KeyError for an unknown name."""
    return SETTINGS_PRIORITIES[priority] if isinstance(priority, str) else priority


logger = logging.getLogger(__name__)


class SettingsAttribute:
    """A value and its priority; that of settings in a setting is at least the highest of theirs."""

    def __init__(self, value: Any, priority: int) -> None:
        self.value = value
        self.priority = max(value.maxpriority(), priority) if isinstance(value, BaseSettings) else priority

    def set(self, value: Any, priority: int) -> None:
        """Take a value of the same or a higher priority."""
        if priority >= self.priority:
            nested = isinstance(self.value, BaseSettings) and not isinstance(value, list | tuple)
            self.value = BaseSettings(value, priority) if nested else value  # components were lists long ago
            self.priority = priority

    def __repr__(self) -> str:
        return f"<SettingsAttribute value={self.value!r} priority={self.priority}>"


class BaseSettings(Reads):
    """Names and values, each value with its priority; what is not there reads as None."""

    def __init__(self, values: Given = None, priority: int | str = "project") -> None:
        self.frozen = False
        self.attributes: dict[Any, SettingsAttribute] = {}
        if values:
            self.update(values, priority)

    def __getitem__(self, name: Any) -> Any:
        return self.attributes[name].value if name in self.attributes else None

    def __contains__(self, name: Any) -> bool:
        return name in self.attributes

    def __iter__(self) -> Iterator[Any]:
        return iter(self.attributes)

    def __len__(self) -> int:
        return len(self.attributes)

    # With those that have _BASE in their names

    def getwithbase(self, name: str) -> BaseSettings:
        """Return a setting that is a dictionary, over the one with _BASE in its name. Raises ValueError."""
        _check_name(name)
        both = BaseSettings()
        both.update(self[f"{name}_BASE"])
        both.update(self[name])
        return both

    def get_component_priority_dict_with_base(self, name: str) -> BaseSettings:
        """Return the same for components, each under its latest spelling, without those that are None."""
        _check_name(name)
        base: Mapping[Any, Any] = self[f"{name}_BASE"] or {}  # by paths, which are not loaded only to be known
        own: dict[Any, tuple[Any, Any]] = {}
        for key, number in (self[name] or {}).items():
            if (path := _path_of(key)) in own:
                logger.warning("%s has several keys for the same object, %s: the last one counts", name, path)
            own[path] = key, number
        both = {key: (key, number) for key, number in base.items()} | own
        return BaseSettings({key: number for key, number in both.values() if number is not None})

    def getpriority(self, name: Any) -> int | None:
        """Return the number of a setting's priority, None if it is not there."""
        return self.attributes[name].priority if name in self.attributes else None

    def maxpriority(self) -> int:
        """Return the highest priority of all."""
        return max((each.priority for each in self.attributes.values()), default=SETTINGS_PRIORITIES["default"])

    # Changing

    def __setitem__(self, name: Any, value: Any) -> None:
        self.set(name, value)

    def set(self, name: Any, value: Any, priority: int | str = "project") -> None:
        """Set one, unless it is set with a higher priority. Raises TypeError when frozen."""
        self._assert_mutability()
        number = get_settings_priority(priority)
        if name in self.attributes:
            self.attributes[name].set(value, number)
        else:
            self.attributes[name] = value if isinstance(value, SettingsAttribute) else SettingsAttribute(value, number)

    def setdefault(self, name: Any, default: Any = None, priority: int | str = "project") -> Any:
        """Set one unless it is there; return what is there then."""
        if name not in self:
            self.set(name, default, priority)
            return default
        return self[name]

    def update(self, values: Given, priority: int | str = "project") -> None:  # type: ignore[override]  # as Scrapy's
        """Set several: a mapping, pairs, or JSON of a dictionary; other settings keep their priorities."""
        self._assert_mutability()
        given: Any = json.loads(values) if isinstance(values, str) else values
        for name, value in given.items() if hasattr(given, "items") else given or ():
            self.set(name, value, given.attributes[name].priority if isinstance(given, BaseSettings) else priority)

    def setdict(self, values: Given, priority: int | str = "project") -> None:
        """Set several."""
        self.update(values, priority)

    def setmodule(self, module: ModuleType | str, priority: int | str = "project") -> None:
        """Set all upper-case names of a module, or of the module of that name."""
        self._assert_mutability()
        module = import_module(module) if isinstance(module, str) else module
        for name in dir(module):
            if name.isupper():
                self.set(name, getattr(module, name), priority)

    def delete(self, name: Any, priority: int | str = "project") -> None:
        """Remove one, unless its priority is higher. Raises KeyError if it is not there."""
        if name not in self:
            raise KeyError(name)
        self._assert_mutability()
        if get_settings_priority(priority) >= self.attributes[name].priority:
            del self.attributes[name]

    def __delitem__(self, name: Any) -> None:
        self._assert_mutability()
        del self.attributes[name]

    def pop(self, name: Any, default: Any = _NOT_GIVEN) -> Any:
        """Remove one and return its value, or ``default``. Raises KeyError if it is not there and none is given."""
        if name not in self and default is not _NOT_GIVEN:
            return default
        value = self.attributes[name].value
        del self[name]
        return value

    # Lists and components: the priority of the setting stays

    def _put(self, name: Any, value: Any) -> None:
        self.set(name, value, self.getpriority(name) or 0)

    def add_to_list(self, name: Any, item: Any) -> None:
        """Append to a list unless it is in it."""
        if item not in (there := self.getlist(name)):
            self._put(name, [*there, item])

    def remove_from_list(self, name: Any, item: Any) -> None:
        """Remove from a list; raises ValueError if it is not in it."""
        if item not in (there := self.getlist(name)):
            raise ValueError(f"{item!r} not found in the {name} setting ({there!r}).")
        self._put(name, [each for each in there if each != item])

    def replace_in_component_priority_dict(
        self, name: Any, old_cls: type, new_cls: type, priority: int | None = None
    ) -> None:
        """Put a component in the place of another, with its number unless one is given. Raises KeyError."""
        components = self.getdict(name)
        number: int | None = None
        for each in [each for each in components if load_object(each) == old_cls]:
            number = components.pop(each)
            if number is None:
                break
        if number is None:
            raise KeyError(f"{old_cls} not found in the {name} setting ({components!r}).")
        self._put(name, components | {new_cls: number if priority is None else priority})

    def set_in_component_priority_dict(self, name: Any, cls: type, priority: int | None) -> None:
        """Set a component's number; paths of it are replaced."""
        components = {
            each: number
            for each, number in self.getdict(name).items()
            if not (isinstance(each, str) and load_object(each) == cls)
        }
        self._put(name, components | {cls: priority})

    def setdefault_in_component_priority_dict(self, name: Any, cls: type, priority: int | None) -> None:
        """Set a component's number unless it is there, by whatever name."""
        components = self.getdict(name)
        if not any(load_object(each) == cls for each in components):
            self._put(name, components | {cls: priority})

    # Copies

    def _assert_mutability(self) -> None:
        if self.frozen:
            raise TypeError("Trying to modify an immutable Settings object")

    def freeze(self) -> None:
        """Allow no more changes."""
        self.frozen = True

    def copy(self) -> Self:
        """Return a deep copy."""
        return copy.deepcopy(self)

    def frozencopy(self) -> Self:
        """Return a deep copy that cannot be changed."""
        copied = self.copy()
        copied.freeze()
        return copied

    def _to_dict(self) -> dict[str, Any]:
        return {
            str(name): value._to_dict() if isinstance(value, BaseSettings) else value for name, value in self.items()
        }

    def copy_to_dict(self) -> dict[str, Any]:
        """Return a deep copy as dictionaries."""
        return self.copy()._to_dict()

    def _repr_pretty_(self, p: Any, cycle: bool) -> None:
        p.text(repr(self) if cycle else pformat(self.copy_to_dict()))


class Settings(BaseSettings):
    """Settings over Scrapy's defaults; a default that is a dictionary has priorities within it."""

    def __init__(self, values: Given = None, priority: int | str = "project") -> None:
        super().__init__()
        for name, value in iter_default_settings():
            self.set(name, BaseSettings(value, "default") if isinstance(value, dict) else value, "default")
        self.update(values, priority)


def iter_default_settings() -> Iterator[tuple[str, Any]]:
    """Iterate over the names and values of Scrapy's defaults."""
    return ((name, getattr(default_settings, name)) for name in dir(default_settings) if name.isupper())


def overridden_settings(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Iterate over the settings that are not Scrapy's defaults."""
    for name, default in iter_default_settings():
        if not isinstance(default, dict) and settings[name] != default:
            yield name, settings[name]


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise ValueError(f"Base setting key must be a string, got {name}")


def _path_of(component: Any) -> Any:
    """Return a component's path, by which it is known under each of its spellings."""
    try:
        loaded = load_object(component)
    except (NameError, TypeError, ValueError):
        return component
    module: str = getattr(loaded, "__module__", "")
    if not module:
        return component
    if module.startswith("crawler.scrapy."):
        module = module.removeprefix("crawler.")
    return f"{module}.{getattr(loaded, '__qualname__', type(loaded).__qualname__)}"
