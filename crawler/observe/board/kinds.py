"""Which errors were there, by kind, and what held the reactor?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import astuple, replace

from crawler import events
from crawler.observe.board.shown import ErrorKind, Slow
from crawler.observe.frames import defined_at, describe, frames_of, shorten

MOST_KINDS = 500
"""Later ones are not shown; they are in the log."""

MOST_KEPT = 20
"""So many of the user's errors a job keeps, with the lines they came from."""


class ErrorKinds:
    """Counts errors by class and callback or stage, or by status. The user's line is looked for once a kind."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self.number = 0
        self._wall = wall
        self._kinds: dict[str, ErrorKind] = {}
        self._spider: object = None

    def all(self) -> list[ErrorKind]:
        """Return the kinds, the most frequent first."""
        return sorted(self._kinds.values(), key=lambda kind: (-kind.count, kind.kind))

    def take(self, kinds: Iterable[ErrorKind]) -> None:
        """Go on counting from these."""
        self._kinds |= {kind.kind: kind for kind in kinds}

    def opened(self, event: events.CrawlOpened) -> None:
        """Know whose callbacks are named."""
        self._spider = event.spider

    def spider_failed(self, event: events.SpiderFailed) -> None:
        """Count an error of a callback, an errback or start()."""
        callback = getattr(self._spider, event.callback, None)
        self._count(
            f"{type(event.error).__name__} in {event.callback}", event.url or "", describe(event.error),
            lambda: _line(event.error) or next(iter(defined_at(callback)), ""),
        )  # fmt: skip

    def item_failed(self, event: events.ItemFailed) -> None:
        """Count an error of a stage."""
        url = event.response.url if event.response is not None else ""
        kind = f"{type(event.error).__name__} in {event.stage}"
        self._count(kind, url, describe(event.error), lambda: _line(event.error))

    def ended(self, event: events.RequestEnded) -> None:
        """Count a request that failed."""
        if event.outcome == "failed":
            kind = event.reason if event.status is None else f"status {event.status}"
            self._count(kind, event.request.url, shorten(event.detail), lambda: "")

    def _count(self, kind: str, url: str, message: str, where: Callable[[], str]) -> None:
        before = self._kinds.get(kind)
        if before is None and len(self._kinds) >= MOST_KINDS:
            return
        self.number += 1
        self._kinds[kind] = ErrorKind(
            kind=kind,
            count=1 if before is None else before.count + 1,
            url=shorten(url) if before is None else before.url,
            where=where() if before is None else before.where,
            message=message,
            last=self._wall(),
        )


def _line(error: BaseException) -> str:
    """Return the innermost frame that the user can mend."""
    frames = [line for line in frames_of(error, ours=False) if not line.startswith("from ")]
    return frames[-1] if frames else ""


_FIELDS = ErrorKind.__struct_fields__


class KeptErrors:
    """The errors of the user's code as a fact of the job: so whoever looks at it from elsewhere, or later, has their
    lines. Of workers that share a job each has its own, and ``together`` adds them."""

    name = KINDS = "kinds"

    def __init__(self, bus: events.Events, wall: Callable[[], float]) -> None:
        self._kinds = ErrorKinds(wall)
        self._told = 0
        bus.subscribe(events.CrawlOpened, self._kinds.opened)
        bus.subscribe(events.SpiderFailed, self._kinds.spider_failed)
        bus.subscribe(events.ItemFailed, self._kinds.item_failed)

    def changed_facts(self) -> dict[str, Any]:
        """Return the most frequent ones, if there was one more."""
        if self._kinds.number == self._told:
            return {}
        self._told = self._kinds.number
        return {self.KINDS: [list(astuple(kind)) for kind in self._kinds.all()[:MOST_KEPT]]}

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Go on counting from what was kept."""
        self._kinds.take(together([facts.get(self.KINDS) or ()]))


def together(kept: Iterable[Iterable[Sequence[Any]]]) -> list[ErrorKind]:
    """Return the sum of what several workers have kept as the fact "kinds", the most frequent first."""
    found: dict[str, ErrorKind] = {}
    for each in (ErrorKind(**dict(zip(_FIELDS, row, strict=False))) for part in kept for row in part):
        before = found.get(each.kind)
        last = each if before is None or each.last >= before.last else before
        found[each.kind] = last if before is None else replace(last, count=before.count + each.count)
    return sorted(found.values(), key=lambda kind: (-kind.count, kind.kind))


class Held:
    """What held the reactor, by what it was and where."""

    def __init__(self) -> None:
        self.number = 0
        self._steps: dict[tuple[str, str], Slow] = {}

    def held(self, event: events.StepHeld) -> None:
        """Note a step that is over."""
        key = (event.what, event.where)
        before = self._steps.get(key)
        if before is None and len(self._steps) >= MOST_KINDS:
            return
        self.number += 1
        longest = event.seconds if before is None else max(before.seconds, event.seconds)
        count = 1 if before is None else before.count + 1
        self._steps[key] = Slow(what=event.what, where=event.where, seconds=longest, count=count)

    def all(self) -> list[Slow]:
        """Return them, the longest first."""
        return sorted(self._steps.values(), key=lambda step: -step.seconds)
