"""Do requests of the dialect go through the engine as native ones do, whatever they show?"""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from crawler.model.copied import copied
from crawler.model.request import Request as NativeRequest
from crawler.model.response import Response as NativeResponse
from crawler.model.url import fingerprint
from crawler.scrapy.adapters.policies import scope
from crawler.scrapy.adapters.responses import as_scrapy
from crawler.scrapy.http import (
    FormRequest,
    Headers,
    HtmlResponse,
    JsonRequest,
    JsonResponse,
    Request,
    Response,
    TextResponse,
)
from crawler.scrapy.item import Field, Item
from crawler.scrapy.selector import Selector
from crawler.scrapy.spiders import Spider
from crawler.storage.codec import Codec


class Shop(Spider):
    """Has a callback."""

    name = "shop"

    def parse(self, response: Any) -> None:
        """Do nothing."""


class Own(Request):
    """A request with an attribute of its own and arguments of its own."""

    attributes = (*Request.attributes, "page")

    def __init__(self, *args: Any, page: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.page = page


@pytest.mark.parametrize(
    "url",
    ["http://host", "http://host/a b?ä|", "http://host:80/a/../b", "http://host/#f", "HTTP://Host/x", "http://host/x"],
)
def test_what_is_sent_and_told_apart_is_the_normal_form(url: str) -> None:
    request = Request(url)
    native = NativeRequest(request.url)
    assert (request.normal_url, request.host, request.origin) == (native.url, native.host, native.origin)
    assert fingerprint(request) == fingerprint(native)


@pytest.mark.parametrize(
    "made",
    [
        lambda spider: Request("http://host", spider.parse, meta={"depth": 1}),
        lambda spider: Request("http://host/a b#f", spider.parse, headers={"a": ["1", "2"], "n": None}, priority=3),
        lambda spider: Request("http://host/a|ä", meta={"verbatim_url": True}, cookies=[{"name": "a", "value": "b"}]),
        lambda spider: FormRequest("http://host/", formdata={"a": "ü"}, errback=spider.parse, flags=["x"]),
        lambda spider: JsonRequest("http://host/?", data={"a": 1}, dumps_kwargs={"indent": 1}),
        lambda spider: Own("http://host/..", page=7, cb_kwargs={"k": 1}, dont_filter=True),
    ],
)
def test_what_the_job_keeps_comes_back_equal(made: Any) -> None:
    spider = Shop()
    request = made(spider)
    codec = Codec(spider)
    again = codec.decode_request(request.url, request.priority, codec.encode_request(request))
    assert type(again) is type(request)
    assert again.to_dict(spider=spider) == request.to_dict(spider=spider)
    assert (again.normal_url, again.host, again.origin) == (request.normal_url, request.host, request.origin)
    assert again.headers.raw() == request.headers.raw()


def test_plain_links_have_one_stored_form() -> None:
    spider = Shop()
    codec = Codec(spider)
    forms = [codec.encode_request(Request(f"http://host/{n}", spider.parse, meta={"depth": 1})) for n in range(2)]
    assert forms[0] is forms[1]
    assert forms[0] is not codec.encode_request(NativeRequest("http://host/", spider.parse, meta={"depth": 1}))


def test_fields_are_assignable_and_checked() -> None:
    request = Request("http://host/", meta={"a": [1]})
    request.priority, request.dont_filter, request.callback, request.method = 5, True, print, "post"
    request.cookies, request.flags, request.headers = {"a": "b"}, ["f"], {"x": "1"}
    assert (request.priority, request.dont_filter, request.callback, request.method) == (5, True, print, "POST")
    assert (request.cookies, request.flags, request.headers.raw()) == ({"a": "b"}, ["f"], [(b"X", b"1")])
    for name, value in (("url", "http://other/"), ("body", b"x"), ("meta", {}), ("encoding", "latin-1")):
        with pytest.raises(AttributeError):
            setattr(request, name, value)
    with pytest.raises(ValueError, match="method must be a token"):
        request.method = "GET / HTTP/1.1\r\nX: y"


def test_nothing_that_is_given_can_write_a_second_header() -> None:
    request = Request("http://host/", headers={"x": "a\r\nInjected: yes", "y": b"b\0c"})
    assert request.headers.raw() == [(b"X", b"a Injected: yes"), (b"Y", b"b c")]
    with pytest.raises(ValueError, match="is no token"):
        request.headers["a b"] = "c"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])  # noqa: S301
def test_requests_and_responses_can_be_copied(copied: Any) -> None:
    for each in (
        Own("http://host/a b", page=3, headers={"a": "1"}, meta={"m": 1}),
        FormRequest("http://h", formdata={"a": "b"}),
    ):
        again = copied(each)
        assert again is not each
        assert (type(again), again.to_dict(), again.normal_url) == (type(each), each.to_dict(), each.normal_url)
    page = HtmlResponse("http://h/", body=b"<p>1", headers={"a": "1"})
    assert copied(page).to_dict() == page.to_dict()


@pytest.mark.parametrize(
    ("kind", "body", "made"),
    [
        ("text/html", b"<p>", HtmlResponse),
        ("application/json", b"[1]", JsonResponse),
        ("text/plain", b"x", TextResponse),
        ("image/png", b"\x89PNG\x01", Response),
    ],
)
def test_a_native_response_becomes_one_of_the_dialect(kind: str, body: bytes, made: type) -> None:
    headers = {"Content-Type": kind, "X-Twice": ["1", "2"]}
    native = NativeResponse(
        "http://host/x#f", 201, headers, body, request=NativeRequest("http://host/x#f"), latency=0.5
    )
    response = as_scrapy(native)
    assert response is native
    assert as_scrapy(response) is response
    assert (type(response), response.url, response.status, response.body) == (made, "http://host/x", 201, body)
    assert dict(response.headers)[b"X-Twice"] == [b"1", b"2"]
    assert isinstance(response.headers, Headers)
    assert (type(response.request), response.request.url) == (Request, "http://host/x#f")
    assert response.meta["download_latency"] == 0.5


def test_the_users_own_classes_stay_his() -> None:
    request = Own("http://host/", page=1)
    assert as_scrapy(NativeResponse("http://host/", request=request)).request is request
    assert type(request) is Own
    again = request.replace(url="http://host/2")
    assert (type(again), again.page) == (Own, 1)


@pytest.mark.parametrize(
    ("domains", "hosts"),
    [
        (["host", None], ["host", "sub.host"]),
        (["sub.host"], ["sub.host"]),
        (None, ["host", "sub.host", "nothost"]),
        ([], ["host", "sub.host", "nothost"]),
        ([None], []),
        ("host", []),
        (["HOST", "http://host/", "host:80", ".host", "host/"], []),
    ],
)
def test_domains_are_read_as_they_are_written(domains: Any, hosts: list[str], caplog: pytest.LogCaptureFixture) -> None:
    spider = Shop(allowed_domains=domains)
    judge = scope(spider)
    requests = [Request(f"http://{host}/") for host in ("host", "sub.host", "nothost")]
    assert [request.host for request in requests if judge(request, None) is request] == hosts
    odd = domains == "host" or "HOST" in (domains or ())
    assert [record for record in caplog.messages if "no host matches that" in record] or not odd
    assert isinstance(judge(Request("http://other/", dont_filter=True), None), Request)
    spider.allowed_domains = ["other"]
    assert judge(Request("http://other/"), None)


class Book(Item):
    """An item with two fields."""

    title = Field()
    pages = Field()


def test_the_engine_copies_an_item_and_shares_what_cannot_be_copied() -> None:
    selector, pages = Selector(text="<p>x"), [1]
    item = Book(title=selector, pages=pages)
    copy_of_it = copied(item)
    assert (type(copy_of_it), copy_of_it, copy_of_it["title"]) == (Book, item, selector)
    pages.append(2)
    item["title"] = "x"
    assert (copy_of_it["pages"], copy_of_it["title"]) == ([1], selector)
    codec = Codec(Shop(), [Book])
    assert codec.decode(codec.encode_item(Book(title="t"))) == Book(title="t")


def test_a_request_knows_its_latency_once_the_response_is_scrapys() -> None:
    request = Request("http://host/")
    as_scrapy(NativeResponse("http://host/", request=request, latency=0.5))
    assert request.meta["download_latency"] == 0.5
