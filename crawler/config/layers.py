"""What did each layer of settings give, in our own names?

The layers are settings.py, the spider, the script and the command line. Here names of
the dialect become ours and dotted paths become the classes they name; types are checked in ``settings``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, get_type_hints

from crawler.config.components import COMPONENT_SETTINGS, Declared, called, components_in, declared_by, load_components
from crawler.config.holds import held
from crawler.config.kinds import Kind, Value, is_optional
from crawler.config.parse import check, parse_any, parse_text, shorten
from crawler.config.schema import CoreSettings
from crawler.dialect import Asked, dialect
from crawler.errors import SettingError

CORE_KINDS: Final[dict[str, Any]] = get_type_hints(CoreSettings, include_extras=True)


class Layer(NamedTuple):
    """Settings of one origin; ``text``: strings in it are to be parsed."""

    origin: str
    values: Mapping[str, Any]
    text: bool = False


class Given(NamedTuple):
    """A value as some layer gave it; ``called``: under which name of the dialect, if not under our own."""

    value: Value
    origin: str
    text: bool = False
    called: str | None = None


class TypedReads:
    """Methods that read a setting as a value of a type, for a class that has ``get(name)``."""

    get: Callable[..., Any]

    def getbool(self, name: str, default: bool = False) -> bool:
        """Return the value as a truth value (Scrapy's name)."""
        return bool(self._read(name, default, bool))

    def getint(self, name: str, default: int = 0) -> int:
        """Return the value as a whole number (Scrapy's name)."""
        return int(self._read(name, default, int))

    def getfloat(self, name: str, default: float = 0.0) -> float:
        """Return the value as a number (Scrapy's name)."""
        return float(self._read(name, default, float))

    def getlist(self, name: str, default: list[Any] | None = None) -> list[Any]:
        """Return a copy of the value as a list; a text is split at commas (Scrapy's name)."""
        return list(self._read(name, default, list[str]) or [])

    def getdict(self, name: str, default: dict[Any, Any] | None = None) -> dict[Any, Any]:
        """Return a copy of the value as a dict (Scrapy's name)."""
        return dict(self._read(name, default, dict[str, Any]) or {})

    def _read(self, name: str, default: Value, kind: Kind) -> Any:
        value = self.get(name)
        value = default if value is None else value
        return parse_text(value, kind) if isinstance(value, str) else (value or 0)


class Draft(TypedReads):
    """The settings while a spider's ``update_settings(cls, settings)`` may still change them."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)
        self.changes: dict[str, Any] = {}

    def get(self, name: str, default: Value = None) -> Value:
        """Return the value so far."""
        return self.changes.get(name, self._given.get(name, default))

    def __contains__(self, name: str) -> bool:
        return name in self.changes or name in self._given

    def set(self, name: str, value: Value, priority: int | str | None = None) -> None:
        """Set one; the priority is always the spider's."""
        self.changes[name] = value

    __getitem__ = get

    def __setitem__(self, name: str, value: Value) -> None:
        self.changes[name] = value

    def setdefault(self, name: str, default: Value = None, priority: int | str | None = None) -> Value:
        """Set one unless it is set."""
        if self.get(name) is None:
            self.changes[name] = default
        return self.get(name)

    def update(self, values: Mapping[str, Any] | None, priority: int | str | None = None) -> None:
        """Set several."""
        self.changes.update(values or {})

    setdict = update


def of_spider(spider: type, so_far: Mapping[str, Any]) -> Layer:
    """Return what the spider sets: its custom_settings, then what its update_settings does. Raises SettingError."""
    custom = getattr(spider, "custom_settings", None) or {}
    origin = f"spider {getattr(spider, 'name', None) or spider.__name__}"
    if not isinstance(custom, Mapping) or not all(isinstance(name, str) for name in custom):
        raise SettingError(f"custom_settings ({origin}): expected a dict of names and values, got {shorten(custom)}")
    custom = dict(custom)
    draft = Draft({**so_far, **custom})
    update: Callable[[Draft], None] | None = getattr(spider, "update_settings", None)
    if update is not None:
        called("@classmethod def update_settings(cls, settings)", update, draft)
    return Layer(origin, custom | draft.changes)


def gather(
    layers: Iterable[Layer], *, components: Iterable[Any], also: Callable[[], Iterable[Any]] | None
) -> tuple[dict[str, Given], dict[str, Declared], list[str]]:
    """Put the layers on top of each other, in our names: what was given, what components declare, what to warn of.

    Raises SettingError for a setting that the dialect refuses, and a class that does not load.
    """
    given: dict[str, Given] = {}
    unmapped: dict[str, tuple[Given, Layer]] = {}
    declared = _declared(components)
    for layer in layers:
        ours = _translate(layer)
        for name in ours.keys() & COMPONENT_SETTINGS:
            value = typed(name, CORE_KINDS[name], ours[name])
            where = f"{ours[name].called or name} ({layer.origin})"
            ours[name] = Given(load_components(name, value, where=where), layer.origin, called=ours[name].called)
        declared |= _declared(components_in({name: ours[name].value for name in ours.keys() & COMPONENT_SETTINGS}))
        for name in [name for name in ours if name not in CORE_KINDS and name in dialect().names]:
            unmapped[name] = ours.pop(name), layer
        given |= ours
    unknown = (given.keys() | unmapped.keys()) - CORE_KINDS.keys() - declared.keys()
    if unknown and also is not None:
        declared = _declared(also()) | declared
    return given, declared, _without_effect(unmapped, given, declared)


def typed(name: str, kind: Kind, given: Given) -> Value:
    """Return the value as its type has it. Raises SettingError.

    For the crawler's own settings an empty text means None, as in Scrapy: environment variables give such texts.
    """
    if given.value == "" and name in CORE_KINDS and is_optional(kind):
        return None
    value = given.value
    try:
        return held(parse_text(value, kind) if given.text and isinstance(value, str) else check(value, kind), kind)
    except ValueError as error:
        raise SettingError(f"{given.called or name} ({given.origin}): {error}") from error


def _declared(components: Iterable[Any]) -> dict[str, Declared]:
    return {entry.name: entry for component in components for entry in declared_by(component)}


def _translate(layer: Layer) -> dict[str, Given]:
    ours: dict[str, Given] = {}
    for name, value in layer.values.items():
        given = Given(value, layer.origin, layer.text)
        read = parse_any(value) if layer.text and isinstance(value, str) else value
        own = _is_own(name, given if isinstance(read, str) else given._replace(value=read))
        mapped = None if own else dialect().in_our_words(Asked(name, read, layer.values, layer.origin))
        if mapped is None:
            ours[name] = given
            continue
        # A setting given under our own name beats the one that is mapped to it.
        for target, translated in mapped.items():
            if target == name or target not in layer.values:
                ours[target] = Given(translated, layer.origin, layer.text, called=name)
    return ours


def _is_own(name: str, given: Given) -> bool:
    """Tell whether both name and value are the crawler's own; the dialect is asked about any other setting."""
    path = given.value.__module__ if isinstance(given.value, type) else given.value
    if name not in CORE_KINDS or (isinstance(path, str) and path.startswith("scrapy.")):
        return False
    try:
        typed(name, CORE_KINDS[name], given)
    except SettingError:
        return False
    return True


def _without_effect(
    unmapped: Mapping[str, tuple[Given, Layer]], given: dict[str, Given], declared: Mapping[str, Declared]
) -> list[str]:
    """Give Scrapy's settings to the component that declares them; return one warning for the rest.

    All of them stay readable, for the project's own code may go by one.
    """
    ignored = []
    for name, (value, layer) in unmapped.items():
        given[name] = value
        if name not in declared and dialect().has_no_effect(Asked(name, value.value, layer.values, value.origin)):
            ignored.append(f"{name} ({value.origin})")
    instead = "docs/settings.md says what there is instead"
    return [f"Settings of Scrapy without effect here: {', '.join(ignored)} ({instead})"] if ignored else []
