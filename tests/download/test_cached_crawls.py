"""Crawls from the cache: the whole engine over real sockets."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from twisted.internet.defer import Deferred, succeed

from crawler import testing
from crawler.assembly.world import real_world
from crawler.config.schema import CoreSettings
from crawler.download.builtin import BuiltIn
from crawler.download.middleware.cache.disk import BACKLOG, MOST, KeptPages
from crawler.download.middleware.cache.middleware import HttpCache
from crawler.model.cached import CachedPage
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider
from crawler.storage.cache import CacheFile
from tests.download.chaos import Chaos, answer, steps
from tests.download.reactor import reactor
from tests.security.support import crawl, page, walker

FRESH = b"Cache-Control: max-age=600\r\nContent-Type: text/html\r\n"


@pytest.fixture
def site(outside: None) -> Iterator[Chaos]:
    """Thirty pages behind one, all fresh for ten minutes."""
    links = b"".join(b'<a href="/%d">x</a>' % number for number in range(30))
    scripts = {f"/{number}": steps(answer(b"page", headers=FRESH)) for number in range(30)}
    server = Chaos({"/": steps(answer(links, headers=FRESH)), **scripts})
    yield server
    server.close()


def run(site: Chaos, folder: Path, **settings: Any) -> Any:
    given = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_FILE": str(folder / "cache.sqlite"), **settings}
    return crawl(walker(site.url("/")), given)


@pytest.mark.parametrize("policy", ["rfc9111", "everything", "replay"])
def test_a_second_crawl_asks_for_nothing(site: Chaos, tmp_path: Path, policy: str) -> None:
    assert len(run(site, tmp_path).items) == 31
    assert len(site.requests) == 32  # and robots.txt
    site.requests.clear()
    # A delay would take a quarter of an hour; fresh answers do not wait for it.
    found = run(site, tmp_path, HTTPCACHE_POLICY=policy, DOWNLOAD_DELAY=30)
    assert len(found.items) == 31
    assert site.requests == []
    assert found.summary.stats["response_received_count"] == 31


def test_replay_without_a_page_is_an_error(site: Chaos, tmp_path: Path) -> None:
    found = run(site, tmp_path, HTTPCACHE_POLICY="replay", ROBOTSTXT_OBEY=False)
    assert found.errors == {site.url("/"): "NotInCache"}
    assert site.requests == []


@pytest.mark.parametrize("when", ["whole", "pages"])
def test_a_damaged_cache_is_a_miss(site: Chaos, tmp_path: Path, when: str, caplog: pytest.LogCaptureFixture) -> None:
    run(site, tmp_path)
    site.requests.clear()
    file = tmp_path / "cache.sqlite"
    data = bytearray(file.read_bytes())
    if when == "whole":
        data[:100] = b"nonsense" * 12 + b"1234"
    else:
        data[4096:] = b"\xa5" * (len(data) - 4096)
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert len(run(site, tmp_path).items) == 31
    assert len(site.requests) == 32
    assert "The cache" in caplog.text


def test_pages_that_a_stale_answer_leads_to(site: Chaos, tmp_path: Path) -> None:
    site.scripts["/"] = steps(page("/1", "/2"))  # says nothing of its freshness: asked for each time
    run(site, tmp_path)
    site.requests.clear()
    found = run(site, tmp_path, ROBOTSTXT_OBEY=False)
    assert len(found.items) == 3
    assert [head.split(b" ")[1] for head in site.requests] == [b"/"]


class Slow:
    """A cache's file whose thread has other things to do; ``go()`` does one batch."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.closed = False
        self.under_way: list[tuple[Any, Any, Deferred[Any]]] = []

    def find(self, key: bytes) -> list[CachedPage]:
        return []

    def work(self, batch: Any) -> None:
        self.batches.append(list(batch))

    def close(self) -> None:
        self.closed = True

    def run(self, function: Any, *arguments: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.under_way.append((function, arguments, done))
        return done

    def go(self) -> None:
        function, arguments, done = self.under_way.pop()
        done.callback(function(*arguments))


def kept(number: int) -> CachedPage:
    return CachedPage(f"http://a/{number}", 200, [], 0.0, 0.0)


def test_pages_are_written_in_batches_and_found_before() -> None:
    slow = Slow()
    work = KeptPages(slow, slow)
    waits = [work.keep(b"%d" % number, kept(number)) for number in range(BACKLOG + 1)]
    assert waits[:-1] == [None] * BACKLOG
    assert waits[-1] is not None
    assert work.find(b"7") == [kept(7)]
    work.remove(b"7")
    assert work.find(b"7") == []
    slow.go()
    assert not waits[-1].called or len(slow.batches) == 1
    slow.go()
    assert waits[-1].called
    assert [len(batch) for batch in slow.batches] == [1, MOST]
    written = work.written()
    while not written.called:
        slow.go()
    assert sum(map(len, slow.batches)) == BACKLOG + 2
    work.close()
    assert slow.closed


def test_a_cache_that_fails_is_told(caplog: pytest.LogCaptureFixture) -> None:
    slow = Slow()
    work = KeptPages(slow, slow)
    work.keep(b"1", kept(1))
    slow.under_way.pop()[2].errback(ValueError("no"))
    assert "The cache failed: no" in caplog.text
    assert work.find(b"1") == []


class LatePool:
    """A thread that is behind: `go` does one piece of work, and what was not begun before the end never is."""

    def __init__(self, name: str, size: int) -> None:
        self.ended = False
        self.slow = Slow()

    def run(self, function: Any, *arguments: Any) -> Deferred[Any]:
        return self.slow.run(function, *arguments) if not self.ended else Deferred()

    def stop(self) -> Deferred[None]:
        self.ended = True
        return succeed(None)


def test_the_end_of_a_crawl_waits_until_every_page_is_in_the_file() -> None:
    pool, pages = LatePool("cache", 1), Slow()
    core = CoreSettings(HTTPCACHE_ENABLED=True, HTTPCACHE_POLICY="everything")
    built_in = BuiltIn(core, replace(real_world(reactor).machine, pools=lambda name, size: pool), pages)
    cache = next(each for each in built_in.middlewares if isinstance(each, HttpCache))
    for number in range(100):
        request = Request(f"http://a.test/{number}")
        learned = Deferred.fromCoroutine(cache(request, lambda sent: succeed(Response(sent.url, 200, request=sent))))
        assert learned.called
    closed = Deferred.fromCoroutine(built_in.close())
    while not closed.called:
        pool.slow.go()
    assert sum(map(len, pages.batches)) == 100
    assert pages.closed


def test_pages_without_a_body_are_kept(tmp_path: Path) -> None:
    file = CacheFile(tmp_path / "cache.sqlite")
    file.work([(b"%d" % number, kept(number)) for number in range(3)])
    assert [page.body for page in file.find(b"2")] == [b""]
    assert file.stats()["pages"] == 3
    file.close()


class Visitor(Spider):
    """Yields the status of its one page, whatever it is."""

    name = "visitor"
    start_urls: ClassVar = ["http://a.test/"]
    custom_settings: ClassVar = {"HTTPERROR_ALLOW_ALL": True, "ROBOTSTXT_OBEY": False, "HTTPCACHE_ENABLED": True}

    def parse(self, response: Response) -> Any:
        yield {"status": response.status, "flags": response.flags}


def test_a_replay_gives_a_kept_refusal_as_it_was_and_testing_has_the_cache_too(tmp_path: Path) -> None:
    settings = {"HTTPCACHE_FILE": str(tmp_path / "cache.sqlite")}
    asked = testing.crawl(Visitor, {"http://a.test/": 503}, settings={**settings, "HTTPCACHE_POLICY": "everything"})
    assert [item["status"] for item in asked.items] == [503]
    replayed = testing.crawl(Visitor, {}, settings={**settings, "HTTPCACHE_POLICY": "replay"})
    assert replayed.items == [{"status": 503, "flags": ["cached"]}]
    assert replayed.sent == []
    assert replayed.seconds < 1  # no back-off before the same is looked up again
