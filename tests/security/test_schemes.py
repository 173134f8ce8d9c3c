"""Does anything from the network make us open a file, or another URL that is not http?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawler import SitemapSpider
from crawler.events import RequestEnded
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider
from tests.download.chaos import answer
from tests.security.support import Everything, crawl, page, paths, redirect, refresh, sites, walker

pytestmark = pytest.mark.process

MARK = "the secret of this machine"
OTHERS = [
    "ftp://127.0.7.1/x",
    "s3://bucket/key",
    "data:text/html,<a href=/from-data>x</a>",
    "DATA:text/html;base64,PGEgaHJlZj0vZnJvbS1kYXRhPng8L2E+",
    "javascript:fetch('/from-javascript')",
    "gopher://127.0.7.1:70/_GET%20/",
    "view-source:http://127.0.7.1/x",
    "blob:http://127.0.7.1/1",
    "about:blank",
    "mailto:someone@example.com",
    "ws://127.0.7.1/",
    "jar:file:///x!/",
    "unix:/run/docker.sock",
]


@pytest.fixture
def secret(tmp_path: Path) -> list[str]:
    """The ways to write the URL of a file."""
    file = tmp_path / "secret.html"
    file.write_text(f"<title>{MARK}</title>")
    return [
        f"file://{file}",
        f"FILE://{file}",
        f"file://localhost{file}",
        f"file:{file}",
        f" fi\tle://{file}",
        f"file:\\\\{file}",
    ]


def test_links(secret: list[str]) -> None:
    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(lambda path, request: page(*secret, *(each.replace("<", "&lt;") for each in OTHERS)))
        crawled = crawl(walker(site.url()))
        assert paths(site) == ["/"]
        assert len(crawled.items) == 1
        assert set(crawled.refused.values()) <= {"scheme", "invalid_url"}
        assert len(crawled.refused) >= len(OTHERS)
        assert crawled.errors == {}


@pytest.mark.parametrize("way", [redirect, refresh])
def test_redirects_and_meta_refresh(secret: list[str], way: Any) -> None:
    targets = [each for each in (*secret, *OTHERS) if "\t" not in each and "<" not in each]
    with sites("127.0.7.1") as (site,):
        hops = {f"/{number}": target for number, target in enumerate(targets)}
        site.scripts = Everything(lambda path, request: way(hops[path]) if path in hops else page(*hops))
        crawled = crawl(walker(site.url()))
        assert sorted(paths(site)) == sorted(["/", *hops])
        assert MARK not in str(crawled.items)
        ended = [event.request.url.partition(":")[0] for event in crawled.happened(RequestEnded)]
        assert set(ended) == {"http"}
        if way is redirect:
            errors = crawled.summary.stats
            assert errors["downloader/response_status_count/302"] == len(targets)
            assert len(crawled.items) == 1


def test_sitemaps(secret: list[str]) -> None:
    with sites("127.0.7.1") as (site,):

        class Mapped(SitemapSpider):
            name = "mapped"
            sitemap_urls = [site.url("/robots.txt")]

        urls = [each for each in (*secret, *OTHERS) if "<" not in each and "\t" not in each]
        locations = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
        body = f"<urlset>{locations}</urlset>".encode()
        robots = "".join(f"Sitemap: {url}\n" for url in [*urls, site.url("/map.xml")])
        scripts = {
            "/robots.txt": answer(robots.encode()),
            "/map.xml": answer(body, headers=b"Content-Type: text/xml\r\n"),
        }
        site.scripts = Everything(lambda path, request: scripts[path])
        crawled = crawl(Mapped)
        assert paths(site) == ["/map.xml"]
        assert set(crawled.refused.values()) <= {"scheme", "invalid_url"}
        assert crawled.errors == {}


def test_redirects_of_robots_txt(secret: list[str]) -> None:
    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(lambda path, request: redirect(secret[0]) if path == "/robots.txt" else page())
        crawled = crawl(walker(site.url()))
        assert len(crawled.items) == 1  # RFC 9309 §2.3.1.2: a redirect that leads nowhere is no robots.txt
        assert crawled.errors == {}


def _inline(site: str, targets: list[str]) -> tuple[type[Spider], list[str]]:
    read: list[str] = []

    class Inline(Spider):
        name = "inline"
        start_urls = [site]

        async def parse(self, response: Response) -> Any:
            for target in targets:
                try:
                    read.append((await self.fetch(response.urljoin(target))).text)
                except Exception as error:
                    read.append(type(error).__name__)

    return Inline, read


def test_an_inline_fetch_of_what_a_page_says(secret: list[str]) -> None:
    with sites("127.0.7.1", scripts={"/": page()}) as (site,):
        spider, read = _inline(site.url(), [secret[0], "data:text/html,hello"])
        crawl(spider)
        assert read == ["RequestDropped", "RequestDropped"]


def test_schemes_that_a_setting_enables(secret: list[str]) -> None:
    """Then links lead there; redirects, and files, still do not. The guard of addresses counts."""
    enabled = {"SCHEMES": {"ftp": "crawler.download.ftp.FtpDownloader"}, "DENY_PRIVATE_ADDRESSES": True}
    with sites("127.0.7.1") as (site,):
        port = site.port

        class Local(Spider):
            name = "local"

            async def start(self) -> Any:
                yield Request(f"ftp://127.0.0.1:{port}/file", errback=self.failed)
                yield Request(secret[0])

            def parse(self, response: Response) -> Any:
                yield {"title": response.css("title::text").get()}
                yield Request(response.urljoin("other.html"))
                yield Request("ftp://127.1/file", errback=self.failed)

            def failed(self, failure: Any) -> None:
                """Told by the events."""

        crawled = crawl(Local, enabled)
        assert crawled.items == [{"title": MARK}]  # from start() a file may be read
        assert set(crawled.refused.values()) == {"scheme"}
        assert set(crawled.errors.values()) == {"AddressForbidden"}
        assert site.connections == []
