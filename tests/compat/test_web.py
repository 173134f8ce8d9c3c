"""Are pages of the kinds that are found on the web read as browsers and other crawlers read them?

Each test is a spider on a small site in memory.
"""

from __future__ import annotations

from typing import Any

import pytest

from crawler import LinkExtractor, Request, Response, Spider
from crawler.testing import crawl

PAGE = "http://a.test/dir/page?x=1"
OK = {"Content-Type": "text/html; charset=utf-8"}


def followed(page: Any, *, content_type: str | None = OK["Content-Type"], **how: Any) -> list[str]:
    """Crawl one page with all links of an extractor; return what was asked for beside the page."""

    class Follower(Spider):
        name = "follower"
        start_urls = [PAGE]

        def parse(self, response: Response) -> Any:
            if response.request.meta["depth"] == 0:
                for link in LinkExtractor(**how).extract_links(response):
                    yield Request(link.url)

    headers = {"Content-Type": content_type} if content_type else {}
    body = page if isinstance(page, bytes) else page.encode()
    answer = Response(PAGE, 200, headers, body)
    result = crawl(Follower, lambda request: answer if request.url == PAGE else "x", settings={"ROBOTSTXT_OBEY": False})
    assert result.summary.errors == 0
    return result.urls[1:]


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("//host.test/path", "http://host.test/path"),
        ("?q", "http://a.test/dir/page?q"),
        ("?", "http://a.test/dir/page?"),
        ("other#frag", "http://a.test/dir/other#frag"),
        (" \t/a b\n", "http://a.test/a%20b"),
        ("/a\n  b", "http://a.test/a%20%20b"),
        ("HTTP://B.TEST:80/", "http://b.test/"),
        ("HTTPS://b.test:443", "https://b.test/"),
        ("http://b.test:8080", "http://b.test:8080/"),
        ("../../../x", "http://a.test/x"),
        ("./a/../b/./c/..", "http://a.test/dir/b/"),
        ("/%7Euser/%41%zz", "http://a.test/%7Euser/%41%zz"),
        ("/ü?ü=ü", "http://a.test/%C3%BC?%C3%BC=%C3%BC"),
        ("http://münchen.test/", "http://xn--mnchen-3ya.test/"),
        ("http://faß.test/", "http://xn--fa-hia.test/"),
        ("http://☃.test./", "http://xn--n3h.test./"),
        ("http:foo", "http://a.test/dir/foo"),
        ("\\\\host.test\\x", "http://host.test/x"),
        ("x?a=1&amp;b=2&copy=3", "http://a.test/dir/x?a=1&b=2&copy=3"),
        ("http://[::1]:80/", "http://[::1]/"),
    ],
)
def test_where_a_link_leads(href: str, url: str) -> None:
    assert followed(f'<a href="{href}">x</a>') == [url]


@pytest.mark.parametrize(
    "href",
    [
        "", "#top", "page?x=1#f",  # the page itself
        "javascript:void(0)", "java\nscript:x()", "mailto:a@b.test", "tel:1", "about:blank", "data:text/html,x",
        "file:///etc/passwd", "ws://b.test/", "http://", "http://b.test:99999/", "http://b.test:abc/",
        "http://a b.test/",
    ],
)  # fmt: skip
def test_a_link_that_is_not_followed(href: str) -> None:
    assert followed(f'<a href="{href}">x</a>') == []


@pytest.mark.parametrize(
    ("page", "urls"),
    [
        ('<base href="http://b.test/x/"><a href=y>', ["http://b.test/x/y"]),
        ('<base href="../up/"><a href=y>', ["http://a.test/up/y"]),
        ('<base href=""><a href=y>', ["http://a.test/dir/y"]),
        ('<base target=_top><base href="/one/"><base href="/two/"><a href=y>', ["http://a.test/one/y"]),
        ('<a href=y><base href="/late/">', ["http://a.test/late/y"]),
        ('<!-- <base href="/no/"> --><a href=y>', ["http://a.test/dir/y"]),
        ('<base href="javascript:1"><a href=y>', ["http://a.test/dir/y"]),
        ("<map><area href=x></map><link href=no><img src=no>", ["http://a.test/dir/x"]),
        ("<frameset><frame src=no></frameset><iframe src=no></iframe>", []),
        ("<A HREF=x/y.html>1</A><a href='z'>", ["http://a.test/dir/x/y.html", "http://a.test/dir/z"]),
        ("<a href=1>x<a href=2>y</a></a>", ["http://a.test/dir/1", "http://a.test/dir/2"]),
        ("<script>'<a href=no>'</script><!--<a href=no>--><textarea><a href=no></textarea>", []),
        ("<noscript><a href=yes></noscript>", ["http://a.test/dir/yes"]),
        ("<a href=x.pdf></a><a href=x.JPG?a=1></a><a href='y?f=a.pdf'></a>", ["http://a.test/dir/y?f=a.pdf"]),
        ("<a href=x></a><a href=x#f></a><a href='./x'></a>", ["http://a.test/dir/x"]),
        (b"<a href='x\0y'>1</a>\0<a href=z>", ["http://a.test/dir/xy", "http://a.test/dir/z"]),
        ("<a href=x rel='nofollow'></a><meta name=robots content=nofollow>", ["http://a.test/dir/x"]),
    ],
)
def test_which_links_a_page_has(page: Any, urls: list[str]) -> None:
    assert followed(page) == urls


def test_frames_are_followed_when_asked_for() -> None:
    page = "<iframe src=c></iframe><a href=x>"
    assert followed(page, tags=("iframe", "frame"), attrs=("src",)) == ["http://a.test/dir/c"]


XHTML = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><a href="x"/></body></html>'


@pytest.mark.parametrize(
    ("page", "content_type", "found"),
    [
        (XHTML, "application/xhtml+xml", True),
        (XHTML, "text/xml", True),
        ("<html><a href=x>", None, True),
        ("words and <a href=x>", None, True),
        ("<a href=x>", "application/octet-stream", True),
        ("<a href=x>", "text/plain", True),
        ('{"a": "<a href=x>"}', "application/json", False),
        (b"\x89PNG\r\n\x1a\n\0<a href=x>", "image/png", False),
        (b"%PDF-1.4 <a href=x>", "application/pdf", False),
        (b"PK\3\4 <a href=x>", None, False),
    ],
)
def test_in_which_kinds_of_content_links_are_found(page: Any, content_type: str | None, found: bool) -> None:
    assert followed(page, content_type=content_type) == (["http://a.test/dir/x"] if found else [])


@pytest.mark.parametrize(
    ("page", "header", "paths"),
    [
        ("<a href=x rel='ugc NoFollow'></a><a href=y rel=next></a>", None, ["y"]),
        ("<meta name=Robots content='noindex, NOFOLLOW'><a href=x></a>", None, []),
        ("<meta name=robots content=none><a href=x></a>", None, []),
        ("<meta name=robots content=noindex><meta name=googlebot content=nofollow><a href=x></a>", None, ["x"]),
        ("<a href=x></a>", "noindex, nofollow", []),
        ("<a href=x></a>", "googlebot: nofollow", ["x"]),
    ],
)
def test_nofollow_is_obeyed_when_asked_for(page: str, header: str | None, paths: list[str]) -> None:
    response = Response(PAGE, 200, OK | ({"X-Robots-Tag": header} if header else {}), page)
    assert [link.url.rpartition("/")[2] for link in LinkExtractor(obey_nofollow=True).extract_links(response)] == paths


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/a b c", "http://a.test/a%20b%20c"),
        ("/ü".encode(), "http://a.test/%C3%BC"),
        ("/ü".encode("latin-1"), "http://a.test/%FC"),  # the bytes that the server knows, as curl and Chrome send them
        ("../t?x", "http://a.test/t?x"),
        ("  next  ", "http://a.test/dir/next"),
        ("?q", "http://a.test/dir/page?q"),
        ("//b.test", "http://b.test/"),
        ("HTTPS://B.test:443/", "https://b.test/"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_where_a_redirect_leads(location: Any, url: str, status: int) -> None:
    class Redirected(Spider):
        name = "redirected"
        start_urls = [PAGE]

        def parse(self, response: Response) -> Any:
            yield {"url": response.url, "was": response.meta["redirect_urls"]}

    site: dict[str, Any] = {PAGE: Response(PAGE, status, {"Location": location}), url: "there"}
    assert crawl(Redirected, site).items == [{"url": url, "was": [PAGE]}]


@pytest.mark.parametrize(
    ("response", "delivered"),
    [
        (Response(PAGE, 200, OK), True),  # an empty body
        (Response(PAGE, 200), True),
        (Response(PAGE, 201, {"Location": "/created"}, b"x"), True),
        (Response(PAGE, 204), True),
        (Response(PAGE, 206, {**OK, "Content-Range": "bytes 0-3/10"}, b"part"), True),
        (Response(PAGE, 200, {**OK, "Refresh": "0; url=/no"}, b"x"), True),  # the header is no redirect
        (Response(PAGE, 300, {"Location": "/no"}), False),
        (Response(PAGE, 302), False),  # and no Location
        (Response(PAGE, 304), False),
    ],
    ids=repr,
)
def test_which_statuses_reach_the_callback(response: Response, delivered: bool) -> None:
    class Statuses(Spider):
        name = "statuses"
        start_urls = [PAGE]

        def parse(self, response: Response) -> Any:
            assert not response.css("a")
            yield {"status": response.status, "text": response.text}

    result = crawl(Statuses, {PAGE: response})
    text = response.body.decode()
    assert result.items == [{"status": response.status, "text": text}] * delivered
    assert result.urls == [PAGE]


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("<meta charset=utf-8>ü".encode(), "text/html; charset=iso-8859-1", "<meta charset=utf-8>Ã¼"),
        ("<meta charset=utf-8>ü".encode(), "text/html", "<meta charset=utf-8>ü"),
        ("<meta charset=cp1251>я".encode("cp1251"), "text/html", "<meta charset=cp1251>я"),
        ("<p>ü".encode("latin-1"), "text/html", "<p>ü"),
        ("<p>ü".encode(), "text/html; charset=nonsense", "<p>ü"),
        (b"\xef\xbb\xbf<p>" + "ü".encode(), "text/html; charset=iso-8859-1", "<p>ü"),
        ("<p>日本".encode("shift_jis"), "text/html; charset=Shift_JIS", "<p>日本"),
        ("<p>中國".encode("gbk"), "text/html; charset=gb2312", "<p>中國"),
        ("<p>’".encode("cp1252"), "text/html; charset=latin1", "<p>’"),
    ],
)
def test_which_text_a_body_is(body: bytes, content_type: str, text: str) -> None:
    class Reading(Spider):
        name = "reading"
        start_urls = [PAGE]

        def parse(self, response: Response) -> Any:
            yield {"text": response.text, "selected": "".join(response.css("::text").getall())}

    (item,) = crawl(Reading, {PAGE: Response(PAGE, 200, {"Content-Type": content_type}, body)}).items
    assert item["text"] == text
    assert text.endswith(item["selected"])


def test_head_a_large_page_and_several_cookies() -> None:
    class Mixed(Spider):
        name = "mixed"

        def start_requests(self) -> Any:
            yield Request(PAGE, self.page, method="HEAD")
            yield Request("http://a.test/large", self.page)

        def page(self, response: Response) -> Any:
            assert response.request is not None
            yield {"method": response.request.method, "rows": len(response.css("p"))}
            yield Request("http://a.test/cookies", self.cookies)

        def cookies(self, response: Response) -> Any:
            yield {"cookie": response.text}

    def site(request: Request) -> Any:
        if request.url.endswith("/cookies"):
            return request.headers.get("Cookie") or b""
        fields = [("Set-Cookie", text) for text in ("a=1", "b=2; Path=/", "c=3; Path=/else", "d=4; Domain=evil.test")]
        body = b"" if request.method == "HEAD" else (b"<p>" + b"0123456789 " * 1000) * 1000
        return Response(request.url, 200, [*OK.items(), ("Content-Length", "11003000"), *fields], body)

    items = crawl(Mixed, site, settings={"ROBOTSTXT_OBEY": False}).items
    assert {"method": "HEAD", "rows": 0} in items
    assert {"method": "GET", "rows": 1000} in items
    assert items[-1]["cookie"] in ("a=1; b=2", "b=2; a=1", "b=2")


def test_where_a_redirect_led_is_not_fetched_again() -> None:
    class Home(Spider):
        name = "home"
        start_urls = ["http://a.test/#top"]

        def parse(self, response: Response) -> Any:
            yield {"url": response.url}
            yield response.follow("/home", self.parse)
            yield response.follow("/home#again", self.parse)

    site: dict[str, Any] = {
        "http://a.test/#top": Response(PAGE, 302, {"Location": "/home"}),
        "http://a.test/home#top": "x",
    }
    result = crawl(Home, site)
    assert result.items == [{"url": "http://a.test/home#top"}]
    assert result.urls == ["http://a.test/#top", "http://a.test/home#top"]
