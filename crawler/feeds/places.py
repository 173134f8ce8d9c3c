"""Where does a feed go by its path or URL, and does that make sense?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawler.config.components import constructed
from crawler.errors import OutputError
from crawler.feeds.names import Parameters, is_elsewhere
from crawler.feeds.options import FeedOptions, loaded
from crawler.feeds.postprocessing import Processed
from crawler.feeds.storage import Elsewhere, Here, Storage

if TYPE_CHECKING:
    from crawler.config.schema import CoreSettings


def storage_of(
    feed: str,
    path: str,
    options: FeedOptions,
    given: Mapping[str, Any],
    settings: CoreSettings,
    declared: Callable[[type], Mapping[str, Any]],
) -> Storage:
    """Return what stores the files of a feed that are written beside the job first. Raises OutputError.

    ``given`` are the options as the user wrote them, which is what plug-ins are handed.
    """
    elsewhere = is_elsewhere(path)
    if elsewhere and (path.endswith("/") or not urlsplit(path).path.strip("/")):
        raise OutputError(f"feed {feed!r}: it names no file; write SCHEME://HOST/PATH/FILE")
    plugins = [loaded(feed, plugin) for plugin in options.postprocessing]
    for plugin in plugins:
        if not callable(plugin):
            raise OutputError(f"feed {feed!r}: postprocessing holds {plugin!r}, which is no class")
    storage = _elsewhere(path, options, settings, declared) if elsewhere else Here()
    return Processed(storage, plugins, given) if plugins else storage


def check_appending(feed: str, storage: Storage, *, whole: bool) -> None:
    """Raise OutputError if files in a storage cannot be appended to; ``whole``: they are made as a whole."""
    if hasattr(storage, "fetch"):
        return
    if not whole:
        what = f"{type(storage).__name__} has no fetch(url, file), so nothing is appended to a file there"
        raise OutputError(f"feed {feed!r}: {what}: -O, or overwrite True, writes it anew")
    raise OutputError(
        f"feed {feed!r}: nothing is appended to a file that is made as a whole, of Parquet or through postprocessing: "
        "-O, or overwrite True, writes it anew; %(time)s in its name keeps those before it"
    )


def _elsewhere(
    path: str, options: FeedOptions, settings: CoreSettings, declared: Callable[[type], Mapping[str, Any]]
) -> Storage:
    own = settings.FEED_STORAGES.get(path.partition("://")[0].lower())
    if own is None:
        return Elsewhere(settings, options.storage_options)
    made: Storage = constructed(
        "FEED_STORAGES", "__init__(self, storage_options) and store(self, file, url)", own, options.storage_options
    )
    for name, value in declared(own).items():
        setattr(made, name, value)
    return made


def parameters_of(feed: str, options: FeedOptions, setting: Any, spider: Any) -> Parameters | None:
    """Return what fills the placeholders in the place of the usual values: uri_params, else FEED_URI_PARAMS."""
    function = loaded(feed, options.uri_params if options.uri_params is not None else setting)
    if function is None:
        return None
    if not callable(function):
        raise OutputError(f"feed {feed!r}: uri_params is {function!r}, which is no function")
    return lambda values: function(values, spider)
