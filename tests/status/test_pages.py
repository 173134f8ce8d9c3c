"""What is answered, and how?"""

from __future__ import annotations

import logging
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlencode

import pytest

from crawler import Response, Spider, testing
from crawler.status.pages import PAGE
from tests.observe.board.made_up import MadeUp
from tests.status.wire import HOST, TOKEN, Reply, Served

OURS = {"origin": f"http://{HOST}", "content_type": "application/x-www-form-urlencoded"}


def post(served: Served, cookie: str, **fields: str) -> Reply:
    return served.ask("/do", "POST", body=urlencode(fields).encode(), cookie=cookie, **OURS)


def csrf_of(served: Served, cookie: str) -> str:
    page = served.ask("/", cookie=cookie).body.decode()
    return page.partition('name="csrf" content="')[2].partition('"')[0]


def test_the_printed_address_leads_to_the_page_without_the_token() -> None:
    served = Served()
    reply = served.ask(f"/?token={TOKEN}", host=HOST)
    assert (reply.status, reply.headers["location"], reply.body) == (303, "/", b"")
    page = served.ask("/", cookie=reply.headers["set-cookie"].partition(";")[0])
    assert page.status == 200
    assert TOKEN.encode() not in page.body


@pytest.mark.parametrize(
    "part", ["series", "errors", "items", "slow", "settings", "feeds", "workers", "history", "now"]
)
def test_each_part_of_what_is_shown_is_json(part: str) -> None:
    reply = Served().ask(f"/api/{part}")
    assert reply.headers["content-type"] == "application/json"
    assert parsedate_to_datetime(reply.headers["date"]).year >= 2026
    assert reply.values() or part == "workers"


def test_hosts_come_by_page_sort_and_filter() -> None:
    connection = Served(source=MadeUp(450)).connect()
    found = connection.ask("/api/hosts?page=3&sort=name&desc=0").values()
    assert (found["total"], found["page"], found["pages"], len(found["rows"])) == (450, 3, 3, 50)
    assert [row["name"] for row in connection.ask("/api/hosts?filter=site-44").values()["rows"]] == [
        "site-44.example", *(f"site-44{number}.example" for number in range(10))
    ]  # fmt: skip


@pytest.mark.parametrize("query", ["page=x", "page=-1", "page=%C2%B2", f"page={'9' * 30}", "sort=nothing"])
def test_a_page_or_column_that_is_none_is_said(query: str) -> None:
    reply = Served().ask(f"/api/hosts?{query}")
    assert reply.status == 400
    assert unquote(query.partition("=")[2])[:20] in reply.values()["error"]


def test_the_page_knows_whether_it_may_steer() -> None:
    assert Served(control=True).ask("/api/now").values()["control"] is True
    assert Served().ask("/api/now").values()["control"] is False


def test_every_response_forbids_what_a_page_of_ours_never_does() -> None:
    served = Served()
    for reply in (
        served.ask("/"),
        served.ask("/api/now"),
        served.ask("/nothing"),
        served.ask("/", host="evil.example"),
        served.ask("/static/page.js"),
        served.ask("/do", "POST", body=b"x" * 70_000),
    ):
        policy = reply.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(policy)
        assert "unsafe" not in " ".join(policy)
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"


def test_head_is_answered_as_get_is_without_the_body() -> None:
    connection = Served().connect()
    length = connection.ask("/api/now").headers["content-length"]
    reply = connection.ask("/api/now", "HEAD")
    assert (reply.status, reply.headers["content-length"], reply.body) == (200, length, b"")


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [("/api/now", "POST", "GET, HEAD"), ("/", "PUT", "GET, HEAD"), ("/do", "GET", "POST"), ("/do", "DELETE", "POST")],
)
def test_another_method_is_refused_by_name(path: str, method: str, allowed: str) -> None:
    served = Served(control=True)
    reply = served.ask(path, method, cookie=served.cookie(), **OURS)
    assert (reply.status, reply.headers["allow"]) == (405, allowed)
    assert method in reply.body.decode()


def test_without_the_token_a_browser_is_told_what_to_open_and_a_program_what_to_send() -> None:
    served = Served()
    page = served.ask("/", host=HOST)
    assert (page.status, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "whole address that the crawl has printed" in page.body.decode()
    program = served.ask("/metrics", host=HOST)
    assert program.status == 401
    assert "Authorization: Bearer TOKEN" in program.body.decode()
    for path in ("/api/now", "/do", "/events", "/jobs/shop-1/api/now"):
        assert "whole address" in served.ask(path, host=HOST).values()["error"]


@pytest.mark.parametrize(
    "path", ["/static/../asked.py", "/static/..%2fasked.py", "/static/%2e%2e/asked.py", "/static//etc", "/static/",
             "/static/__init__.py", "/static/missing.js", "/nothing", "//", "/api/__class__", "/api/", "/api/now/x", "http://evil.example/"]
)  # fmt: skip
def test_nothing_but_the_page_s_own_files_is_served(path: str) -> None:
    assert Served().ask(path).status == 404


def test_each_file_of_the_page_is_served_with_its_type() -> None:
    connection = Served().connect()
    for name, kind in (("page.js", "text/javascript"), ("page.css", "text/css"), ("icon.svg", "image/svg+xml")):
        reply = connection.ask(f"/static/{name}")
        assert reply.headers["content-type"].startswith(kind)
        assert reply.body == PAGE.joinpath(name).read_bytes()


def test_metrics_are_there_where_there_are_some() -> None:
    assert Served().ask("/metrics").status == 404
    reply = Served(metrics=lambda: b"crawler_pages_total 3\n").connect().ask("/metrics")
    assert (reply.body, reply.headers["content-type"]) == (
        b"crawler_pages_total 3\n", "text/plain; version=0.0.4; charset=utf-8"
    )  # fmt: skip


def test_an_action_is_done_for_who_read_the_form() -> None:
    served = Served(control=True)
    cookie = served.cookie()
    reply = post(served, cookie, words="pause shop.example", csrf=csrf_of(served, cookie))
    assert reply.values() == {"said": "did pause shop.example"}
    assert served.did == ["pause shop.example"]


def test_a_form_without_its_csrf_token_does_nothing() -> None:
    served = Served(control=True)
    cookie = served.cookie()
    for fields in (
        {"words": "stop"},
        {"words": "stop", "csrf": ""},
        {"words": "stop", "csrf": csrf_of(served, served.cookie())},
    ):
        reply = post(served, cookie, **fields)
        assert reply.status == 403
        assert "no CSRF token of this session" in reply.values()["error"]
    assert served.did == []


def test_a_page_that_only_shows_names_the_option() -> None:
    served = Served()
    cookie = served.cookie()
    reply = post(served, cookie, words="stop", csrf=csrf_of(served, cookie))
    assert reply.status == 403
    assert "--status-control" in reply.values()["error"]


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"words=stop", 415),
        ("application/json", b"{}", 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("application/x-www-form-urlencoded", b"words=stop\xff", 400),
        ("application/x-www-form-urlencoded", b"&".join(b"a=%d" % number for number in range(30)), 400),
    ],
)
def test_a_form_of_another_shape_does_nothing(kind: str, body: bytes, status: int) -> None:
    served = Served(control=True)
    headers = {**OURS, "cookie": served.cookie(), "content_type": kind}
    assert served.ask("/do", "POST", body=body, **headers).status == status
    assert served.did == []


def test_each_kind_of_refusal_is_logged_once_and_as_one_line(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    for number in range(50):
        served.ask("/", host=f"evil{number}.example\x1b[31m")
        served.ask("/", host=HOST)
        served.ask("/", authorization="Bearer no")
    assert [record.getMessage() for record in caplog.records if record.name == "crawler.status"] == [
        "The status page refused a foreign Host (evil0.example\\x1b[31m); no more of the kind are logged",
        "The status page refused a request without its token; no more of the kind are logged",
        "The status page refused a request with a wrong token; no more of the kind are logged",
    ]


def test_an_error_of_ours_is_told_without_its_traceback_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MadeUp):
        def errors(self) -> Any:
            raise RuntimeError("a secret")

    served = Served(source=Broken())
    for _ in range(3):
        reply = served.ask("/api/errors")
        assert (reply.status, b"secret" in reply.body, b"Traceback" in reply.body) == (500, False, False)
    assert served.ask("/api/now").status == 200
    assert [record.exc_info is not None for record in caplog.records if record.levelno >= logging.ERROR] == [True]


def test_a_value_that_is_no_json_is_an_error_of_ours_too(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(MadeUp):
        def errors(self) -> Any:
            return [object()]

    assert Served(source=Odd()).ask("/api/errors").status == 500
    assert len(caplog.records) == 1


def test_the_token_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    served = Served()
    served.ask(f"/?token={TOKEN}", host=HOST)
    served.ask(f"/api/errors?token={TOKEN}", host=HOST)
    served.ask(f"/?token={TOKEN}", host="evil.example")
    assert TOKEN not in caplog.text


def test_a_test_of_a_spider_in_virtual_time_listens_nowhere() -> None:
    class Shop(Spider):
        name = "shop"
        start_urls = ["http://shop.test/"]

        def parse(self, response: Response) -> Any:
            yield {"url": response.url}

    done = testing.crawl(Shop, {"http://shop.test/": "x"}, settings={"STATUS_ENABLED": True, "ROBOTSTXT_OBEY": False})
    assert len(done.items) == 1
