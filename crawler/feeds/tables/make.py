"""Which feed is made for the URI of a table?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.config.credentials import with_password
from crawler.errors import OutputError, SettingError, UsageError
from crawler.feeds.items import Fields
from crawler.feeds.names import Parameters, PathTemplate, Template, stamp
from crawler.feeds.options import FeedOptions, loaded
from crawler.feeds.tables.address import Origin, Target, read_place
from crawler.feeds.tables.database import Database
from crawler.feeds.tables.feed import TableFeed
from crawler.feeds.tables.sqlite import Sqlite
from crawler.model.masking import credentials_in

if TYPE_CHECKING:
    from crawler.config.schema import CoreSettings

_OF_FILES = (
    "format", "encoding", "indent", "batch_item_count", "store_empty", "item_export_kwargs", "export_empty_fields",
    "postprocessing", "storage_options",
)  # fmt: skip


def table_feed(
    feed: str,
    uri: str,
    options: FeedOptions,
    settings: CoreSettings,
    fields: Fields,
    values: Mapping[str, Any],
    parameters: Parameters | None,
    started: datetime,
) -> TableFeed:
    """Return the feed, not yet opened; ``values``, or what ``parameters`` makes of them, are for placeholders.

    Raises OutputError.
    """
    for name in _OF_FILES:
        if getattr(options, name) != getattr(FeedOptions(), name):
            raise OutputError(f"feed {feed!r}: the option {name} means nothing to a table")
    place = read_place(feed, uri, options.key)

    now = stamp(started)
    table = Template(feed, place.table, values, parameters).filled(time=now, batch_time=now, batch=1)
    database: Database
    hint = ""
    file = None
    if place.sqlite:
        file = PathTemplate(feed, place.server, values, parameters).path(time=now, batch_time=now, batch=1)
        database = Sqlite(file)
    else:
        from crawler.feeds.tables.postgres import Postgres

        server, hint = _with_password(place.server, settings)
        database = Postgres(server, place.schema)
    target = Target(table, place.key, file, [loaded(feed, kind) for kind in options.item_classes])
    origin = Origin(str(values["name"]), started.isoformat())
    return TableFeed(feed, database, fields, target, overwrite=bool(options.overwrite), origin=origin, hint=hint)


def _with_password(server: str, settings: CoreSettings) -> tuple[str, str]:
    """Return the server with the password that a job did not keep, or without one, which libpq may find, and a hint."""
    try:
        return with_password(server, settings), ""
    except SettingError:
        raise
    except UsageError:
        before, user, _, rest = credentials_in(server)
        hint = "; a job keeps no password: it is taken from PGPASSWORD, ~/.pgpass or the setting STORE_CREDENTIALS"
        return f"{before}{user}@{rest}", hint
