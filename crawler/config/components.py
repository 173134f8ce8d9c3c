"""Which classes do the settings name, and which settings do those classes declare?

A component (a stage, middleware, extension, downloader, a spider) declares its own settings as
UPPERCASE annotated class attributes: ``SQLITE_PATH: str = "items.db"``.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar, get_origin

from crawler.config.importing import explain_import, file_of
from crawler.config.kinds import Kind, Value, is_class_variable
from crawler.config.nearest import did_you_mean
from crawler.errors import SettingError

P = ParamSpec("P")
T = TypeVar("T")
MISSING: Final = inspect.Parameter.empty

LISTS = ("PIPELINES", "MIDDLEWARES", "EXTENSIONS", "REQUEST_FILTERS", "SPIDER_CONTRACTS")
TABLES = ("SCHEMES", "FEED_FORMATS", "FEED_STORAGES")
SINGLES = ("DOWNLOADER", "JOB_STORE", "FINGERPRINT", "SLOT_KEY", "FEED_URI_PARAMS")
COMPONENT_SETTINGS: Final = frozenset((*LISTS, *TABLES, *SINGLES, "ITEM_KEY"))
"""The settings whose values are, or name, classes and functions."""

_BUILT_IN = {"DOWNLOADER": ("fast", "twisted"), "JOB_STORE": ("sqlite", "memory")}


class Declared(NamedTuple):
    """A setting that a component declares, or an argument of a spider; ``default`` is MISSING if it must be given."""

    name: str
    kind: Kind
    default: Value
    component: str


def load_object(path: str, *, setting: str) -> Any:
    """Import what a dotted path of the user's own settings names. Raises SettingError."""
    module_name, _, name = path.rpartition(".")
    if path.startswith("scrapy."):
        raise SettingError(f"{setting}: {path} is a part of Scrapy, and does not work here")
    if not module_name or not all(part.isidentifier() for part in path.split(".")):
        raise SettingError(f'{setting}: expected a class or a dotted path to one, got "{path}"')
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise SettingError(f'{setting}: cannot import "{path}": {error}') from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a SyntaxError, for example, is that of the user's file
        raise SettingError(f"{setting}: {explain_import(error, file_of(module_name))}") from error
    if not hasattr(module, name):
        # What is imported when it is asked for stands in __all__ alone.
        own = [known for known, value in vars(module).items() if not isinstance(value, ModuleType)]
        # Nor is a module of its own what was meant, which is there or not by who has imported it.
        public = [known for known in {*own, *getattr(module, "__all__", ())} if known[:1] != "_"]
        raise SettingError(f'{setting}: module {module_name} has no "{name}"{did_you_mean(name, public)}')
    return getattr(module, name)


def load_components(name: str, value: Value, *, where: str) -> Value:
    """Return the setting's value with each dotted path replaced by what it names.

    ``where``: what an error says it is about. Raises SettingError for a path that names nothing, or an entry that is
    neither class nor function.
    """
    if name in LISTS and isinstance(value, (list, tuple)):
        return [_load(entry, where) for entry in value]
    if name in TABLES and isinstance(value, dict):
        return {key: None if entry is None else _load(entry, where) for key, entry in value.items()}
    if name in SINGLES and value is not None:
        known = _BUILT_IN.get(name, ())
        if value in known or (name == "JOB_STORE" and isinstance(value, str) and "://" in value):
            return value
        if isinstance(value, str) and known and "." not in value:
            choice = ", ".join([f'"{word}"' for word in known] + ["the URL of a server"] * (name == "JOB_STORE"))
            raise SettingError(f'{where}: expected {choice} or a class, got "{value}"{did_you_mean(value, known)}')
        return _load(value, where)
    if name == "ITEM_KEY" and isinstance(value, str) and "." in value:
        return _load(value, where)
    return value


def _load(entry: Value, where: str) -> Value:
    loaded = load_object(entry, setting=where) if isinstance(entry, str) else entry
    if not callable(loaded) and not hasattr(loaded, "process_item"):
        raise SettingError(f"{where}: expected a class or a dotted path to one, got {type(loaded).__name__}")
    return loaded


def called(shape: str, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call a function of the user's before the crawl begins. Raises SettingError if it takes other arguments."""
    try:
        return function(*arguments, **named)
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:  # it was raised in there
            raise
        raise SettingError(f"{error}; expected {shape}") from error


def constructed(setting: str, shape: str, component: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Make a class's instance with these arguments. Raises SettingError if it takes others."""
    if error := _misfit(component, *arguments, **named):
        message = f"{setting}: {component.__qualname__} cannot be made: {error}; expected {shape}"
        raise SettingError(message) from error
    return component(*arguments, **named)


def checked(made: T, setting: str, *, takes: int = 0, has: Iterable[str] = (), shape: str) -> T:
    """Return what a setting's class or function made, if it can be called so and has these methods.

    ``shape`` is what it should look like, for the message. Raises SettingError.
    """
    name = getattr(made, "__qualname__", type(made).__qualname__)
    if isinstance(made, type):
        raise SettingError(f"{setting}: {name} is a class where an instance is needed; expected {shape}")
    if takes and not callable(made):
        raise SettingError(f"{setting}: {name} has no __call__; expected {shape}")
    if takes and callable(made) and _misfit(made, *[None] * takes):
        raise SettingError(f"{setting}: {name} cannot be called with {takes} arguments; expected {shape}")
    for method in has:
        if not callable(getattr(made, method, None)):
            raise SettingError(f"{setting}: {name} has no {method}(); expected {shape}")
    return made


def _misfit(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> TypeError | None:
    """Return what keeps a function from being called so; None if nothing does, or it has no signature to look at."""
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError as error:
        return error
    except ValueError:
        pass
    return None


def components_in(values: Mapping[str, Any]) -> list[Any]:
    """Return every component that the (loaded) settings name."""
    found: list[Any] = []
    for name in LISTS:
        found += values.get(name) or []
    for name in TABLES:
        found += [entry for entry in (values.get(name) or {}).values() if entry is not None]
    return found + [values[name] for name in SINGLES if callable(values.get(name))]


def declared_by(component: Any) -> list[Declared]:
    """Return the settings that a component declares, inherited ones included."""
    owner = component if isinstance(component, type) else type(component)
    return [
        Declared(name, kind, getattr(owner, name, MISSING), owner.__name__)
        for name, kind in annotations_of(owner).items()
        if name.isupper() and not name.startswith("_")
    ]


def annotations_of(owner: type, *, stop: Iterable[str] = ("builtins", "typing")) -> dict[str, Any]:
    """Return the annotated attributes of a class and its bases, but not those of bases in modules ``stop``.

    Each annotation is evaluated alone, in its own module: one that names a type imported for the type
    checker only becomes ``Any`` and does not spoil the others. ClassVar and Final ones are left out.
    """
    found: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        if base.__module__ in stop:
            continue
        for name, kind in inspect.get_annotations(base).items():
            resolved = _resolve(kind, base)
            if is_class_variable(resolved) or Final in (resolved, get_origin(resolved)):
                found.pop(name, None)
            else:
                found[name] = resolved
    return found


def _resolve(kind: Kind | str, base: type) -> Kind:
    if not isinstance(kind, str):
        return kind
    namespace = dict(vars(sys.modules.get(base.__module__, inspect)))
    try:
        # The text is the user's own source code, as typing.get_type_hints evaluates it.
        resolved = eval(kind, namespace, dict(vars(base)))  # noqa: S307
    except Exception:
        return Any
    return type(None) if resolved is None else resolved
