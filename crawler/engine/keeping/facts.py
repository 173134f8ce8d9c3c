"""What else must a job remember, beside its requests and items?

Cookies, robots.txt, throttle states, counters and the spider's state are facts: named plain values.
With each commit, what changed since the last one is stored; a resume hands all of them back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any, Protocol

from crawler.engine.ending import Ending
from crawler.spider import Spider
from crawler.stats import Stats, summed

_PLAIN = (str, int, float, NoneType, datetime)

_EXTREMES = ""
"""The key, in the fact "stats", of those that are the largest or the smallest of what there was."""


class FactSource(Protocol):
    """Something that has facts to keep; names begin with the source's own prefix."""

    def changed_facts(self) -> dict[str, Any]:
        """Return the facts that changed since the last call, by name; plain values, None for one that is gone."""

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Take back what was kept; the facts of other sources are among them.

        In the middle of a crawl it is called again with what other workers have kept: any number of times, in parts,
        and with facts that were there before. None may let a host be asked faster than what is known here, unless
        somebody has said so live (engine/steering).
        """


class Facts:
    """All sources together. A source that raises is told of once: its facts are left out.

    ``memory_changes`` are changes of stage memory that belong to no unit, and that threads may add to.
    """

    def __init__(self, sources: Sequence[FactSource], memory_changes: list[Any], ending: Ending) -> None:
        self._sources = list(sources)
        self.memory_changes = memory_changes
        self._ending = ending
        self._told: set[str] = set()

    def add(self, *sources: FactSource) -> None:
        """Keep the facts of these, too."""
        self._sources += sources

    def changed(self) -> dict[str, Any]:
        """Return all that changed."""
        facts: dict[str, Any] = {}
        for source in self._sources:
            try:
                facts.update(source.changed_facts())
            except BaseException as error:  # the spider's state is the user's
                self._lose(source, error)
        return facts

    def _lose(self, source: FactSource, error: BaseException) -> None:
        name = getattr(source, "name", type(source).__name__)
        if name not in self._told:
            self._told.add(name)
            if isinstance(error, NoSharedState):  # what it is for does not come about: better no crawl than a wrong one
                self._ending.report(error, name)
                self._ending.stop("spider_state")
            else:
                self._ending.value_lost(name, error)

    def restore(self, facts: dict[str, Any]) -> None:
        """Hand the facts of a resumed job to their sources."""
        if facts:
            for source in self._sources:
                source.restore_facts(facts)


class StatsFacts:
    """The counters of the crawl, so that a resumed job goes on counting. Of workers that share a job each has its own,
    and ``summed_stats`` adds them."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats

    def changed_facts(self) -> dict[str, Any]:
        """Return the counters; they change with every commit."""
        values = {key: value for key, value in self._stats.get_stats().items() if isinstance(value, _PLAIN)}
        return {"stats": {**values, _EXTREMES: dict(self._stats.extremes)}}

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Go on counting from what was kept."""
        for key, value in facts.get("stats", {}).items():
            if key == _EXTREMES:
                self._stats.extremes.update(value)
            else:
                self._stats.set_value(key, value)


def summed_stats(kept: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sum of what several workers have kept as the fact "stats" (see `crawler.stats.summed`)."""
    extremes = {key: kind for part in kept for key, kind in part.get(_EXTREMES, {}).items()}
    return summed([{key: value for key, value in part.items() if key != _EXTREMES} for part in kept], extremes)


class Notes:
    """Facts of those who run beside the crawl, each by a name of its own."""

    PREFIX = "note:"

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._changed: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """Return what was kept, also by earlier runs of the job; None for nothing."""
        return self._values.get(self.PREFIX + name)

    def set(self, name: str, value: Any) -> None:
        """Change what is kept: a plain value."""
        self._values[self.PREFIX + name] = self._changed[self.PREFIX + name] = value

    def changed_facts(self) -> dict[str, Any]:
        """Return those that changed since the last call."""
        changed, self._changed = self._changed, {}
        return changed

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Take back what was kept."""
        self._values |= {name: value for name, value in facts.items() if name.startswith(self.PREFIX)}


class ErrorCount:
    """How many errors there were; ``before``: in earlier runs of the job. Of workers that share a job each has its
    own, and who shows them adds them."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending
        self.before = 0

    @property
    def total(self) -> int:
        """The errors of all runs."""
        ending = self._ending
        return self.before + ending.failures + ending.lost_items + ending.life.books.ended["failed"]

    def changed_facts(self) -> dict[str, Any]:
        """Return the count of all runs."""
        return {"errors": self.total}

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Go on counting from what was kept."""
        self.before = facts.get("errors", self.before)


class NoSharedState(TypeError):
    """A worker of a job that several share has changed the spider's state."""

    def __init__(self) -> None:
        super().__init__(
            "several workers share this job, and each has a spider of its own: what one writes into spider.state the "
            "others do not see. Put it into cb_kwargs or meta of a request, an item, or a stage's memory_set or "
            "memory_dict; or crawl in one process, on a job on this machine"
        )


class SpiderState:
    """The spider's ``state``, saved at every commit; ``shared``: the job is several workers', none may change it."""

    name = "spider.state"

    def __init__(self, spider: Spider, *, shared: bool = False) -> None:
        self._spider = spider
        self._shared = shared
        self._begun = self._said() if shared else ""

    def _said(self) -> str:
        return repr(getattr(self._spider, "state", None) or None)

    def changed_facts(self) -> dict[str, Any]:
        """Return the state if there is any; raises TypeError for one that is no dict, NoSharedState for a change of one
        that cannot be shared."""
        if self._shared:
            if self._said() != self._begun:
                raise NoSharedState
            return {}
        state = getattr(self._spider, "state", None)
        if state is None:
            return {}
        if not isinstance(state, Mapping):
            raise TypeError(f"it must be a dict of plain values to be kept, not {type(state).__name__}")
        return {"spider.state": dict(state)} if state else {}

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Give the spider its state back."""
        if "spider.state" in facts:
            self._spider.state = dict(facts["spider.state"])
