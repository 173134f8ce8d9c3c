"""What did the user ask of a feed, and does it make sense?

The options of FEEDS are Scrapy's (docs.scrapy.org, "Feed exports"), with the defaults of the FEED_ settings.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, TypeVar, get_type_hints

from msgspec import Meta, Struct

from crawler.config.nearest import did_you_mean, nearest
from crawler.config.parse import WrongValue, check
from crawler.errors import OutputError
from crawler.feeds.formats import FORMATS, Format
from crawler.feeds.items import ItemTest
from crawler.feeds.names import format_of, instead

T = TypeVar("T")


class FeedOptions(Struct, kw_only=True, frozen=True):
    """The options of one feed, checked. None: what the settings say."""

    format: str | None = None
    fields: list[str] | dict[str, str] | None = None
    encoding: str | None = None
    indent: int | None = None
    overwrite: bool | None = None
    batch_item_count: Annotated[int, Meta(ge=0)] | None = None
    store_empty: bool | None = None
    item_classes: list[Any] = []
    item_filter: Any = None
    item_export_kwargs: dict[str, Any] = {}
    key: str | list[str] | None = None
    export_empty_fields: bool = False
    postprocessing: list[Any] = []
    storage_options: dict[str, Any] = {}
    uri_params: Any = None


def read_options(feed: str, options: Mapping[str, Any]) -> FeedOptions:
    """Check the options of a feed; raises OutputError naming what is wrong.

    With ``postprocessing`` there may be others, which its plug-ins read.
    """
    known = list(FeedOptions.__struct_fields__)
    for name in options:
        if name not in known and (not options.get("postprocessing") or did_you_mean(str(name), known)):
            raise OutputError(f"feed {feed!r}: unknown option {name!r}{instead(str(name), known)}")
    plain: dict[str, Any] = {}
    name = ""
    try:
        for name, value in options.items():
            if name not in known:
                continue  # a plug-in of postprocessing reads it
            plain[name] = check(list(value) if isinstance(value, tuple) else value, _KINDS[name])
    except WrongValue as error:
        raise OutputError(f"feed {feed!r}: {name}: {error}") from error
    return FeedOptions(**plain)


_KINDS = get_type_hints(FeedOptions, include_extras=True)


_UNSAFE = frozenset({"pickle", "marshal"})


def choose_format(feed: str, path: str, named: str | None, custom: Mapping[str, Any]) -> tuple[str, type[Format]]:
    """Return name and class of the format: the named one, else that of the extension, else JSON Lines for "-"."""
    every: dict[str, Any] = {**FORMATS, **{name.lower(): value for name, value in custom.items()}}
    known = {name: form for name, form in every.items() if form is not None}
    extension = "jsonlines" if path in {"-", "stdout:"} else format_of(path)[0]
    name = (named or extension).lower()
    if name in _UNSAFE and name not in known:
        raise OutputError(
            f"feed {feed!r}: {name} is not written: to read such a file runs what is in it (pickle), or takes the same "
            "Python (marshal); jsonlines holds the same items for any reader, and a class in FEED_FORMATS writes what "
            "you like"
        )
    if name not in known:
        if named is None and _is_like_a_table(path):
            uris = "sqlite:///FILE?table=NAME or postgresql://HOST/DATABASE?table=NAME"
            raise OutputError(f"feed {feed!r}: a table of a database is written {uris}")
        if named is None:
            why = f"the extension {'.' + name!r} names no format" if name else "the name has no extension"
            raise OutputError(
                f"feed {feed!r}: {why}; write it as FILE:FORMAT, FORMAT one of {', '.join(sorted(known))}"
            )
        raise OutputError(f"feed {feed!r}: unknown format {named!r}{instead(name, known)}")
    form = loaded(feed, known[name])
    canonical = next(first for first, value in known.items() if value is known[name])
    return canonical, form


def _is_like_a_table(path: str) -> bool:
    """Tell whether the URI of a table was meant, with a slip or of another database."""
    scheme, colon, _ = path.partition(":")
    return bool(colon) and ("?table=" in path or nearest(scheme, ("sqlite", "postgresql")) is not None)


def check_formats(custom: Mapping[str, Any]) -> None:
    """Raise OutputError for a class in FEED_FORMATS that is no format, whether or not a feed uses it."""
    for name, value in custom.items():
        form = loaded("FEED_FORMATS", value)
        if not (form is None or (isinstance(form, type) and issubclass(form, Format))):
            raise OutputError(f"FEED_FORMATS[{name!r}] is {form!r}, not a subclass of crawler's Format")


def check_encoding(feed: str, encoding: str) -> str:
    """Return the encoding if Python knows it as one of text; raises OutputError."""
    try:
        "[".encode(encoding)
        return codecs.lookup(encoding).name if encoding.lower() != "utf8" else "utf-8"
    except (LookupError, UnicodeError, TypeError) as error:
        raise OutputError(f"feed {feed!r}: unknown encoding {encoding!r}") from error


def item_test(feed: str, options: FeedOptions) -> ItemTest | None:
    """Return what tells whether an item belongs into the feed: item_classes and item_filter; None: all do."""
    classes = tuple(loaded(feed, value) for value in options.item_classes)
    if not all(isinstance(value, type) for value in classes):
        raise OutputError(f"feed {feed!r}: item_classes holds something that is no class")
    accepts = loaded(feed, options.item_filter)
    if isinstance(accepts, type):  # Scrapy's ItemFilter: made with the options, asked by accepts()
        accepts = accepts({name: getattr(options, name) for name in FeedOptions.__struct_fields__}).accepts
    if accepts is not None and not callable(accepts):
        raise OutputError(f"feed {feed!r}: item_filter is neither a class with accepts(item) nor a function")
    return ItemTest(classes, accepts) if classes or accepts is not None else None


def loaded(feed: str, value: T | str) -> T | Any:
    """Return the object a setting names by its dotted path; anything else as it is."""
    if not isinstance(value, str):
        return value
    module, _, name = value.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise OutputError(f"feed {feed!r}: cannot load {value!r}: {error}") from error
