"""What is each setting's value, and where does it come from?

A name that neither the crawler nor a component knows is the project's own, unless it is a misspelling.

Layers, the later ones win: the defaults; settings.py of the project; the spider's ``custom_settings``
and ``update_settings``; the script that calls crawl(); the command line. Values are checked when
they are loaded, and do not change afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Self

import msgspec

from crawler.config.components import MISSING, Declared, declared_by
from crawler.config.layers import CORE_KINDS, Given, Layer, TypedReads, gather, of_spider, typed
from crawler.config.nearest import misspelt
from crawler.config.schema import CoreSettings
from crawler.dialect import dialect
from crawler.errors import SettingError


class OnlyFeeds(dict[str, Any]):
    """FEEDS that are all there are, whatever a project has: those of a command that runs a spider for itself."""


class Settings(Mapping[str, Any], TypedReads):
    """All settings of a crawl: the crawler's own (typed, as ``core``), those components declare, and the project's.

    One that nobody set reads as None, as in Scrapy; ``in`` tells whether it is there.

    ``Settings({"DOWNLOAD_DELAY": 1})`` is for scripts; ``Settings.load`` gathers all layers.
    ``warnings`` are sentences to be logged when the crawl starts; ``command_line`` is what was given
    there, so that a job can remember it.
    """

    core: CoreSettings
    warnings: list[str]
    command_line: dict[str, Any]

    def __init__(self, overrides: Mapping[str, Any] | None = None, *, components: Iterable[Any] = ()) -> None:
        self._fill([Layer("script", overrides or {})], components=components)

    @classmethod
    def load(
        cls,
        project: ModuleType | Mapping[str, Any] | None = None,
        spider: type | Mapping[str, Any] | None = None,
        command_line: Mapping[str, Any] | None = None,
        *,
        script: Mapping[str, Any] | None = None,
        components: Iterable[Any] = (),
        also: Callable[[], Iterable[Any]] | None = None,
    ) -> Settings:
        """Gather, translate and check the settings of all layers.

        ``project``: the module settings.py or a mapping. ``spider``: the spider class, or a mapping.
        ``command_line``: texts are parsed, other values are taken as they are. ``components``: classes
        in use that no setting names. ``also()``: classes whose settings are known though nothing uses
        them; asked only when a name is not known otherwise.

        Raises SettingError: a misspelt name, a wrong type, a value out of bounds, a class that does not load.
        """
        values = project if isinstance(project, Mapping) else vars(project) if project is not None else {}
        values = {name: value for name, value in values.items() if name.isupper() and not name.startswith("_")}
        layers = [Layer("settings.py", values)]
        used = list(components)
        if isinstance(spider, type):
            layers.append(of_spider(spider, values))
            used.append(spider)
        elif spider:
            layers.append(Layer("spider", spider))
        layers += [Layer("script", script or {}), Layer("command line", command_line or {}, text=True)]
        settings = cls.__new__(cls)
        settings._fill(layers, components=used, also=also)
        settings.command_line = dict(command_line or {})
        return settings

    def with_spider(self, spider: type) -> Settings:
        """Return these settings for the crawls of a spider: its own are put below the script's.

        For settings that a script made before it named the spider. Raises SettingError.
        """
        layers, components, also = self._made_of
        given = {layer.origin: layer.values for layer in layers}
        if any(origin.startswith("spider") for origin in given):
            return self  # loaded for a spider already
        project, script = given.get("settings.py"), given.get("script")
        return self.load(project, spider, self.command_line, script=script, components=components, also=also)

    def _fill(
        self, layers: list[Layer], *, components: Iterable[Any], also: Callable[[], Iterable[Any]] | None = None
    ) -> None:
        self._made_of = (layers, tuple(components), also)
        given, declared, self.warnings = gather(layers, components=components, also=also)
        self._declared = {name: entry for name, entry in declared.items() if name not in CORE_KINDS}
        self.command_line = {}
        kinds = CORE_KINDS | {name: entry.kind for name, entry in self._declared.items()}
        checked = _checked(given, kinds)
        self._origins = {name: value.origin for name, value in given.items()}
        self._own = {name: given[name].value for name in sorted(given.keys() - kinds.keys())}
        self.core = CoreSettings(**{name: value for name, value in checked.items() if name in CORE_KINDS})
        self._values = msgspec.structs.asdict(self.core)
        for name, entry in self._declared.items():
            if name in checked or entry.default is not MISSING:
                self._values[name] = checked.get(name, entry.default)
        self._values |= self._own

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a setting, or ``default`` if it is not there."""
        return self._values.get(name, default)

    __getitem__ = get

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Settings {len(self._origins)} of {len(self)} set by {', '.join(self.origins()) or 'nobody'}>"

    def origin(self, name: str) -> str:
        """Return where the value comes from: "default", "settings.py", "spider NAME", "script" or "command line"."""
        return self._origins.get(name, "default")

    def origins(self) -> list[str]:
        """Return the origins that set anything."""
        return sorted(set(self._origins.values()))

    def declared(self) -> Iterator[Declared]:
        """Iterate over the settings that components declare."""
        return iter(self._declared.values())

    def own(self) -> Mapping[str, Any]:
        """Return the project's own settings: those that nobody declares. From the command line they are texts."""
        return self._own

    def of(self, component: Any) -> dict[str, Any]:
        """Return the values of the settings that a component declares, to be set on its instance.

        Raises SettingError for one without default that nobody gave.
        """
        values = {}
        for entry in declared_by(component):
            if entry.name not in self._values:
                raise SettingError(f"{entry.component} needs the setting {entry.name}, and nobody gives it")
            values[entry.name] = self._values[entry.name]
        return values

    def copy_to_dict(self) -> dict[str, Any]:
        """Return all values as a dict (Scrapy's name)."""
        return dict(self)

    def frozencopy(self) -> Self:
        """Return these settings, which do not change anyway (Scrapy's name)."""
        return self

    copy = frozencopy


def _checked(given: Mapping[str, Given], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the known settings as their types have them. Raises SettingError with all that is wrong."""
    checked: dict[str, Any] = {}
    wrong = []
    for name, value in given.items():
        if name in kinds:
            try:
                checked[name] = typed(name, kinds[name], value)
            except SettingError as error:
                wrong.append(str(error))
        elif name not in (foreign := dialect().names) and (meant := misspelt(name, {*kinds, *foreign})):
            wrong.append(f'{name} ({value.origin}) is not a setting; did you mean "{meant}"?')
    if wrong:
        raise SettingError("\n".join(wrong))
    return checked
