"""Which settings have been changed while the crawl runs, and who hears of it?

The crawl's settings are one value that never changes; a change makes another, and those who go by a setting are given
it. What was changed is kept in the job as facts, by the name of the setting: a resume has it, unless it is given
another value. On a cluster the facts come in from whoever has changed something, and the newest counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock
from crawler.engine.keeping.committer import Committer
from crawler.errors import SteeringError
from crawler.events import Events, SettingChanged
from crawler.steering.control import LiveSetting
from crawler.steering.settings import DEFAULT, LIVE, checked, together

logger = logging.getLogger("crawler")

PREFIX = "live:"
"""Before NAME, or NAME@HOST: the name of the fact ``[value, who, when]``."""

Apply = Callable[[CoreSettings], object]


class Said(NamedTuple):
    """What somebody has said of a setting, or of a host. ``when``: seconds since the epoch."""

    value: Any
    who: str
    when: float


class LiveSettings:
    """The settings of a crawl as they are now. ``anew``: names given to this run, before which what was kept goes.

    ``committer`` None: nothing is kept. ``level``: how it is logged what a resume has of an earlier run.
    """

    def __init__(
        self,
        core: CoreSettings,
        clock: Clock,
        events: Events,
        committer: Committer | None,
        *,
        anew: Iterable[str] = (),
        level: int = logging.INFO,
    ) -> None:
        self.core = self._begun = core
        self._said: dict[tuple[str, str | None], Said] = {}
        self._applied: dict[str, list[Apply]] = {}
        self._clock = clock
        self._events = events
        self._committer = committer
        self._anew = frozenset(anew)
        self._level = level
        self._changed: dict[str, list[Any] | None] = {}

    def __repr__(self) -> str:
        return f"<LiveSettings {self._said!r}>"

    def add(self, apply: Apply, *names: str) -> None:
        """Call ``apply(core)`` with the settings of then whenever one of these has changed."""
        for name in names:
            self._applied.setdefault(name, []).append(apply)

    def shown(self) -> dict[str, LiveSetting]:
        """Return what may be set, and what it is now."""
        return {name: self._shown(name) for name in LIVE if name in self._applied}

    def _shown(self, name: str) -> LiveSetting:
        said, live = self._said.get((name, None), NOBODY), LIVE[name]
        if said.value == DEFAULT:  # what it is now nobody has said while the crawl ran
            said = NOBODY
        slots = self.core.DOWNLOAD_SLOTS.items() if live.of_host else ()
        hosts = {host: slot[live.of_host] for host, slot in slots if live.of_host in slot}
        return LiveSetting(getattr(self.core, name), live.what, said.who, said.when, bool(live.of_host), hosts)

    def set(self, name: str, value: object, host: str | None, who: str) -> str:
        """Change a setting, of all or of a host; return what was done. Raises SteeringError."""
        new = checked(name, value, host)
        if name not in self._applied:
            raise SteeringError(f"{name} is read once, at the start of a crawl like this one")
        before, said = self._value(name, host), Said(new, who, self._clock.wall())
        self._take(name, host, said)
        self._changed[fact_name(name, host)] = list(said)
        if self._committer is not None:
            self._committer.soon()
        of, others = f" of {host}" if host is not None else "", ""
        own = len(self._shown(name).hosts) if host is None else 0
        if own:
            others = f"; {own} host{'s have' if own > 1 else ' has'} a value of {'their' if own > 1 else 'its'} own"
        return f"{name}{of} is {_plain(self._value(name, host))}, it was {_plain(before)}{others}"

    def _value(self, name: str, host: str | None) -> Any:
        value = getattr(self.core, name)
        return value if host is None else self.core.DOWNLOAD_SLOTS.get(host, {}).get(LIVE[name].of_host, value)

    def _take(self, name: str, host: str | None, said: Said) -> None:
        before = self._value(name, host)
        self._said[name, host] = said
        self.core = together(self._begun, {key: each.value for key, each in self._said.items()})
        for apply in self._applied.get(name, ()):
            apply(self.core)
        self._events.publish(SettingChanged(name, host, self._value(name, host), before, said.who, said.when))

    # Facts

    def changed_facts(self) -> dict[str, Any]:
        """Return what was changed here, and what has given way to what this run was begun with."""
        changed, self._changed = self._changed, {}
        return changed

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Go by what was kept, or has been said elsewhere, where that is newer than what is known here."""
        taken = []
        for fact in sorted(name for name in facts if name.startswith(PREFIX)):
            name, host = name_of(fact)
            if facts[fact] is None:
                self._forget(name, host)
                continue
            if name not in LIVE or (said := Said(*facts[fact])).when <= self._said.get((name, host), NOBODY).when:
                continue
            shown = f"{name}{f' of {host}' if host is not None else ''} = {_plain(said.value)} ({said_by(said)})"
            if name in self._anew:
                self._changed[fact] = None
                logger.log(self._level, "%s gives way to what this run was given", shown)
            elif name in self._applied:
                self._take(name, host, said)
                taken.append(shown)
        if taken:
            logger.log(self._level, "Settings changed while the crawl ran: %s", "; ".join(taken))

    def _forget(self, name: str, host: str | None) -> None:
        """Go by what this run was begun with: whoever looks after the workers was given that anew."""
        if said := self._said.get((name, host)):
            self._take(name, host, said._replace(value=DEFAULT))


NOBODY = Said(None, "", 0.0)


def fact_name(name: str, host: str | None) -> str:
    """Return the name of the fact that keeps what was said of a setting, of all or of a host."""
    return PREFIX + (name if host is None else f"{name}@{host}")


def name_of(fact: str) -> tuple[str, str | None]:
    """Return what the fact of a name is about."""
    name, at, host = fact.removeprefix(PREFIX).partition("@")
    return name, host if at else None


def said_by(said: Said) -> str:
    """Return who said something, and when, in words."""
    return f"set live by {said.who}, {datetime.fromtimestamp(said.when):%Y-%m-%d %H:%M}"


def _plain(value: Any) -> str:
    """Return a value as one writes it behind ``set NAME``."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
