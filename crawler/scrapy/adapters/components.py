"""How are the components that a project's settings name found and made?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from crawler.config.components import called, load_object
from crawler.config.importing import explain_import
from crawler.errors import NotConfigured, SettingError
from crawler.scrapy.names.gone import missing

logger = logging.getLogger(__name__)


def loaded(component: Any, setting: str) -> Any:
    """Return the class that a path names; Scrapy's paths name what is ours. Raises SettingError."""
    found = component
    if isinstance(component, str):
        path = component.strip()
        found = load_object(f"crawler.{path}" if path.startswith("scrapy.") else path, setting=setting)
    if not callable(found):
        raise SettingError(f"{setting}: expected a class or a dotted path to one, got {found!r} of {component!r}")
    return found


def order(settings: Any, name: str) -> list[tuple[Any, Any]]:
    """Return the components of a setting and of the one with _BASE, the lowest number first, as they are named and
    as they are. Raises SettingError."""
    given = settings[name]
    if isinstance(given, list | tuple):  # as long ago
        return [(each, loaded(each, name)) for each in given]
    try:
        numbered = sorted(settings.get_component_priority_dict_with_base(name).items(), key=lambda pair: float(pair[1]))
    except (TypeError, ValueError, AttributeError) as error:
        shown = dict(given) if isinstance(given, Mapping) else repr(given)
        raise SettingError(f"{name}: expected a dictionary of classes and numbers, got {shown}: {error}") from error
    except ImportError as error:
        raise SettingError(f"{name}: {missing(error, given)}") from error
    except NameError as error:
        raise SettingError(f"{name}: {error}") from error
    except Exception as error:  # of the code of a module that is named
        raise SettingError(f"{name}: {explain_import(error, name)}") from error
    return [(each, loaded(each, name)) for each, _ in numbered]


def build(component: Any, crawler: Any) -> Any:
    """Make a component from its class: by its from_crawler, its from_settings, or of nothing. Raises SettingError."""
    if hasattr(component, "from_crawler"):
        made = called("@classmethod def from_crawler(cls, crawler)", component.from_crawler, crawler)
        hook = "from_crawler"
    elif hasattr(component, "from_settings"):
        made = called("@classmethod def from_settings(cls, settings)", component.from_settings, crawler.settings)
        hook = "from_settings"
    else:
        return called("def __init__(self), or a from_crawler(cls, crawler) that gives it more", component)
    if made is None:
        raise SettingError(f"{component.__qualname__}.{hook} must return what it made, and returned None")
    return made


def made(crawler: Any, name: str) -> list[Any]:
    """Make the components of a setting, the lowest number first; one that raises NotConfigured is left out."""
    found = []
    for path, component in order(crawler.settings, name):
        try:
            found.append(build(component, crawler))
        except NotConfigured as error:
            if error.args:
                logger.warning("Disabled %s: %s", path, error.args[0], extra={"crawler": crawler})
    crawler.made[name] = found
    return found
