"""What is in the HTTP cache, and how is it emptied? ``crawler cache stats|clear``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Unpack

import click
import msgspec
from rich.filesize import decimal

from crawler.commands.loading import settings_here
from crawler.commands.options import CommandGroup, Given, command_line_settings, settings_options
from crawler.commands.showing import say
from crawler.storage.cache import CacheFile


@click.group(cls=CommandGroup)
def command() -> None:
    """Look at the HTTP cache (HTTPCACHE_FILE), or empty it."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@settings_options
def stats(*, as_json: bool, **given: Unpack[Given]) -> None:
    """Say how many pages are kept, how large they are and how old."""
    path = _path(given)
    with _opened(path) as cache:
        kept = cache.stats() if cache is not None else dict(_EMPTY)
    if as_json:
        click.echo(msgspec.json.encode({"path": str(path), **kept}).decode())
        return
    say(f"{path}: {kept['pages']:,} pages, {decimal(kept['bytes'])}")
    if kept["oldest"] is not None:
        click.echo(f"received between {_time(kept['oldest'])} and {_time(kept['latest'])}")


@command.command()
@settings_options
def clear(**given: Unpack[Given]) -> None:
    """Remove every page."""
    with _opened(_path(given)) as cache:
        click.echo(f"{cache.clear() if cache is not None else 0:,} pages removed")


_EMPTY: dict[str, Any] = {"pages": 0, "bytes": 0, "oldest": None, "latest": None}


def _path(given: Given) -> Path:
    return Path(settings_here(command_line_settings(given)).core.HTTPCACHE_FILE)


@contextmanager
def _opened(path: Path) -> Iterator[CacheFile | None]:
    """Open the cache, None if there is none: looking makes no file."""
    cache = CacheFile(path) if path.exists() else None
    try:
        yield cache
    finally:
        if cache is not None:
            cache.close()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(" ", "seconds")
