"""Does a project's own download handler fetch?"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectError

from crawler.errors import SettingError
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.http import TextResponse
from tests.scrapy.test_chain import ROOT, Made, endings, run


class Coroutine:
    """As today's are written."""

    lazy = False
    closed = 0

    @classmethod
    def from_crawler(cls, crawler: Any) -> Any:
        made = cls()
        made.prefix = crawler.settings.get("PREFIX")  # type: ignore[attr-defined]
        return made

    async def download_request(self, request: Any) -> Any:
        await asyncio.sleep(0.5)
        await succeed(None)
        return TextResponse(request.url, body=f"{self.prefix} {request.url}".encode())  # type: ignore[attr-defined]

    async def close(self) -> None:
        type(self).closed += 1


class OfOld:
    """As they were written before."""

    def __init__(self, settings: Any, crawler: Any = None) -> None:
        pass

    @classmethod
    def from_settings(cls, settings: Any) -> Any:
        return cls(settings)

    def download_request(self, request: Any, spider: Any) -> Deferred[Any]:
        return succeed(TextResponse(request.url, body=spider.name.encode(), request=request))


class Gopher(Made):
    start_urls = ["gopher://a.test/1"]


def test_a_handler_of_another_scheme() -> None:
    Coroutine.closed = 0
    result = run({}, spider=Gopher, DOWNLOAD_HANDLERS={"gopher": Coroutine}, PREFIX="from")
    assert [item["text"] for item in result.items] == ["from gopher://a.test/1"]
    assert result.sent == []
    assert Coroutine.closed == 1


def test_a_handler_of_old_for_http_with_robots_txt_and_middlewares_round_it() -> None:
    result = run({}, DOWNLOAD_HANDLERS={"http": OfOld}, ROBOTSTXT_OBEY=True)
    assert [item["text"] for item in result.items] == ["made"]
    assert result.spider.stats.get_value("downloader/request_count") == 2


def test_a_scheme_that_is_switched_off_or_whose_handler_is_not_configured_is_refused() -> None:
    class Off:
        @classmethod
        def from_crawler(cls, crawler: Any) -> Any:
            raise NotConfigured("no browser here")

    off = run({ROOT: "x"}, DOWNLOAD_HANDLERS={"http": None})
    assert endings(off) == [("failed", "UnsupportedURLSchemeError")] or endings(off) == [
        ("failed", "UnsupportedScheme")
    ]
    result = run({}, DOWNLOAD_HANDLERS={"http": Off})
    assert "no browser here" in str(result.spider.failures[0])  # type: ignore[attr-defined]


def test_what_a_handler_raises_is_tried_again_as_scrapy_would() -> None:
    tries = []

    class Broken:
        async def download_request(self, request: Any) -> Any:
            tries.append(request.url)
            if len(tries) < 3:
                raise ConnectError(string="not today")
            return TextResponse(request.url, body=b"x")

        async def close(self) -> None:
            pass

    result = run({}, DOWNLOAD_HANDLERS={"http": Broken})
    assert (len(tries), len(result.items)) == (3, 1)


def test_a_handler_that_gives_nonsense_or_is_not_there_is_named() -> None:
    class Nonsense:
        def download_request(self, request: Any, spider: Any) -> Any:
            return "<html>"

    result = run({}, DOWNLOAD_HANDLERS={"http": Nonsense})
    assert "Nonsense.download_request must give a Response, but gave '<html>'" in str(result.spider.failures[0])  # type: ignore[attr-defined]
    with pytest.raises(SettingError, match="DOWNLOAD_HANDLERS"):
        run({}, DOWNLOAD_HANDLERS={"http": "no.such.Handler"})


def test_scrapys_own_handlers_mean_what_the_crawler_has() -> None:
    of_scrapy = "scrapy.core.downloader.handlers.http2.H2DownloadHandler"
    assert len(run({ROOT: "x"}, DOWNLOAD_HANDLERS={"http": of_scrapy, "s3": None}).items) == 1


@pytest.mark.process
def test_what_ftp_needs_is_imported_where_a_crawl_needs_it() -> None:
    loaded = (
        "import sys; from crawler.testing import crawl; from tests.scrapy.test_chain import ROOT, run; "
        "run({ROOT: 'x'}); print([name for name in sys.modules if 'protocols.ftp' in name])"
    )
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_ftp_urls_are_fetched_without_a_setting() -> None:
    class Files(Made):
        start_urls = ["ftp://127.0.0.1:1/file"]

    result = run({}, spider=Files, RETRY_ENABLED=False)
    assert [type(each).__name__ for each in result.spider.failures] != ["UnsupportedURLSchemeError"]  # type: ignore[attr-defined]
    assert len(result.spider.failures) == 1  # type: ignore[attr-defined]
