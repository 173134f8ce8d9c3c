"""With private addresses denied, does any way from a page lead to one?"""

from __future__ import annotations

import pytest

from crawler import SitemapSpider
from crawler.download.net import dial, guard
from crawler.events import FetchFailed
from tests.download.chaos import Chaos, answer
from tests.security.support import Crawled, Everything, crawl, page, paths, redirect, refresh, sites, walker

pytestmark = pytest.mark.process

OURS = "127.0.0.1"
"""Where the server listens that nobody may reach."""

LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.01",
    "127.0.0.1.",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "%31%32%37.0.0.1",
    "0",
    "[::1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
]
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]"]
HOSTS = [*LOOPBACK, *PRIVATE]


@pytest.fixture(autouse=True)
def _our_site_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.7.x stand for the public network; everything else is judged as it is."""
    monkeypatch.setattr(dial, "is_public", lambda host: host.startswith("127.0.7.") or guard.is_public(host))


DENIED = {"DENY_PRIVATE_ADDRESSES": True, "ROBOTSTXT_OBEY": False}


def nothing_reached(crawled: Crawled, hidden: Chaos, expected: int) -> None:
    assert hidden.requests == []
    assert hidden.connections == []
    kinds = list(crawled.errors.values())
    assert kinds == ["AddressForbidden"] * expected, crawled.errors
    assert crawled.summary.seconds < 5


def test_links() -> None:
    with sites("127.0.7.1", OURS) as (site, hidden):
        links = [f"http://{host}:{site.port}/secret" for host in HOSTS]
        site.scripts = Everything(lambda path, request: page(*links))
        crawled = crawl(walker(site.url()), DENIED)
        # Several spellings of one address are one URL, and so one request.
        nothing_reached(crawled, hidden, len(crawled.errors))
        assert len(crawled.errors) >= 15
        assert all(f"//{host}:{site.port}/" in " ".join(crawled.errors) for host in ("127.0.0.1", *PRIVATE))


@pytest.mark.parametrize("way", [redirect, refresh])
def test_redirects_and_meta_refresh(way: type) -> None:
    with sites("127.0.7.1", OURS) as (site, hidden):
        hops = {f"/{number}": f"http://{host}:{site.port}/secret/{number}" for number, host in enumerate(HOSTS)}
        site.scripts = Everything(lambda path, request: page(*hops) if path == "/" else way(hops[path]))
        crawled = crawl(walker(site.url()), DENIED)
        assert sorted(paths(site)) == ["/", *sorted(hops)]
        nothing_reached(crawled, hidden, len(HOSTS))


def test_a_way_there_over_several_hops() -> None:
    with sites("127.0.7.1", "127.0.7.2", OURS) as (site, other, hidden):
        site.scripts = {**site.scripts}
        scripts = {
            "/": redirect(other.url("/1")),
            "/1": refresh(site.url("/2")),
            "/2": redirect(f"http://2130706433:{site.port}/secret", b"307 Temporary Redirect"),
        }
        site.scripts = other.scripts = Everything(lambda path, request: scripts[path])
        nothing_reached(crawl(walker(site.url()), DENIED), hidden, 1)


def test_sitemaps() -> None:
    def sitemap(kind: str, entry: str, urls: list[str]) -> bytes:
        lines = "".join(f"<{entry}><loc>{url}</loc></{entry}>" for url in urls)
        body = f'<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{lines}</{kind}>'
        return answer(body.encode(), headers=b"Content-Type: text/xml\r\n")

    with sites("127.0.7.1", OURS) as (site, hidden):

        class Mapped(SitemapSpider):
            name = "mapped"
            sitemap_urls = [site.url("/robots.txt")]

        secret = [f"http://{host}:{site.port}" for host in ("2130706433", "[::ffff:127.0.0.1]", "169.254.169.254")]
        scripts = {
            "/robots.txt": answer(
                "".join(f"Sitemap: {url}/from-robots\n" for url in [*secret, site.url("/index")]).encode()
            ),
            "/index/from-robots": sitemap(
                "sitemapindex", "sitemap", [site.url("/pages"), *(f"{url}/from-index" for url in secret)]
            ),
            "/pages": sitemap("urlset", "url", [f"{url}/from-pages" for url in secret]),
        }
        site.scripts = Everything(lambda path, request: scripts[path])
        crawled = crawl(Mapped, DENIED)
        assert sorted(crawled.errors) == sorted(
            f"http://{host}:{site.port}/from-{where}"
            for host in ("127.0.0.1", "[::ffff:7f00:1]", "169.254.169.254")
            for where in ("robots", "index", "pages")
        )
        nothing_reached(crawled, hidden, 9)


def test_redirects_of_robots_txt() -> None:
    hosts = ["2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254"]
    interfaces = [f"127.0.7.{number + 1}" for number in range(len(hosts))]
    with sites(*interfaces, OURS) as (*public, hidden):
        for host, site in zip(hosts, public, strict=True):
            target = f"http://{host}:{site.port}/robots.txt"
            site.scripts = Everything(lambda path, request, target=target: redirect(target))  # type: ignore[misc]
        crawled = crawl(walker(*(site.url("/page") for site in public)), {**DENIED, "ROBOTSTXT_OBEY": True})
        assert all(paths(site) == [] for site in public)  # robots.txt could not be had, so nothing is asked for
        assert [type(each.error).__name__ for each in crawled.happened(FetchFailed)] == ["AddressForbidden"] * len(
            hosts
        )
        assert hidden.connections == []


def test_a_name_that_moves_to_loopback() -> None:
    """DNS rebinding: the first look-up is public, the next is not. What is dialled decides."""
    asked: list[str] = []

    def names(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.7.1"] if len(asked) == 1 else [OURS]

    scripts = {
        "/": answer(
            page("/secret").partition(b"\r\n\r\n")[2], headers=b"Content-Type: text/html\r\nConnection: close\r\n"
        )
    }
    with sites("127.0.7.1", OURS, scripts=scripts) as (site, hidden):
        url = f"http://rebind.example:{site.port}/"
        crawled = crawl(walker(url), {**DENIED, "DNS_TTL": 0.0}, names=names)
        assert paths(site) == ["/"]
        assert len(asked) == 2
        nothing_reached(crawled, hidden, 1)


def test_a_name_with_a_public_and_a_private_address() -> None:
    """Whichever is tried first, the private one is never dialled."""
    addresses = {
        "first.example": [OURS, "127.0.7.1"],
        "last.example": ["127.0.7.9", OURS],
        "mapped.example": ["::ffff:127.0.0.1"],
    }
    with sites("127.0.7.1", OURS, scripts={"/": page()}) as (site, hidden):
        crawled = crawl(
            walker(*(f"http://{name}:{site.port}/" for name in addresses)), DENIED, names=addresses.__getitem__
        )
        assert hidden.connections == []
        assert f"http://mapped.example:{site.port}/" in crawled.errors
        assert f"http://last.example:{site.port}/" in crawled.errors  # nothing listens at its public address


def test_it_is_opt_in() -> None:
    with sites(OURS, scripts={"/": page()}) as (site,):
        assert len(crawl(walker(site.url())).items) == 1


@pytest.mark.parametrize("address", ["fec0::1", "::ffff:0:7f00:1", "5f00::1", "3fff::1"])
def test_ipv6_beyond_global_unicast(address: str) -> None:
    """Of IPv6 only 2000::/3 is public (RFC 4291, RFC 3879, RFC 7915, RFC 9637)."""
    assert not guard.is_public(address)
