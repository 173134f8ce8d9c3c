"""Do requests, forms, errbacks and control keys mean what they mean in Scrapy?"""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import DNSLookupError, TCPTimedOutError, TimeoutError  # noqa: A004  as Scrapy's docs

import crawler as scrapy
from crawler import FormRequest, HttpError, JsonRequest
from crawler.errors import ConnectionLost, FetchTimeout, NameNotResolved
from crawler.testing import crawl

ROOT = "http://a.test/"


def test_login_by_form_with_a_token() -> None:
    class LoginSpider(scrapy.Spider):
        name = "login"
        start_urls = [ROOT + "login"]

        def parse(self, response):  # type: ignore[no-untyped-def]
            return FormRequest.from_response(
                response,
                formcss="form.login",
                formdata={"username": "john", "password": "secret"},
                callback=self.after_login,
            )

        def after_login(self, response):  # type: ignore[no-untyped-def]
            if b"authentication failed" in response.body:
                self.logger.error("Login failed")
                return None
            return response.follow("/private", self.private)

        def private(self, response):  # type: ignore[no-untyped-def]
            yield {"secret": response.css("p::text").get()}

    form = (
        "<form action=/search><input name=q></form><form class=login method=post action=/login>"
        "<input type=hidden name=csrf value=t0ken><input name=username><input type=password name=password>"
        "<input type=submit name=go value=in></form>"
    )

    def site(request: scrapy.Request) -> Any:
        if request.method == "POST":
            assert request.body == b"csrf=t0ken&go=in&username=john&password=secret"
            assert request.headers["Content-Type"] == b"application/x-www-form-urlencoded"
            return scrapy.Response(request.url, 302, {"Location": "/home", "Set-Cookie": "sid=1; Path=/"})
        if request.url.endswith("/private"):
            return "<p>gold</p>" if b"sid=1" in (request.headers.get("Cookie") or b"") else 403
        return form if request.url.endswith("/login") else "welcome"

    result = crawl(LoginSpider, site)
    assert result.items == [{"secret": "gold"}]
    assert ROOT + "home" in result.urls


def test_form_and_json_requests() -> None:
    class Posts(scrapy.Spider):
        name = "posts"

        def start_requests(self):  # type: ignore[no-untyped-def]
            yield FormRequest(ROOT + "post", formdata={"name": "John Doe", "age": "27"}, callback=self.parse)
            yield FormRequest(ROOT + "get", method="GET", formdata={"q": ["a", "b"]}, callback=self.parse)
            yield JsonRequest(url=ROOT + "json", data={"name1": "value1"}, callback=self.parse)
            yield scrapy.Request(ROOT + "raw", method="put", body="ü", headers={"X-A": "1", "Content-Type": "text/x"})

        def parse(self, response):  # type: ignore[no-untyped-def]
            request = response.request
            yield {"url": response.url, "method": request.method, "body": request.body}

    result = crawl(Posts, lambda request: "ok", settings={"ROBOTSTXT_OBEY": False})
    assert sorted((item["url"], item["method"], item["body"]) for item in result.items) == [
        (ROOT + "get?q=a&q=b", "GET", b""),
        (ROOT + "json", "POST", b'{"name1": "value1"}'),
        (ROOT + "post", "POST", b"name=John+Doe&age=27"),
        (ROOT + "raw", "PUT", "ü".encode()),
    ]


class ErrbackSpider(scrapy.Spider):
    name = "errback"
    start_urls = [ROOT + "ok", ROOT + "404", ROOT + "dns", ROOT + "slow", ROOT + "lost"]
    custom_settings = {"RETRY_ENABLED": False, "ROBOTSTXT_OBEY": False}

    def start_requests(self):  # type: ignore[no-untyped-def]
        for url in self.start_urls:
            yield scrapy.Request(url, callback=self.parse_httpbin, errback=self.errback_httpbin, dont_filter=True)

    def parse_httpbin(self, response):  # type: ignore[no-untyped-def]
        yield {"how": "ok", "url": response.url}

    def errback_httpbin(self, failure):  # type: ignore[no-untyped-def]
        self.logger.error(repr(failure))
        if failure.check(HttpError):
            response = failure.value.response
            yield {"how": f"HttpError {response.status}", "url": response.url}
        elif failure.check(DNSLookupError):
            request = failure.request
            yield {"how": "DNSLookupError", "url": request.url}
        elif failure.check(TimeoutError, TCPTimedOutError):
            request = failure.request
            yield {"how": "TimeoutError", "url": request.url}
        else:
            yield {"how": failure.type.__name__, "url": failure.value.request.url}


def test_an_errback_tells_what_went_wrong() -> None:
    site: dict[str, Any] = {
        ROOT + "ok": "fine",
        ROOT + "404": 404,
        ROOT + "dns": NameNotResolved("no such name"),
        ROOT + "slow": FetchTimeout("180 s passed"),
        ROOT + "lost": ConnectionLost("reset"),
    }
    result = crawl(ErrbackSpider, site)
    assert {item["url"].rpartition("/")[2]: item["how"] for item in result.items} == {
        "ok": "ok",
        "404": "HttpError 404",
        "dns": "DNSLookupError",
        "slow": "TimeoutError",
        "lost": "ConnectionLost",
    }


def test_statuses_that_are_handled() -> None:
    class Statuses(scrapy.Spider):
        name = "statuses"
        handle_httpstatus_list = [404]

        def start_requests(self):  # type: ignore[no-untyped-def]
            yield scrapy.Request(ROOT + "404")
            yield scrapy.Request(ROOT + "410")
            yield scrapy.Request(ROOT + "403", meta={"handle_httpstatus_list": [403]})
            yield scrapy.Request(ROOT + "500", meta={"handle_httpstatus_all": True, "dont_retry": True})
            yield scrapy.Request(ROOT + "302", meta={"dont_redirect": True, "handle_httpstatus_list": [302]})

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield {"status": response.status}

    def site(request: scrapy.Request) -> Any:
        path = request.url.rpartition("/")[2]
        headers = {"Location": "/elsewhere"} if path == "302" else {}
        return scrapy.Response(request.url, int(path) if path.isdigit() else 404, headers)

    result = crawl(Statuses, site)
    assert sorted(item["status"] for item in result.items) == [302, 403, 404, 500]
    assert len(result.urls) == 5


def test_redirects_and_retries_leave_their_marks_in_meta() -> None:
    class Marks(scrapy.Spider):
        name = "marks"
        start_urls = [ROOT + "old"]

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield {key: response.meta.get(key) for key in ("redirect_urls", "redirect_times", "retry_times")}

    tries: list[str] = []

    def site(request: scrapy.Request) -> Any:
        if request.url.endswith("robots.txt"):
            return 404
        tries.append(request.url)
        if len(tries) == 1:
            return 503
        if request.url.endswith("old"):
            return scrapy.Response(request.url, 301, {"Location": "/new"})
        return "new"

    assert crawl(Marks, site).items == [{"redirect_urls": [ROOT + "old"], "redirect_times": 1, "retry_times": 1}]


def test_cookiejars_keep_sessions_apart() -> None:
    class Jars(scrapy.Spider):
        name = "jars"

        def start_requests(self):  # type: ignore[no-untyped-def]
            for number in range(3):
                yield scrapy.Request(
                    ROOT + "set", cookies={"who": str(number)}, meta={"cookiejar": number}, dont_filter=True
                )

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield scrapy.Request(
                ROOT + "show", self.show, meta={"cookiejar": response.meta["cookiejar"]}, dont_filter=True
            )

        def show(self, response):  # type: ignore[no-untyped-def]
            yield {"jar": response.meta["cookiejar"], "cookie": response.body}

    result = crawl(Jars, lambda request: request.headers.get("Cookie") or b"")
    assert sorted((item["jar"], item["cookie"]) for item in result.items) == [
        (0, b"who=0"), (1, b"who=1"), (2, b"who=2"),
    ]  # fmt: skip


def test_priorities_slots_flags_and_depth() -> None:
    class Order(scrapy.Spider):
        name = "order"
        start_urls = [ROOT]
        custom_settings = {"CONCURRENT_REQUESTS": 1}

        def parse(self, response):  # type: ignore[no-untyped-def]
            for number in range(3):
                yield scrapy.Request(f"{ROOT}{number}", self.page, priority=number, flags=["marked"])
            yield scrapy.Request(ROOT + "slot", self.page, meta={"download_slot": "mine"}, priority=9)

        def page(self, response):  # type: ignore[no-untyped-def]
            yield {"url": response.url, "depth": response.meta["depth"], "flags": response.request.flags}

    result = crawl(Order, lambda request: "page", settings={"ROBOTSTXT_OBEY": False})
    hosts_own = [url for url in result.urls if url != ROOT + "slot"]
    assert hosts_own == [ROOT, ROOT + "2", ROOT + "1", ROOT + "0"]
    assert {item["depth"] for item in result.items} == {1}
    assert ["marked"] in [item["flags"] for item in result.items]


def test_replace_copy_and_to_dict() -> None:
    class Retrying(scrapy.Spider):
        name = "retrying"
        start_urls = [ROOT]

        def parse(self, response):  # type: ignore[no-untyped-def]
            if "captcha" in response.text:
                request = response.request.copy()
                yield request.replace(dont_filter=True, meta={**response.meta, "again": True})
            else:
                stored = response.request.to_dict(spider=self)
                yield {"again": response.meta["again"], "callback": stored["callback"], "url": stored["url"]}
                assert response.replace(body=b"x").body == b"x"

    pages = iter(["captcha", "page"])
    result = crawl(Retrying, lambda request: 404 if "robots" in request.url else next(pages))
    assert result.items == [{"again": True, "callback": None, "url": ROOT}]


def test_inline_fetches_in_their_three_forms() -> None:
    class Inline(scrapy.Spider):
        name = "inline"
        start_urls = [ROOT]

        async def parse(self, response):  # type: ignore[no-untyped-def]
            other = await self.crawler.engine.download(scrapy.Request(ROOT + "price"))
            yield {"price": other.text}
            await asyncio.sleep(1)
            yield scrapy.Request(ROOT + "old", self.old)
            several = await asyncio.gather(*(self.fetch(ROOT + name) for name in "ab"))
            yield {"several": [each.text for each in several]}

        @inlineCallbacks
        def old(self, response):  # type: ignore[no-untyped-def]
            done: Deferred[int] = Deferred()
            asyncio.get_running_loop().call_later(1, done.callback, 3)
            number = yield done
            return [{"old": number}]

    result = crawl(Inline, lambda request: request.url.rpartition("/")[2])
    assert result.items[0] == {"price": "price"}
    assert {"old": 3} in result.items
    assert {"several": ["a", "b"]} in result.items


def test_a_header_may_be_a_list_and_a_user_agent_is_per_request() -> None:
    class Headers(scrapy.Spider):
        name = "headers"
        custom_settings = {
            "USER_AGENT": "bot (+http://a.test)",
            "DEFAULT_REQUEST_HEADERS": {"Accept-Language": "en"},
        }

        def start_requests(self):  # type: ignore[no-untyped-def]
            yield scrapy.Request(ROOT + "1")
            yield scrapy.Request(ROOT + "2", headers={"User-Agent": "other", "Accept-Language": ["de", "fr"]})

        def parse(self, response):  # type: ignore[no-untyped-def]
            sent = response.request.headers
            yield {"agent": sent["User-Agent"], "languages": sent.getlist("accept-language")}

    items = crawl(Headers, lambda request: "page").items
    assert {"agent": b"bot (+http://a.test)", "languages": [b"en"]} in items
    assert {"agent": b"other", "languages": [b"de", b"fr"]} in items


def test_meta_keys_that_are_obeyed() -> None:
    class Keys(scrapy.Spider):
        name = "keys"
        start_urls = [ROOT + "page?a"]

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield scrapy.Request(ROOT + "forbidden/1", self.page)
            yield scrapy.Request(ROOT + "forbidden/2", self.page, meta={"dont_obey_robotstxt": True})
            yield scrapy.Request(ROOT + "none", self.page, meta={"referrer_policy": "no-referrer"})
            yield scrapy.Request("http://b.test/all", self.page, meta={"referrer_policy": "unsafe-url"})
            yield scrapy.Request(ROOT + "moved", self.page, meta={"referrer_policy": "unsafe-url"})
            yield scrapy.Request(ROOT + "same", self.page)

        def page(self, response):  # type: ignore[no-untyped-def]
            yield {response.url: response.request.headers.get("Referer")}

    def site(request: scrapy.Request) -> Any:
        if request.url.endswith("/robots.txt"):
            return "User-agent: *\nDisallow: /forbidden/"
        if request.url.endswith("/moved"):
            return scrapy.Response(request.url, 302, {"Location": "http://b.test/target"})
        return "page"

    result = crawl(Keys, site)
    assert {url: referer for item in result.items for url, referer in item.items()} == {
        ROOT + "forbidden/2": b"http://a.test/page?a",
        ROOT + "none": None,
        "http://b.test/all": b"http://a.test/page?a",
        "http://b.test/target": b"http://a.test/page?a",
        ROOT + "same": b"http://a.test/page?a",
    }
    assert result.summary.stats["robotstxt/forbidden"] == 1


def test_meta_keys_without_effect_are_told_once(caplog: Any) -> None:
    class Keys(scrapy.Spider):
        name = "keys"

        def start_requests(self):  # type: ignore[no-untyped-def]
            for number in range(3):
                yield scrapy.Request(f"{ROOT}{number}", meta={"verbatim_url": True, "mine": 1})

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield {"verbatim": response.meta["verbatim_url"]}

    assert len(crawl(Keys, lambda request: "page").items) == 3
    assert caplog.text.count("meta key verbatim_url has no effect here: URLs are sent in their normal form") == 1


def test_the_latency_is_in_meta() -> None:
    class Latency(scrapy.Spider):
        name = "latency"
        start_urls = [ROOT]

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield {"latency": response.meta["download_latency"]}

    assert crawl(Latency, lambda request: scrapy.Response(request.url, latency=0.25)).items == [{"latency": 0.25}]
