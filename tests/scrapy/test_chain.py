"""Do a project's downloader middlewares stand round a download as Scrapy has them?"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from crawler.assembly.making import load_settings, make
from crawler.errors import ConnectionFailed, FetchTimeout, SettingError
from crawler.events import RequestEnded
from crawler.model.response import Response as NativeResponse
from crawler.scrapy.adapters.errors import as_scrapy_error
from crawler.scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from crawler.scrapy.downloadermiddlewares.offsite import OffsiteMiddleware
from crawler.scrapy.downloadermiddlewares.retry import RetryMiddleware
from crawler.scrapy.downloadermiddlewares.useragent import UserAgentMiddleware
from crawler.scrapy.exceptions import DownloadConnectionRefusedError, IgnoreRequest, NotConfigured
from crawler.scrapy.extensions.httpcache import DummyPolicy
from crawler.scrapy.http import HtmlResponse, Request
from crawler.scrapy.spiders import Spider
from crawler.testing import Result, crawl

_serial = itertools.count()
ROOT = "http://a.test/"


class Made(Spider):
    name = "made"
    start_urls = [ROOT]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.failures: list[Any] = []

    async def start(self) -> Any:
        for url in self.start_urls:
            yield Request(url, dont_filter=True, errback=self.failed)

    def parse(self, response: Any, **kwargs: Any) -> Any:
        yield {"url": response.url, "text": response.text}

    def failed(self, failure: Any) -> None:
        self.failures.append(as_scrapy_error(failure.value))


def run(site: Any, *middlewares: Any, spider: type[Spider] = Made, **settings: Any) -> Result:
    numbers = {each: 100 * place for place, each in enumerate(middlewares, 5)}
    given = {"DOWNLOADER_MIDDLEWARES": numbers, "ROBOTSTXT_OBEY": False, "CRAWLER_RETRY_BACKOFF": 0.0, **settings}
    return crawl(type("One", (spider,), {"custom_settings": given}), site)


def middleware(**methods: Callable[..., Any]) -> type:
    return type(f"Middleware{next(_serial)}", (), methods)


def stats(result: Result, *names: str) -> list[Any]:
    return [result.spider.stats.get_value(name) for name in names]


def endings(result: Result) -> list[tuple[str, str]]:
    return [(event.outcome, event.reason) for event in result.happened(RequestEnded)]


def noting(notes: list[str], name: str) -> type:
    def request(self: Any, request: Any, spider: Any) -> None:
        notes.append(f"{name} request of {spider.name}")

    def response(self: Any, request: Any, response: Any) -> Any:
        notes.append(f"{name} response {response.status}")
        return response

    return middleware(process_request=request, process_response=response)


def test_requests_go_through_by_rising_numbers_and_responses_by_falling_ones() -> None:
    notes: list[str] = []
    run({ROOT: "x"}, noting(notes, "outer"), noting(notes, "inner"))
    assert notes == ["outer request of made", "inner request of made", "inner response 200", "outer response 200"]


def test_what_process_request_leaves_is_sent_shown_and_tried_again() -> None:
    def counted(self: Any, request: Any) -> None:
        request.meta["tries"] = request.meta.get("tries", 0) + 1
        request.headers["X-Try"] = str(request.meta["tries"])

    class Shows(Made):
        def parse(self, response: Any, **kwargs: Any) -> Any:
            yield {
                "try": response.request.headers["X-Try"],
                "meta": response.meta["tries"],
                "times": response.meta["retry_times"],
            }

    answers = iter([503, 503, "x"])
    result = run(lambda request: next(answers), middleware(process_request=counted), spider=Shows)
    assert [sent.request.headers["X-Try"] for sent in result.sent] == [b"1", b"2", b"3"]
    assert result.items == [{"try": b"3", "meta": 3, "times": 2}]
    assert stats(result, "retry/count", "retry/reason_count/503 Service Unavailable", "retry/max_reached") == [
        2,
        2,
        None,
    ]


def test_a_middleware_may_answer_by_itself() -> None:
    def answer(self: Any, request: Any) -> Any:
        return HtmlResponse(request.url, body=b"made up", request=request)

    result = run({}, middleware(process_request=answer))
    assert (result.items, result.sent) == ([{"url": ROOT, "text": "made up"}], [])
    assert stats(result, "downloader/request_count", "downloader/response_count") == [0, 1]


def test_a_middleware_may_have_another_request_asked() -> None:
    def elsewhere(self: Any, request: Any, response: Any) -> Any:
        return request.replace(url=f"{ROOT}other") if response.status == 404 else response

    result = run({f"{ROOT}other": "x"}, middleware(process_response=elsewhere))
    assert result.items == [{"url": f"{ROOT}other", "text": "x"}]
    assert endings(result) == [("answered", "")]


def test_a_request_that_comes_again_without_dont_filter_is_a_duplicate() -> None:
    """As in Scrapy, where `return request` is lost for one that is filtered."""

    class Links(Made):
        def parse(self, response: Any, **kwargs: Any) -> Any:
            yield Request(f"{ROOT}link", callback=self.parse)

    def again(self: Any, request: Any, response: Any) -> Any:
        return request if request.url.endswith("link") else response

    result = run({ROOT: "x", f"{ROOT}link": "y"}, middleware(process_response=again), spider=Links)
    assert endings(result) == [("answered", ""), ("dropped", "duplicate")]


@pytest.mark.parametrize("hook", ["process_request", "process_response"])
def test_ignore_request_goes_to_the_errback_and_is_no_failure(hook: str) -> None:
    class NotThis(IgnoreRequest):
        pass

    def refuse(self: Any, request: Any, response: Any = None) -> Any:
        raise NotThis("not this")

    result = run({ROOT: "x"}, middleware(**{hook: refuse}))
    assert [(type(each), str(each)) for each in result.spider.failures] == [(NotThis, "not this")]  # type: ignore[attr-defined]
    assert endings(result) == [("dropped", "ignored")]
    counted = stats(result, "downloader/exception_count", "downloader/response_status_count/200")
    assert counted == ([1, None] if hook == "process_request" else [None, 1])


def test_process_exception_is_offered_what_happened_by_falling_numbers() -> None:
    notes: list[str] = []

    def noted(name: str, answer: Any = None) -> type:
        def exception(self: Any, request: Any, exception: Any, spider: Any) -> Any:
            notes.append(f"{name} {type(exception).__name__}")
            return answer

        return middleware(process_exception=exception)

    given = HtmlResponse(ROOT, body=b"saved")
    outer, inner = noted("outer", given), noted("inner")
    result = run({ROOT: ConnectionFailed("refused")}, outer, inner, RETRY_ENABLED=False)
    assert notes == ["inner DownloadConnectionRefusedError", "outer DownloadConnectionRefusedError"]
    assert result.items == [{"url": ROOT, "text": "saved"}]
    assert stats(result, "downloader/exception_count", "downloader/response_count") == [1, 1]


def test_process_exception_gets_what_process_request_raised_and_may_ask_something_else() -> None:
    def broken(self: Any, request: Any) -> None:
        if request.url == ROOT:
            raise KeyError("oops")

    def mended(self: Any, request: Any, exception: Any) -> Any:
        return Request(f"{ROOT}mended", callback=request.callback) if isinstance(exception, KeyError) else None

    result = run({f"{ROOT}mended": "x"}, middleware(process_request=broken, process_exception=mended))
    assert [item["url"] for item in result.items] == [f"{ROOT}mended"]


def test_an_error_nobody_wants_is_tried_again_and_then_the_errbacks() -> None:
    result = run({ROOT: FetchTimeout("late")}, middleware(process_request=lambda self, request: request.headers))
    # (and a middleware that returns nonsense is told by name, see below)
    assert [type(each).__name__ for each in result.spider.failures] == ["_InvalidOutput"]  # type: ignore[attr-defined]
    result = run({ROOT: ConnectionFailed("refused")}, noting([], "one"))
    (error,) = result.spider.failures  # type: ignore[attr-defined]
    assert isinstance(error, DownloadConnectionRefusedError)
    assert len(result.sent) == 3
    assert stats(result, "retry/count", "retry/max_reached") == [2, 1]
    assert stats(result, "retry/reason_count/scrapy.exceptions.DownloadConnectionRefusedError") == [2]


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("process_request", "must return Response or Request or None, but returned int: 7"),
        ("process_response", "must return Response or Request, but returned int: 7"),
        ("process_exception", "must return Response or Request or None, but returned int: 7"),
    ],
)
def test_what_a_hook_may_not_return_is_named(hook: str, said: str) -> None:
    def nonsense(self: Any, request: Any, response: Any = None, exception: Any = None) -> Any:
        return 7

    page = ConnectionFailed("refused") if hook == "process_exception" else "x"
    result = run({ROOT: page}, middleware(**{hook: nonsense}), RETRY_ENABLED=False)
    (error,) = result.spider.failures  # type: ignore[attr-defined]
    assert isinstance(error, TypeError)
    assert said in str(error)
    assert "nonsense" in str(error)
    assert [outcome for outcome, _ in endings(result)] == ["failed"]


@pytest.mark.parametrize("hook", ["process_request", "process_response", "process_exception"])
def test_what_a_hook_raises_is_the_errbacks_and_the_crawl_goes_on(hook: str) -> None:
    def broken(self: Any, request: Any, response: Any = None, exception: Any = None) -> Any:
        raise ZeroDivisionError(hook)

    class Two(Made):
        start_urls = [ROOT, f"{ROOT}2"]

    page = ConnectionFailed("refused") if hook == "process_exception" else "x"
    result = run(lambda request: page, middleware(**{hook: broken}), spider=Two, RETRY_ENABLED=False)
    assert [type(each) for each in result.spider.failures] == [ZeroDivisionError] * 2  # type: ignore[attr-defined]


def test_a_process_response_that_forgets_to_return_is_named() -> None:
    def forgets(self: Any, request: Any, response: Any) -> None:
        response.headers["X-Seen"] = "1"

    result = run({ROOT: "x"}, middleware(process_response=forgets))
    assert "must return Response or Request, but returned NoneType" in str(result.spider.failures[0])  # type: ignore[attr-defined]


def test_hooks_may_be_coroutines_and_give_deferreds() -> None:
    async def sleeps(self: Any, request: Any) -> None:
        await asyncio.sleep(1)
        await succeed(None)

    def deferred(self: Any, request: Any, response: Any) -> Deferred[Any]:
        return succeed(response.replace(body=b"replaced"))

    result = run({ROOT: "x"}, middleware(process_request=sleeps, process_response=deferred))
    assert [item["text"] for item in result.items] == ["replaced"]
    assert result.sent[0].when >= 1


def test_one_of_scrapys_own_is_switched_off_by_none() -> None:
    own = {"scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None}
    result = run({ROOT: "x"}, DOWNLOADER_MIDDLEWARES=own)
    assert b"User-Agent" not in result.sent[0].request.headers
    off = {"scrapy.downloadermiddlewares.retry.RetryMiddleware": None}
    assert len(run({ROOT: 503}, DOWNLOADER_MIDDLEWARES=off).sent) == 1
    assert len(run({ROOT: 503}, DOWNLOADER_MIDDLEWARES={**off, noting([], "one"): 1}).sent) == 1


def test_one_of_scrapys_own_is_replaced_by_what_is_derived_from_it() -> None:
    class Blocked(RetryMiddleware):
        def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
            if b"captcha" in response.body:
                return self._retry(request, "captcha", spider) or response
            return super().process_response(request, response, spider)

    class Named(UserAgentMiddleware):
        def process_request(self, request: Any, spider: Any = None) -> None:
            self.user_agent = "me/1.0"
            super().process_request(request, spider)

    answers = iter(["captcha", 503, "x"])
    own = {
        "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
        "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
        Blocked: 550,
        Named: 500,
    }
    result = run(lambda request: next(answers), DOWNLOADER_MIDDLEWARES=own)
    assert [item["text"] for item in result.items] == ["x"]
    assert {sent.request.headers["User-Agent"] for sent in result.sent} == {b"me/1.0"}
    assert stats(result, "retry/count", "retry/reason_count/captcha") == [2, 1]


def test_a_retry_middleware_that_an_older_project_makes_of_the_settings_alone_retries() -> None:
    class Blocked(RetryMiddleware):
        @classmethod
        def from_crawler(cls, crawler: Any) -> Any:
            return cls(crawler.settings)

        def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
            return (self._retry(request, "captcha", spider) or response) if b"captcha" in response.body else response

    answers = iter(["captcha", "x"])
    result = run(lambda request: next(answers), DOWNLOADER_MIDDLEWARES={Blocked: 550})
    assert [item["text"] for item in result.items] == ["x"]


def test_robots_txt_goes_through_the_projects_middlewares_too() -> None:
    def proxied(self: Any, request: Any) -> Any:
        if "proxy.test" not in request.url:
            return request.replace(url=f"http://proxy.test/?url={request.url}", dont_filter=True)
        return None

    def site(request: Any) -> Any:
        return "User-agent: *\nDisallow: /x" if "robots.txt" in request.url else request.url

    result = run(site, middleware(process_request=proxied), ROBOTSTXT_OBEY=True)
    assert [item["text"] for item in result.items] == [f"http://proxy.test/?url={ROOT}"]
    assert all("proxy.test" in sent.url for sent in result.sent)


def test_redirects_leave_what_scrapys_leave() -> None:
    class Shows(Made):
        def parse(self, response: Any, **kwargs: Any) -> Any:
            names = ("redirect_times", "redirect_ttl", "redirect_urls", "redirect_reasons")
            yield {name: response.meta[name] for name in names}

    site = {
        ROOT: NativeResponse(ROOT, 302, {"Location": "/two"}),
        f"{ROOT}two": '<meta http-equiv="refresh" content="0; url=/three">',
        f"{ROOT}three": "x",
    }
    result = run(site, noting([], "one"), spider=Shows, METAREFRESH_ENABLED=True)
    assert result.items == [
        {
            "redirect_times": 2,
            "redirect_ttl": 18,
            "redirect_urls": [ROOT, f"{ROOT}two"],
            "redirect_reasons": [302, "meta refresh"],
        }
    ]
    many = run(lambda request: NativeResponse(ROOT, 302, {"Location": request.url + "x"}), noting([], "one"))
    assert len(many.sent) == 21
    assert [str(each) for each in many.spider.failures] == ["max redirections reached"]  # type: ignore[attr-defined]


def test_a_middleware_that_is_not_configured_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    class Off:
        @classmethod
        def from_crawler(cls, crawler: Any) -> Any:
            raise NotConfigured("no key")

        def process_request(self, request: Any) -> Any:
            raise AssertionError

    with caplog.at_level(logging.WARNING):
        assert len(run({ROOT: "x"}, Off).items) == 1
    assert "no key" in caplog.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nowhere.to.be.Found": 1}, "nowhere"),
        ({"tests.scrapy.test_chain.NotThere": 1}, "NotThere"),
        ({NotConfigured: "first"}, "DOWNLOADER_MIDDLEWARES"),
    ],
)
def test_a_list_of_middlewares_that_cannot_be_is_an_error_at_the_start(given: Any, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        run({ROOT: "x"}, DOWNLOADER_MIDDLEWARES=given)


def test_a_from_crawler_that_returns_nothing_or_raises_is_an_error_at_the_start() -> None:
    nothing = middleware(from_crawler=classmethod(lambda cls, crawler: None))
    with pytest.raises(SettingError, match="from_crawler"):
        run({ROOT: "x"}, nothing)

    def broken(cls: Any, crawler: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run({ROOT: "x"}, middleware(from_crawler=classmethod(broken)))


def test_without_middlewares_redirects_leave_the_same_and_the_page_that_redirects_is_the_referer() -> None:
    site = {ROOT: NativeResponse(ROOT, 302, {"Location": "/two"}), f"{ROOT}two": "x"}

    class Counted(Made):
        def parse(self, response: Any, **kwargs: Any) -> Any:
            names = ("redirect_times", "redirect_ttl", "redirect_urls", "redirect_reasons")
            yield {name: response.meta[name] for name in names} | {"by": response.request.headers.get("Referer")}

    expected = {
        "redirect_times": 1,
        "redirect_ttl": 19,
        "redirect_urls": [ROOT],
        "redirect_reasons": [302],
        "by": ROOT.encode(),
    }
    assert run(site, spider=Counted).items == [expected]
    assert run(site, noting([], "one"), spider=Counted).items == [expected]
    assert run(site, spider=Counted, REFERER_ENABLED=False).items == [{**expected, "by": None}]


def test_a_password_goes_to_its_domain_by_setting_attribute_and_meta() -> None:
    class Mine(Made):
        http_user, http_pass, http_auth_domain = "me", "word", "a.test"
        start_urls = [ROOT, "http://b.test/"]

    result = run(lambda request: "x", spider=Mine)
    assert [sent.request.headers.get("Authorization") for sent in result.sent] == [b"Basic bWU6d29yZA==", None]
    given = {"HTTPAUTH_USER": "me", "HTTPAUTH_PASS": "word"}
    result = run(lambda request: "x", **given, HTTPAUTH_DOMAIN=None)
    assert [sent.request.headers.get("Authorization") for sent in result.sent] == [b"Basic bWU6d29yZA=="]
    with pytest.raises(ValueError, match="HTTPAUTH_DOMAIN"):
        run({}, **given)


def test_a_password_in_meta_needs_no_middleware_and_is_told_of_no_more(caplog: pytest.LogCaptureFixture) -> None:
    class Mine(Made):
        async def start(self) -> Any:
            for url in (ROOT, "http://b.test/"):
                yield Request(url, meta={"http_user": "me", "http_pass": "word", "http_auth_domain": "a.test"})

    result = run(lambda request: "x", spider=Mine)
    assert [sent.request.headers.get("Authorization") for sent in result.sent] == [b"Basic bWU6d29yZA==", None]
    assert "meta key" not in caplog.text


def test_a_project_may_have_a_scope_of_its_own() -> None:
    class Roots(OffsiteMiddleware):
        def should_follow(self, request: Any, spider: Any) -> bool:
            return request.host in spider.allowed_domains or request.host == "b.test"

    class Links(Made):
        allowed_domains = ["a.test"]

        def parse(self, response: Any, **kwargs: Any) -> Any:
            for host in ("b.test", "www.a.test", "c.test"):
                yield Request(f"http://{host}/", callback=self.parse_link)

        def parse_link(self, response: Any) -> Any:
            yield {"url": response.url}

    own = {"scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None, Roots: 50}
    result = run(lambda request: "x", spider=Links, DOWNLOADER_MIDDLEWARES=own)
    assert result.items == [{"url": "http://b.test/"}]
    assert stats(result, "offsite/filtered", "offsite/domains") == [2, 2]
    assert run(lambda request: "x", spider=Links).items == [{"url": "http://www.a.test/"}]


@pytest.mark.parametrize("middlewares", [(), (middleware(process_request=lambda self, request: print("-", end="")),)])
def test_the_target_of_a_redirect_is_spelt_as_scrapy_spells_it(middlewares: Any) -> None:

    def page(request: Any) -> Any:
        return NativeResponse(ROOT, 302, {"Location": "http://b.test"}) if request.url == ROOT else "x"

    assert [item["url"] for item in run(page, *middlewares).items] == ["http://b.test"]


def test_a_cookie_header_set_by_hand_is_not_sent_and_the_jars_stands_in_the_request() -> None:
    class Cookied(Made):
        async def start(self) -> Any:
            yield Request(ROOT, headers={"Cookie": "by=hand"}, cookies={"a": "1"})
            plain = {"dont_merge_cookies": True}
            yield Request(f"{ROOT}raw", headers={"Cookie": "by=hand"}, cookies={"b": "2"}, meta=plain)
            yield Request(f"{ROOT}below/one", cookies={"c": "3"})
            yield Request(f"{ROOT}below/two")
            yield Request(f"{ROOT}other")

        def parse(self, response: Any, **kwargs: Any) -> Any:
            yield {response.url.removeprefix(ROOT): response.request.headers.get("Cookie")}

    result = run(lambda request: "x", spider=Cookied, CONCURRENT_REQUESTS=1)
    below = b"c=3; a=1"
    cookies = {"": b"a=1", "raw": b"by=hand", "below/one": below, "below/two": below, "other": b"a=1"}
    assert {key: value for item in result.items for key, value in item.items()} == cookies
    assert {sent.url.removeprefix(ROOT): sent.request.headers.get("Cookie") for sent in result.sent} == cookies


def test_pages_of_the_cache_come_through_the_middlewares_too(tmp_path: Path) -> None:
    notes: list[str] = []
    cached = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path)}
    for _ in range(2):
        result = run({ROOT: "x"}, noting(notes, "one"), **cached)
        assert [item["url"] for item in result.items] == [ROOT]
    assert result.sent == []
    assert notes == ["one request of made", "one response 200"] * 2


class OnlyGood(DummyPolicy):
    pass


@pytest.mark.parametrize(
    ("policy", "ours", "told"),
    [
        ("scrapy.extensions.httpcache.DummyPolicy", "everything", False),
        ("scrapy.extensions.httpcache.RFC2616Policy", "rfc9111", False),
        (f"{__name__}.OnlyGood", "everything", True),
        ("rfc9111", "rfc9111", False),
    ],
)
def test_a_policy_of_the_cache_means_one_of_ours(
    policy: str, ours: str, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    core = make(Made, load_settings(Made, {"HTTPCACHE_ENABLED": True, "HTTPCACHE_POLICY": policy}), {}).settings.core
    assert ours == core.HTTPCACHE_POLICY
    assert ("OnlyGood is not asked" in caplog.text) == told


def test_a_class_derived_from_cookies_middleware_keeps_them_itself() -> None:
    seen: list[Any] = []

    class Telling(CookiesMiddleware):
        def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
            response = super().process_response(request, response, spider)
            seen.append(sorted((cookie.name, cookie.value) for cookie in self.jars[None]))
            return response

    class Two(Made):
        def parse(self, response: Any, **kwargs: Any) -> Any:
            yield {"sent": response.request.headers.get("Cookie")}
            if response.url == ROOT:
                yield Request(f"{ROOT}two", cookies={"own": "1"})

    own = {"scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None, Telling: 700}
    result = run(
        lambda request: NativeResponse(request.url, headers={"Set-Cookie": "a=b"}),
        spider=Two, DOWNLOADER_MIDDLEWARES=own,
    )  # fmt: skip
    assert seen == [[(b"a", b"b")], [(b"a", b"b"), (b"own", b"1")]]
    assert [item["sent"] and set(item["sent"].split(b"; ")) for item in result.items] == [None, {b"a=b", b"own=1"}]


def test_a_cookie_without_a_name_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    class Half(Made):
        async def start(self) -> Any:
            yield Request(ROOT, cookies=[{"value": "x"}, {"name": "a", "value": "1"}])

    assert run({ROOT: "x"}, spider=Half).sent[0].request.headers.get("Cookie") == b"a=1"
    assert "have no name or no value" in caplog.text


@pytest.mark.parametrize("middlewares", [(), (noting([], "one"),)])
def test_what_a_download_of_a_callbacks_comes_to_is_caught_as_in_scrapy(middlewares: Any) -> None:
    class Inline(Made):
        async def parse(self, response: Any, **kwargs: Any) -> Any:
            try:
                await self.crawler.engine.download_async(Request(f"{ROOT}gone"))  # type: ignore[attr-defined]
            except DownloadConnectionRefusedError as error:
                yield {"caught": str(error)}

    site = {ROOT: "x", f"{ROOT}gone": ConnectionFailed("refused")}
    assert run(site, *middlewares, spider=Inline).items == [{"caught": "refused"}]
