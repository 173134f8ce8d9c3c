"""What does one line of words do to a running crawl?

The status page posts these words, `crawler attach` and SSH pass them on: how many there are, and what is said of one
that is none, is here alone. Whether a value is right is what Control says.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import NamedTuple

from crawler.config.nearest import did_you_mean
from crawler.errors import SteeringError
from crawler.observe.board.source import ROWS_PER_PAGE, Source
from crawler.steering import telling
from crawler.steering.control import Control

Said = str | list[str]

_ALL = "all"
_FEW_HOSTS = 20


class Words:
    """The words of one crawl. ``control`` is None where it may be looked at only."""

    def __init__(self, source: Source, control: Control | None) -> None:
        self.source = source
        self._control = control

    @property
    def control(self) -> Control:
        """What steers; raises SteeringError where nothing may."""
        if self._control is None:
            raise SteeringError("this crawl is shown only: start it with --status-control for it to be steered")
        return self._control

    async def do(self, line: str, *, who: str) -> list[str]:
        """Do what a line says, in the name of ``who``, and return what is to be said of it, line by line.

        An empty line does nothing. Raises SteeringError, which says what would be right.
        """
        try:
            parsed = _parsed(line)
        except SteeringError as error:
            if self._control is not None:
                self._control.refused(str(error), who=who)
            raise
        if not parsed:
            return []
        name, *arguments = parsed
        said = WORDS[name].does(self, who, *arguments)
        done = await said if isawaitable(said) else said
        return [done] if isinstance(done, str) else done

    def completions(self, line: str) -> list[str]:
        """Return what the last word of a line, up to the cursor, may be completed to."""
        *before, last = line.split(" ")
        before = [word for word in before if word]
        if not before:
            return sorted(name for name in WORDS if name.startswith(last))
        takes = WORDS[before[0]].takes if before[0] in WORDS else ()
        kind = takes[len(before) - 1].strip("[]") if len(before) <= len(takes) else ""
        known: Iterable[str] = ()
        if kind.startswith("HOST"):
            rows = self.source.hosts(sort="name", descending=False, containing=last).rows
            known = [*(row.name for row in rows), *([_ALL] if _ALL in kind else [])]
        elif kind == "NAME":
            known = [setting.name for setting in self.source.settings() if setting.live]
        return sorted(name for name in known if name.startswith(last))


class Word(NamedTuple):
    """``takes``: its arguments, ``[…]`` those that may be left out; ``says``: what `help` has of it."""

    takes: tuple[str, ...]
    says: str
    does: Callable[..., Said | Awaitable[Said]]


def _parsed(line: str) -> list[str]:
    """Return a known word and as many arguments as it takes; nothing of an empty line. Raises SteeringError."""
    try:
        parsed = shlex.split(line)
    except ValueError as error:
        raise SteeringError(f"{error}: put an argument with a quote or a backslash in it between quotes") from error
    if not parsed:
        return []
    name, *arguments = parsed
    if name not in WORDS:
        raise SteeringError(
            f'there is no "{name:.60}" here{did_you_mean(name[:60], WORDS)}; `help` lists what there is'
        )
    takes = WORDS[name].takes
    least = sum(not each.startswith("[") for each in takes)
    if not least <= len(arguments) <= len(takes):
        raise SteeringError(f"{_usage(name)}: {_counted(takes, least)}, got {len(arguments)}")
    return parsed


def _usage(name: str) -> str:
    return " ".join((name, *WORDS[name].takes))


def _counted(takes: tuple[str, ...], least: int) -> str:
    many = f"{least} or {len(takes)}" if least != len(takes) else str(least)
    return f"takes {many} argument{'s' * (len(takes) != 1)}" if takes else "takes no argument"


def _host(name: str | None) -> str | None:
    return None if name == _ALL else name


def _pause(words: Words, who: str, host: str | None = None) -> Said:
    return words.control.pause(_host(host), who=who)


def _resume(words: Words, who: str, host: str | None = None) -> Said:
    return words.control.resume(_host(host), who=who)


def _delay(words: Words, who: str, host: str, seconds: str) -> Said:
    return words.control.set("DOWNLOAD_DELAY", seconds, host=_host(host), who=who)


def _concurrency(words: Words, who: str, host: str, number: str) -> Said:
    return words.control.set("CONCURRENT_REQUESTS_PER_DOMAIN", number, host=_host(host), who=who)


def _set(words: Words, who: str, name: str, value: str) -> Said:
    return words.control.set(name, value, host=None, who=who)


def _add(words: Words, who: str, url: str) -> Said:
    return words.control.add(url, who=who)


def _drop(words: Words, who: str, host: str) -> Awaitable[str]:
    return words.control.drop(host, who=who)


def _stop(words: Words, who: str) -> Said:
    return words.control.stop(who=who)


def _explain(words: Words, who: str, url: str) -> Awaitable[list[str]]:
    return words.control.explain(url)


def _status(words: Words, who: str) -> Said:
    return telling.status(words.source.now())


def _hosts(words: Words, who: str, number: str = str(_FEW_HOSTS)) -> Said:
    if not number.isdecimal() or not 1 <= int(number) <= ROWS_PER_PAGE:
        raise SteeringError(f'{_usage("hosts")}: N is a whole number from 1 to {ROWS_PER_PAGE}, not "{number:.60}"')
    found = words.source.hosts()
    return telling.hosts(found.rows[: int(number)], found.total)


def _errors(words: Words, who: str) -> Said:
    return telling.errors(words.source.errors())


def _settings(words: Words, who: str) -> Said:
    return telling.settings(words.source.settings())


def _help(words: Words, who: str) -> Said:
    return [line_of_help(_usage(name), word.says) for name, word in WORDS.items()]


def line_of_help(usage: str, says: str) -> str:
    """Return the line that tells of a word, its second column below those of the others."""
    return f"{usage:<{max(map(len, map(_usage, WORDS)))}}  {says}"


WORDS: dict[str, Word] = {
    "pause": Word(("[HOST]",), "send nothing more, to HOST or at all, until `resume`", _pause),
    "resume": Word(("[HOST]",), "send again", _resume),
    "delay": Word(("HOST|all", "SECONDS"), "the time between two requests to a host", _delay),
    "concurrency": Word(("HOST|all", "N"), "the most requests in flight at a host", _concurrency),
    "set": Word(("NAME", "VALUE"), "a setting that can be changed while the crawl runs", _set),
    "add": Word(("URL",), "fetch URL too, for the spider's parse()", _add),
    "drop": Word(("HOST",), "fetch nothing of what is queued at HOST", _drop),
    "stop": Word((), "end the crawl as Ctrl-C does: what is in flight is finished", _stop),
    "explain": Word(("URL",), "say why URL was or was not fetched", _explain),
    "status": Word((), "how far the crawl is", _status),
    "hosts": Word(("[N]",), "the N hosts with the longest queues, and why they wait", _hosts),
    "errors": Word((), "what went wrong, by kind", _errors),
    "settings": Word((), "the settings that `set` can change", _settings),
    "help": Word((), "this list", _help),
}
