"""``crawler attach [JOB] [WORD…]``: how is a running crawl looked into and steered, from another shell?"""

from __future__ import annotations

import os
import shlex
import socket
import sys
from pathlib import Path
from typing import Unpack

import click

from crawler.commands.finding import all_jobs, find_any
from crawler.commands.loading import settings_here
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.showing import say
from crawler.config.schema import CoreSettings
from crawler.console.client import Attached, Gone, run_lines, run_prompt
from crawler.console.sockets import connected
from crawler.errors import UsageError
from crawler.steering.words import WORDS
from crawler.storage.jobs import CONSOLE, check_name, console_socket


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("name", metavar="[JOB]", required=False)
@click.argument("words", metavar="[WORD…]", nargs=-1)
@settings_options
def command(name: str | None, words: tuple[str, ...], **given: Unpack[Given]) -> int:
    """Open a prompt in the running crawl of JOB, one that was started with --console.

    `help` lists the words it knows, as in `pause example.com`; `python` is a prompt of Python in the crawl's process.
    Ctrl-D leaves, and the crawl goes on. With WORD… that one line is done; its status is 0, or 2 if it could not be.
    Without a terminal each line of the input is done.
    """
    core = settings_here(command_line_settings(given)).core
    with _connected(core, name, words) as peer:
        attached = Attached(peer, lambda text, wrong: say(text, err=wrong))
        try:
            if words:
                return 0 if run_lines(attached, [_line(words)]) else 2
            if not sys.stdin.isatty():
                return 0 if run_lines(attached, sys.stdin) else 2
            run_prompt(attached, _history())
        except Gone as gone:
            if str(gone):
                say(str(gone), err=True)
            return 0 if gone.well else 1
    return 0


def _connected(core: CoreSettings, name: str | None, words: tuple[str, ...]) -> socket.socket:
    folder = Path(core.JOB_DIR).absolute()
    if name is None:
        return _only_one(folder)
    path = console_socket(folder, check_name(name))
    try:
        return connected(path)
    except PermissionError as error:
        raise UsageError(f"the console of {name} is for the user who started it: {path}: {error.strerror}") from error
    except OSError as error:
        raise UsageError(_why_not(core, name, words)) from error


def _only_one(folder: Path) -> socket.socket:
    """Return a connection with the one job of a folder that has a console. Raises UsageError."""
    found: dict[str, socket.socket] = {}
    for path in sorted(folder.glob(f"*{CONSOLE}")):
        try:
            found[path.name.removesuffix(CONSOLE)] = connected(path)
        except OSError:  # a kill has left it, or it is another user's
            continue
    if len(found) == 1:
        return found.popitem()[1]
    for peer in found.values():
        peer.close()
    if not found:
        raise UsageError(f"no job in {folder} has a console open: start one with --console")
    raise UsageError(f"which job? `crawler attach JOB`, with one of {', '.join(found)}")


def _why_not(core: CoreSettings, name: str, words: tuple[str, ...]) -> str:
    if name in WORDS and name not in (job.name for job in all_jobs(core)):
        return f'there is no job "{name}"; the job comes first: `crawler attach JOB {shlex.join((name, *words))}`'
    job = find_any(core, name)
    if job.state == "running":
        return f"job {name} is running without a console: one is opened when a crawl is started with --console"
    if job.state == "stopped":
        return f"job {name} is stopped: `crawler resume {name} --console` goes on with it, with a console"
    return f"job {name} is {job.state}: nothing runs that a console could be opened in"


def _line(words: tuple[str, ...]) -> str:
    """Return the line that arguments are: as they were typed, where one argument is all of it or they are Python."""
    return " ".join(words) if len(words) == 1 or words[0] == "python" else shlex.join(words)


def _history() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "crawler" / "console_history"
