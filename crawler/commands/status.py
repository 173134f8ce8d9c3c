"""``crawler status``: how does a crawl go that another process, or another machine, has started?"""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Unpack

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.live import Live

from crawler.commands.finding import find_any
from crawler.commands.loading import settings_here
from crawler.commands.looking.choose import OVER, chosen_job, reader_of, runs_reader
from crawler.commands.looking.looked import Looked
from crawler.commands.looking.screen import view
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.showing import say, say_json
from crawler.config.schema import CoreSettings
from crawler.errors import CrawlerError
from crawler.observe.board.shown import (
    ErrorKind,
    FeedRow,
    HostPage,
    Item,
    Now,
    Run,
    Series,
    Setting,
    Slow,
    Worker,
)
from crawler.observe.board.source import Source

LOOK_SECONDS = 1.0
TEXT_WIDTH = 160


class Whole(Struct, kw_only=True, frozen=True):
    """All that is shown of a crawl, as ``--json`` prints it; of the hosts the first 200."""

    now: Now
    series: Series
    hosts: HostPage
    errors: Sequence[ErrorKind]
    items: Sequence[Item]
    slow: Sequence[Slow]
    settings: Sequence[Setting]
    feeds: Sequence[FeedRow]
    workers: Sequence[Worker]
    history: Sequence[Run]


@click.command()
@click.argument("name", metavar="[JOB]", required=False)
@click.option("--once", is_flag=True, help="Print it once, and end.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, once: what the status page's server answers.")
@settings_options
def command(name: str | None, *, once: bool, as_json: bool, **given: Unpack[Given]) -> None:
    """Show how the crawl of JOB goes, once a second; q ends that, and not the crawl.

    Without JOB that of the one that runs, or ran last. Of a crawl with --status all is shown that its page has; of
    others what their job knows, here or on the server of JOB_STORE.
    """
    core = settings_here(command_line_settings(given)).core
    job = chosen_job(core, name)
    console = Console(highlight=False)
    live = console.is_terminal and not (once or as_json or console.is_dumb_terminal)
    if not console.is_terminal:
        console.width = TEXT_WIDTH
    with reader_of(core, job) as read:
        source = Looked(read, runs=runs_reader(core, job) if as_json else tuple)
        source.look()
        if live:
            if _watch(source, console):
                _print_last(core, job.name, source, console)
            return
        if source.reading.series is None and source.now().job.state not in OVER:
            time.sleep(LOOK_SECONDS)  # rates take two looks
            source.look()
        if as_json:
            say_json(msgspec.json.format(msgspec.json.encode(whole_of(source)), indent=2))
        else:
            console.print(view(source, width=console.width, height=None))


def _print_last(core: CoreSettings, name: str, source: Looked, console: Console) -> None:
    """Print what there is of a job whose crawl has just ended: its file may be gone, and its history be there."""
    try:
        with reader_of(core, find_any(core, name)) as read:
            source = Looked(read)
            source.look()
    except CrawlerError:
        say(f"The crawl is over, and nothing is kept of job {name}. What was seen of it last:", err=True)
    console.print(view(source, width=console.width, height=None))


def _wait(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def whole_of(source: Source) -> Whole:
    """Return all that a source shows."""
    parts = {name: getattr(source, name)() for name in Whole.__struct_fields__}
    return Whole(**parts)


def _watch(source: Looked, console: Console) -> bool:
    """Show it until the user or the crawl ends; return whether it was the crawl."""
    with Live(console=console, screen=True, auto_refresh=False) as live, _keys() as pressed:
        try:
            while source.now().job.state not in OVER:
                live.update(view(source, width=console.width, height=console.height), refresh=True)
                if pressed(LOOK_SECONDS) in ("q", "Q", "\x04"):
                    return False
                source.look()
        except CrawlerError:  # its job has gone
            pass
        except KeyboardInterrupt:
            return False
    return True


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """Yield what waits so many seconds for a key of the user's, and returns it, "" if there was none."""
    if not sys.stdin.isatty():
        yield _wait
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return os.read(sys.stdin.fileno(), 1).decode(errors="replace") if ready else ""

    try:
        yield pressed
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
