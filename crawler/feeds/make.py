"""Which feeds does a crawl write, by its FEEDS setting?"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from crawler.errors import OutputError
from crawler.feeds.filefeed import FileFeed
from crawler.feeds.formats import Format, FormatOptions
from crawler.feeds.items import Fields, Shape
from crawler.feeds.names import (
    STDOUT,
    Parameters,
    PathTemplate,
    Template,
    compression_of,
    is_elsewhere,
    local_path,
    parse_output,
)
from crawler.feeds.options import FeedOptions, check_encoding, check_formats, choose_format, item_test, read_options
from crawler.feeds.places import check_appending, parameters_of, storage_of
from crawler.feeds.seam import Feed
from crawler.feeds.sentfeed import SentFeed, Spool
from crawler.feeds.streamfeed import StreamFeed
from crawler.feeds.tables.address import is_database
from crawler.feeds.tables.make import table_feed
from crawler.feeds.whole import Converted, PartsFeed, ToldFields, numbered
from crawler.model.masking import masked

if TYPE_CHECKING:
    from crawler.config.schema import CoreSettings


def make_feeds(
    feeds: Mapping[str, Mapping[str, Any]],
    settings: CoreSettings,
    *,
    spider_name: str,
    started: datetime,
    attributes: Mapping[str, Any] | None = None,
    stdout: BinaryIO | None = None,
    declared: Callable[[type], Mapping[str, Any]] = lambda _: {},
    spider: Any = None,
) -> list[Feed]:
    """Return the feeds, not yet opened. Raises OutputError, naming the feed, for whatever is wrong in FEEDS.

    Keys are paths, URLs, ``-`` or ``FILE:FORMAT``. ``attributes``: further placeholders, the spider's simple ones.
    ``stdout``: where ``-`` goes in place of sys.stdout. ``declared`` tells the values of the settings that a class in
    FEED_FORMATS or FEED_STORAGES declares. ``spider``: what the function of FEED_URI_PARAMS is given.
    """
    check_formats(settings.FEED_FORMATS)
    made: list[Feed] = []
    taken: dict[str, str] = {}
    values = {**(attributes or {}), "name": spider_name}
    for key, given in feeds.items():
        name = masked(str(key))  # what messages, marks and the summary call it
        options = read_options(name, given)
        path, named = (str(key), options.format) if options.format else parse_output(str(key))
        parameters = parameters_of(name, options, settings.FEED_URI_PARAMS, spider)
        if is_database(str(key)):
            wanted = item_test(name, options)
            fields = Fields(_names(options, settings), text_names=True, wanted=wanted)
            made.append(table_feed(name, str(key), options, settings, fields, values, parameters, started))
            continue
        if options.key is not None:
            raise OutputError(f"feed {name!r}: the option key is for tables of a database")
        crawl = _Crawl(settings, values, started, stdout, declared)
        feed = _feed(name, (path, named), options, given, crawl, parameters)
        place = _place_of(feed, "-" if path in STDOUT else path)
        if place in taken:
            raise OutputError(f"feed {name!r}: {taken[place]!r} writes to the same place")
        taken[place] = name
        made.append(feed)
    return made


@dataclass(frozen=True, slots=True)
class _Crawl:
    """What all feeds of a crawl are made with; see make_feeds."""

    settings: CoreSettings
    values: Mapping[str, Any]
    started: datetime
    stdout: BinaryIO | None
    declared: Callable[[type], Mapping[str, Any]]


def _feed(
    name: str,
    place: tuple[str, str | None],
    options: FeedOptions,
    given: Mapping[str, Any],
    crawl: _Crawl,
    parameters: Parameters | None,
) -> Feed:
    """Return a feed of files; ``place`` is its path and the format that was named, ``given`` its unread options."""
    (path, named), settings, declared, started = place, crawl.settings, crawl.declared, crawl.started
    form_name, kind = choose_format(name, path, named, settings.FEED_FORMATS)
    made = _formats(name, kind, options, settings, declared(kind))
    form = next(made)
    fields = _fields(name, form, options)
    if kind.whole and path not in STDOUT:
        path = numbered(name, path)
    store_empty = settings.FEED_STORE_EMPTY if options.store_empty is None else options.store_empty
    elsewhere = is_elsewhere(path)
    if path in STDOUT or (not elsewhere and _is_device(local_path(name, path))):
        if kind.whole:
            raise OutputError(f"feed {name!r}: {form_name} is written as whole files alone, and this is none")
        device = None if path in STDOUT else Path(local_path(name, path))
        return StreamFeed(
            name, Shape(form, fields, form_name, store_empty), spare=next(made), stream=crawl.stdout, path=device
        )
    size = settings.FEED_EXPORT_BATCH_ITEM_COUNT if options.batch_item_count is None else options.batch_item_count
    size = size or (kind.batch_items if options.batch_item_count is None else 0)
    plain = kind.whole or bool(options.postprocessing)  # what compresses is a plug-in
    shape = Shape(form, fields, form_name + ("" if plain else compression_of(path)), store_empty)
    template = PathTemplate(name, path, crawl.values, parameters) if not elsewhere else None
    target = template or Template(name, path, crawl.values, parameters)
    if size and not target.numbered:
        raise OutputError(f"feed {name!r}: batches need %(batch_id)d or %(batch_time)s in the path")
    if template is not None and not plain:
        return FileFeed(template, shape, overwrite=bool(options.overwrite), batch_size=size, started=started)
    storage = storage_of(name, path, options, given, settings, declared)
    spool, waiting = Spool(target, plain=plain), settings.FEED_TEMPDIR
    if kind.whole:
        storage = Converted(storage, form)
    overwrite = bool(options.overwrite) or (elsewhere and options.overwrite is None)
    feed = PartsFeed if kind.whole and template is not None else SentFeed
    if not overwrite and feed is SentFeed:
        check_appending(name, storage, whole=plain)
    return feed(spool, shape, storage=storage, overwrite=overwrite, batch_size=size, started=started, waiting=waiting)


def _fields(name: str, form: Format, options: FeedOptions) -> Fields:
    test = item_test(name, options)
    empty = options.export_empty_fields or bool(options.item_export_kwargs.get("export_empty_fields"))
    names, text_names = form.options.names, form.text_names
    if form.whole:
        return ToldFields(names, text_names=text_names, wanted=test, empty=empty, learn=form.learn)
    return Fields(names, text_names=text_names, wanted=test, empty=empty)


def _formats(
    name: str, kind: type[Format], options: FeedOptions, settings: CoreSettings, declared: Mapping[str, Any]
) -> Iterator[Format]:
    """Yield any number of formats, each with the settings that its class declares."""
    extra = {name: value for name, value in options.item_export_kwargs.items() if name != "export_empty_fields"}
    unknown = sorted(name for name in extra if name not in kind.extra)
    if unknown:
        raise OutputError(f"feed {name!r}: item_export_kwargs {', '.join(unknown)} mean nothing to {kind.__name__}")
    chosen = FormatOptions(
        names=_names(options, settings),
        encoding=check_encoding(name, options.encoding or settings.FEED_EXPORT_ENCODING),
        indent=settings.FEED_EXPORT_INDENT if options.indent is None else options.indent,
        escape_formulas=settings.CSV_ESCAPE_FORMULAS,
        extra=extra,
    )
    while True:
        try:
            form = kind(chosen)
        except Exception as error:  # of the user's own class perhaps
            given = f" with item_export_kwargs {dict(chosen.extra)}" if chosen.extra else ""
            what = f"{kind.__name__} cannot be made{given}: {type(error).__name__}: {error}"
            raise OutputError(f"feed {name!r}: {what}") from error
        for setting, value in declared.items():
            setattr(form, setting, value)
        yield form


def _names(options: FeedOptions, settings: CoreSettings) -> dict[str, str] | None:
    """Return which fields are written, under which names; None: all."""
    fields = options.fields if options.fields is not None else settings.FEED_EXPORT_FIELDS
    if not fields:
        return None
    return dict(fields) if isinstance(fields, dict) else {field: field for field in fields}


def _place_of(feed: Feed, path: str) -> str:
    if isinstance(feed, SentFeed):
        return feed.destination
    return str(feed.path) if isinstance(feed, FileFeed) else path


def _is_device(path: str) -> bool:
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
