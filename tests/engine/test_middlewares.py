"""Do users' middlewares, filters and extensions see what they should?"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from crawler.errors import IgnoreRequest
from crawler.events import Events, ItemScraped, RequestDelayed, RequestEnded, SpiderFailed
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import Drop, Instead
from crawler.spider import Spider
from crawler.testing import crawl

ROOT = "http://a.test/"


class Pages(Spider):
    name = "pages"
    start_urls = [ROOT]

    def parse(self, response: Response) -> Any:
        yield {"url": response.url, "text": response.text}
        yield from response.follow_all(css="a")


class Token:
    """Fetches a token before the page, through a second call of fetch."""

    async def __call__(self, request: Request, fetch: Any) -> Response:
        if request.url.endswith("/token") or "robots" in request.meta:
            return await fetch(request)
        first: Response = await fetch(request)
        if first.status != 401:
            return first
        token = await fetch(Request(ROOT + "token", meta={"handle_httpstatus_all": True}))
        request.headers["X-Token"] = token.text
        answer: Response = await fetch(request)
        return answer


def test_a_second_fetch_of_a_middleware_waits_for_no_slot_of_its_own() -> None:
    def site(request: Request) -> Any:
        if request.url.endswith("robots.txt"):
            return 404
        if request.url.endswith("/token"):
            return "secret"
        return "welcome" if request.headers.get("X-Token") == b"secret" else 401

    settings = {"MIDDLEWARES": [Token], "CONCURRENT_REQUESTS": 1, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
    result = crawl(Pages, site, settings={**settings, "DOWNLOAD_DELAY": 1.0})
    assert [item["text"] for item in result.items] == ["welcome"]
    times = [sent.when for sent in result.sent]
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(times))


def test_a_middleware_may_await_asyncio_answer_itself_and_refuse() -> None:
    class Mixed:
        async def __call__(self, request: Request, fetch: Any) -> Response:
            await asyncio.sleep(1)
            if request.url.endswith("/made"):
                return Response(request.url, body=b"made up")
            if request.url.endswith("/refused"):
                raise IgnoreRequest("not today")
            if request.url.endswith("/broken"):
                raise KeyError("oops")
            answer: Response = await fetch(request)
            return answer

    site = {ROOT: '<a href="/made"><a href="/refused"><a href="/broken">'}
    result = crawl(Pages, site, settings={"MIDDLEWARES": [Mixed]})
    assert [item["text"] for item in result.items][1:] == ["made up"]
    endings = {event.request.url: (event.outcome, event.reason) for event in result.happened(RequestEnded)}
    assert endings[ROOT + "refused"] == ("dropped", "ignored")
    assert endings[ROOT + "broken"] == ("failed", "KeyError")
    assert [event.callback for event in result.happened(SpiderFailed)] == ["middleware"]


def test_filters_may_change_and_drop_requests() -> None:
    def no_pictures(request: Request, found_on: Response | None) -> Request | Drop:
        if request.url.endswith(".png"):
            return Drop("picture")
        return request.replace(url=request.url.replace("http://b.test", "http://a.test"))

    site = {ROOT: '<a href="x.png"><a href="http://b.test/1">', ROOT + "1": "one"}
    result = crawl(Pages, site, settings={"REQUEST_FILTERS": [no_pictures]})
    assert result.urls == [ROOT, ROOT + "1"]


def test_slots_and_fingerprints_can_be_replaced() -> None:
    site = {ROOT: "".join(f'<a href="/{n}?session={n}">' for n in range(3))}
    own = {"FINGERPRINT": lambda request: hash(request.url.partition("?")[0][:-1]) % 2**64}
    assert len(crawl(Pages, site, settings=own).urls) == 2
    slots = {"SLOT_KEY": lambda request: request.url[-1], "DOWNLOAD_DELAY": 100.0}
    assert crawl(Pages, site, settings=slots).seconds < 150


def test_an_extension_subscribes_and_its_errors_do_not_hurt() -> None:
    seen: list[Any] = []

    class Extension:
        LABEL: str = "x"

        def subscribe(self, events: Events) -> None:
            events.subscribe(ItemScraped, self.scraped)

        def scraped(self, event: ItemScraped) -> None:
            seen.append((self.LABEL, event.item["url"]))
            raise RuntimeError("an extension's own trouble")

    result = crawl(Pages, {ROOT: "x"}, settings={"EXTENSIONS": [Extension], "LABEL": "y"})
    assert seen == [("y", ROOT)]
    assert result.summary.exit_status == 0


def test_a_middleware_with_before_is_called_only_where_that_was_not_all() -> None:
    called: list[str] = []

    class Marks:
        def before(self, request: Request) -> bool:
            request.headers["X-Seen"] = "1"
            return "special" not in request.url

        async def __call__(self, request: Request, fetch: Any) -> Any:
            called.append(request.url)
            return await fetch(request)

    urls = [ROOT + "plain", ROOT + "special"]
    result = crawl(type("Two", (Pages,), {"start_urls": urls}), lambda request: "x", settings={"MIDDLEWARES": [Marks]})
    assert called == [ROOT + "special"]
    assert {sent.request.headers.get("X-Seen") for sent in result.sent} == {b"1"}


def test_a_before_that_raises_fails_its_request_alone() -> None:
    class Breaks:
        def before(self, request: Request) -> bool:
            if "bad" in request.url:
                raise ValueError("bad")
            return True

        async def __call__(self, request: Request, fetch: Any) -> Any:
            return await fetch(request)

    two = type("Two", (Pages,), {"start_urls": [ROOT + "bad", ROOT + "good"]})
    result = crawl(two, lambda request: "x", settings={"MIDDLEWARES": [Breaks]})
    assert result.summary.reason == "finished"
    assert [item["url"] for item in result.items] == [ROOT + "good"]
    assert [event.outcome for event in result.happened(RequestEnded) if "bad" in event.request.url] == ["failed"]


class Fragments(Spider):
    name = "fragments"
    start_urls = [ROOT + "#top", ROOT + "moved#mine", ROOT + "named#mine"]

    def parse(self, response: Response) -> Any:
        yield {"url": response.url, "inner": (response.request and response.request.url) == response.url}
        yield from response.follow_all(["#other", "/#third"])


def test_a_response_keeps_its_requests_fragment_through_redirects_and_no_page_is_fetched_twice_for_it() -> None:
    site = {
        ROOT: "home",
        ROOT + "moved": Response(ROOT, 301, {"Location": "/to"}),
        ROOT + "named": Response(ROOT, 302, {"Location": "/to2#theirs"}),
        ROOT + "to": "x",
        ROOT + "to2": "y",
    }
    result = crawl(Fragments, lambda request: site.get(request.url.partition("#")[0], 404))
    urls = [ROOT + "#top", ROOT + "to#mine", ROOT + "to2#theirs"]
    assert sorted(result.items, key=str) == [{"url": url, "inner": True} for url in urls]
    assert len([url for url in result.urls if not url.endswith("robots.txt")]) == 5


class ToTheMirror:
    """Asks the mirror for what the site does not have."""

    async def __call__(self, request: Request, fetch: Any) -> Response | Request:
        response: Response = await fetch(request)
        if response.status == 404 and "robots" not in request.meta:
            return request.replace(url=request.url.replace("a.test", "mirror.test"))
        return response


def endings(result: Any) -> list[tuple[str, str, str]]:
    return [(event.request.url, event.outcome, event.reason) for event in result.happened(RequestEnded)]


def test_a_middleware_may_ask_another_request_instead() -> None:
    site = {ROOT: '<a href="/gone">', "http://mirror.test/gone": "kept"}
    result = crawl(Pages, site, settings={"MIDDLEWARES": [ToTheMirror]})
    assert [item["text"] for item in result.items][1:] == ["kept"]
    assert endings(result) == [(ROOT, "answered", ""), ("http://mirror.test/gone", "answered", "")]
    delayed = [(event.kind, event.reason, event.status) for event in result.happened(RequestDelayed)]
    assert delayed == [("instead", "a middleware", None)]
    assert {"http://mirror.test/robots.txt"} < {sent.url for sent in result.sent}  # the mirror's rules are asked first


def test_what_is_asked_instead_is_judged_and_looked_for_as_a_redirects_target_is() -> None:
    class Scoped(Pages):
        allowed_domains = ["a.test"]

    site = {ROOT: '<a href="/gone">'}
    result = crawl(Scoped, site, settings={"MIDDLEWARES": [ToTheMirror]})
    assert endings(result)[1:] == [("http://a.test/gone", "dropped", "offsite")]

    class Home:
        async def __call__(self, request: Request, fetch: Any) -> Response | Request:
            return await fetch(request) if request.url == ROOT else request.replace(url=ROOT)

    result = crawl(Pages, {ROOT: '<a href="/one">'}, settings={"MIDDLEWARES": [Home], "ROBOTSTXT_OBEY": False})
    assert endings(result)[1:] == [(ROOT, "dropped", "duplicate")]


def test_a_try_more_that_a_middleware_asks_for_waits_as_a_retry_does() -> None:
    class Again:
        async def __call__(self, request: Request, fetch: Any) -> Response | Instead:
            response: Response = await fetch(request)
            times = request.meta.get("retry_times", 0)
            if response.text != "busy" or times == 3:
                return response
            again = request.replace(meta={**request.meta, "retry_times": times + 1}, dont_filter=True)
            return Instead(again, response)

    settings = {"MIDDLEWARES": [Again], "ROBOTSTXT_OBEY": False, "RETRY_BACKOFF": 10.0}
    result = crawl(Pages, {ROOT: "busy"}, settings=settings)
    waits = [later.when - earlier.when for earlier, later in itertools.pairwise(result.sent)]
    assert [5 <= waits[0] <= 11, 10 <= waits[1] <= 21, 20 <= waits[2] <= 41] == [True] * 3


def test_a_robots_txt_that_a_middleware_wants_elsewhere_is_out_of_reach() -> None:
    class Elsewhere:
        async def __call__(self, request: Request, fetch: Any) -> Response | Request:
            return request.replace(url="http://b.test/") if "robots" in request.meta else await fetch(request)

    result = crawl(Pages, {ROOT: "x"}, settings={"MIDDLEWARES": [Elsewhere], "RETRY_ENABLED": False})
    assert endings(result) == [(ROOT, "failed", "FetchError")]
