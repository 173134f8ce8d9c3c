"""Does a crawl end, and say why, when a store of somebody else's answers what it must not?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from crawler import Request, Response, Spider
from crawler.frontier.store import Alone, Postponed
from crawler.storage.memory import MemoryStore
from crawler.testing import crawl
from tests.engine import virtual


class Many(Spider):
    """Asks for more than a window of four holds."""

    name = "many"

    async def start(self) -> AsyncIterator[Request]:
        for number in range(50):
            yield Request(f"http://shop.example/{number}")

    def parse(self, response: Response) -> None:
        """Yield nothing."""


class OddLease(MemoryStore):
    """Leases what is no pair of an entry and a time."""

    window: int | None = 4

    def lease(self, host: str, count: int, after: Any) -> Deferred[Any]:
        return succeed([("no entry",)])


class OddRedirect(MemoryStore):
    """Knows no answer to a redirect; it answers so when the engine has gone on."""

    def redirect(self, postponed: Postponed, fingerprint: int) -> Deferred[Any]:
        return succeed(NoAnswer())

    def claim(self, token: int, fingerprints: Sequence[int]) -> Deferred[Any]:
        return succeed([NoAnswer()])


class NoAnswer:
    """Neither true nor false."""

    def __bool__(self) -> bool:
        raise ValueError("neither")

    def __eq__(self, other: object) -> bool:
        raise ValueError("neither")

    __hash__ = None  # type: ignore[assignment]


def test_a_lease_that_does_not_fit_ends_the_crawl() -> None:
    summary = crawl(Many, lambda request: "page", store=OddLease()).summary
    assert (summary.reason, summary.exit_status) == ("internal_error", 1)
    assert "ValueError" in summary.problems[0]


def test_an_answer_about_a_redirect_that_does_not_fit_ends_the_crawl() -> None:
    def site(request: Request) -> Any:
        if request.url.endswith("robots.txt"):
            return 404
        return Response(request.url, 302, {"Location": "/elsewhere"})

    summary = crawl(Many, site, store=OddRedirect()).summary
    assert (summary.reason, summary.exit_status) == ("internal_error", 1)
    assert "neither" in summary.problems[0]


@pytest.mark.parametrize("durable", [False, True])
def test_a_store_of_one_process_is_asked_nothing_that_only_a_shared_one_knows(
    durable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("listen", "may_send", "look", "running"):
        monkeypatch.setattr(Alone, name, lambda *arguments, name=name: asked.append(name) or True)

    def parse(self: Spider, response: Response) -> Any:
        yield {"url": response.url}
        yield from response.follow_all(css="a")

    site = {virtual.ROOT: "".join(f'<a href="/{n}">x</a>' for n in range(20))}
    site |= {f"{virtual.ROOT}{n}": "a page" for n in range(20)}
    result = virtual.crawl(virtual.spider(parse=parse), site, job=tmp_path / "job.sqlite" if durable else None)
    assert (result.summary.reason, len(result.items), asked) == ("finished", 21, [])
