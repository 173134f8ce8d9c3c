from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from crawler.config.schema import CoreSettings
from crawler.download.middleware.cache.middleware import Fresh, HttpCache, Stale
from crawler.download.middleware.cookies.middleware import Cookies
from crawler.download.middleware.headers import Authentication, DefaultHeaders
from crawler.errors import NotInCache
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.storage.cache import CacheFile
from crawler.threads import InlinePool
from tests.download.middleware.stage import Stage


class World:
    """A cached crawl of a site that answers with ``fields``."""

    def __init__(self, folder: Path, policy: Any = "rfc9111", **settings: Any) -> None:
        self.now = 1_800_000_000.0
        self.fields: dict[str, Any] = {"Cache-Control": "max-age=60"}
        self.status = 200
        core = CoreSettings(HTTPCACHE_POLICY=policy, **settings)
        self.file = CacheFile(folder / "cache", wall=self.wall)
        defaults, authentication = DefaultHeaders(core), Authentication(core)
        cookies = Cookies(core, wall=self.wall)
        self.cache = HttpCache(
            core,
            self.file,
            InlinePool("cache", 1),
            defaults=defaults,
            authentication=authentication,
            cookies=cookies,
            wall=self.wall,
        )
        self.stage = Stage([defaults, self.cache, authentication, cookies], self.answer)

    def wall(self) -> float:
        return self.now

    def answer(self, request: Request) -> Response:
        headers = Headers({"Date": formatdate(self.now, usegmt=True), **self.fields})
        if "If-None-Match" in request.headers and request.headers["If-None-Match"] == headers.get("ETag"):
            return Response(request.url, 304, headers, request=request)
        return Response(request.url, self.status, headers, b"body %d" % len(self.stage.sent), request=request)

    def get(self, url: str = "http://a.com/", **request: Any) -> bytes:
        return self.stage.fetch(url, **request).body

    def lookup(self, url: str = "http://a.com/", **request: Any) -> Any:
        return self.cache.lookup(Request(url, **request))


Make = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda *args, **settings: World(tmp_path, *args, **settings)


def test_a_fresh_page_is_not_fetched(make: Make) -> None:
    world = make()
    assert world.lookup() is None
    assert world.get() == world.get("http://a.com/#part") == b"body 1"
    found = world.lookup()
    assert isinstance(found, Fresh)
    assert found.response.body == b"body 1"
    assert found.response.flags == ["cached"]
    assert found.response.headers["Cache-Control"] == b"max-age=60"
    world.now += 61
    assert world.lookup() is None
    assert world.get() == b"body 2"
    assert world.get("http://a.com/other") == b"body 3"


def test_a_stale_page_is_validated(make: Make) -> None:
    world = make()
    world.fields["ETag"] = '"1"'
    request = Request("http://a.com/")
    world.stage.fetch(request)
    world.now += 100
    assert isinstance(world.lookup(), Stale)
    assert world.lookup().validators == [(b"If-None-Match", b'"1"')]
    response = world.stage.fetch(request)
    assert (response.status, response.body) == (200, b"body 1")
    assert response.flags == ["cached", "revalidated"]
    assert response.request is request
    assert "If-None-Match" not in request.headers
    assert len(world.stage.sent) == 2
    assert world.get() == b"body 1"
    assert len(world.stage.sent) == 2
    world.now += 100
    world.fields["ETag"] = '"2"'
    assert world.get() == b"body 3"
    assert world.get() == b"body 3"


def test_a_kept_answer_says_how_old_it_is(make: Make) -> None:
    world = make()
    world.fields |= {"Age": "7, 0", "Connection": "X-Hop", "X-Hop": "1", "ETag": '"1"'}
    assert world.stage.fetch("http://a.com/").headers["Age"] == b"7, 0"
    world.now += 20.5
    headers = world.stage.fetch("http://a.com/").headers
    assert headers.getlist("Age") == [b"27"]
    assert "X-Hop" not in headers
    del world.fields["Age"]
    world.now += 100
    checked = world.stage.fetch("http://a.com/")
    assert checked.flags == ["cached", "revalidated"]
    assert "Age" not in checked.headers  # its origin has just said that it holds (RFC 9111 section 5.1)
    world.now += 3
    assert world.stage.fetch("http://a.com/").headers["Age"] == b"3"


def test_what_a_304_says_to_vary_on_everything_is_asked_for_each_time(make: Make) -> None:
    world = make()
    world.fields["ETag"] = '"1"'
    world.get()
    world.now += 100
    world.fields["Vary"] = "*"
    assert [world.get(), world.get(), world.get()] == [b"body 1"] * 3
    assert len(world.stage.sent) == 4


def test_vary(make: Make) -> None:
    world = make()
    world.fields["Vary"] = "Accept-Language"
    assert world.get() == b"body 1"
    assert world.get(headers={"Accept-Language": "de"}) == b"body 2"
    assert world.get() == b"body 1"
    assert world.get(headers={"Accept-Language": "de"}) == b"body 2"
    assert isinstance(world.lookup(headers={"Accept-Language": "de"}), Fresh)
    assert world.lookup(headers={"Accept-Language": "fr"}) is None


def test_a_page_that_varies_by_cookie_is_for_who_has_the_same(make: Make) -> None:
    world = make()
    world.fields |= {"Vary": "Cookie, Accept", "Set-Cookie": "sid=1"}
    assert world.get() == b"body 1"  # asked for without a cookie, and sets one
    world.fields["Set-Cookie"] = "other=1; Path=/elsewhere"
    assert world.lookup() is None
    assert world.get() == world.get() == b"body 2"
    assert world.get(meta={"dont_merge_cookies": True}) == b"body 1"
    assert world.get(cookies={"sid": "2"}) == b"body 3"
    assert isinstance(world.lookup(cookies={"sid": "2"}), Fresh)
    assert isinstance(world.lookup(), Fresh)  # the jar has sid=2 by now
    assert world.lookup(cookies={"sid": "3"}) is None
    assert isinstance(world.lookup(), Fresh)  # a look changes no jar
    world.file.close()
    assert make("replay").get(headers={"Cookie": "sid=9"}) == b"body 3"


def test_pages_of_one_user_are_not_anothers(make: Make) -> None:
    world = make(HTTP_AUTH={"http://b.com": "u:p"})
    ways: list[dict[str, Any]] = [
        {},
        {"auth": ("u", "p")},
        {"auth": ("v", "p")},
        {"headers": {"Authorization": "Bearer x"}},
        {"meta": {"cookiejar": 1}},
    ]
    bodies = [world.get(**way) for way in ways]
    assert len(set(bodies)) == len(ways)
    assert [world.get(**way) for way in ways] == bodies
    world.get("http://b.com/")
    assert isinstance(world.lookup("http://b.com/"), Fresh)
    assert world.lookup("http://b.com/", meta={"auth": None}) is None


def test_what_is_not_kept(make: Make) -> None:
    world = make()
    for way in (
        {"method": "POST"},
        {"meta": {"dont_cache": True}},
        {"headers": {"Range": "bytes=0-5"}},
        {"headers": {"Cache-Control": "no-store"}},
    ):
        assert world.get(**way) != world.get(**way)
    world.status = 500
    world.fields = {"ETag": '"x"'}
    assert world.get() != world.get()


def test_a_post_makes_the_page_worthless(make: Make) -> None:
    world = make()
    world.get()
    world.get(method="POST")
    assert world.lookup() is None


def test_a_head_that_says_otherwise_makes_the_page_worthless(make: Make) -> None:
    world = make()
    world.fields |= {"ETag": '"1"', "Content-Length": "6"}
    world.get()
    world.get(method="HEAD")
    assert isinstance(world.lookup(), Fresh)
    for field, value in (("ETag", '"2"'), ("Content-Length", "7"), ("ETag", None)):
        world.fields[field] = value
        world.get(method="HEAD")
        assert isinstance(world.lookup(), Fresh) is (value is None)
        world.get()
    world.status = 404
    world.fields["Content-Length"] = "8"
    world.get(method="HEAD")
    assert isinstance(world.lookup(), Fresh)


def test_a_retry_is_not_answered_from_the_cache(make: Make) -> None:
    world = make("everything")
    world.status = 503
    world.get()
    assert isinstance(world.lookup(), Fresh)
    assert world.lookup(meta={"retry_times": 1}) is None


def test_everything(make: Make) -> None:
    world = make("everything", HTTPCACHE_IGNORE_HTTP_CODES=[404])
    world.fields = {"Cache-Control": "no-store"}
    assert world.get() == world.get()
    assert world.get(method="POST", body=b"1") == world.get(method="POST", body=b"1")
    assert world.get(method="POST", body=b"1") != world.get(method="POST", body=b"2")
    world.status = 404
    assert world.get("http://a.com/404") != world.get("http://a.com/404")


def test_replay(make: Make) -> None:
    recording = make("everything")
    recording.get()
    recording.file.close()
    world = make("replay")
    assert world.get() == b"body 1"
    with pytest.raises(NotInCache):
        world.get("http://a.com/other")
    with pytest.raises(NotInCache):
        world.get(meta={"dont_cache": True})
    assert not world.stage.sent


def test_other_schemes_pass(make: Make) -> None:
    world = make("replay")
    assert world.get("file:///x") == b"body 1"


def test_broken_bodies_are_not_kept(make: Make) -> None:
    world = make()

    def truncated(request: Request) -> Response:
        return Response(request.url, 200, Headers(world.fields), b"half", flags=["dataloss"], request=request)

    world.stage.answer = truncated
    world.get()
    assert world.lookup() is None


def test_since_asks_about_a_fresh_page_too(tmp_path: Path) -> None:
    World(tmp_path).get()  # with no validator: it can only be fetched again
    first = World(tmp_path)
    first.fields = {"Cache-Control": "max-age=3600", "ETag": '"1"'}
    body = first.get("http://a.com/fresh")
    first.file.close()

    second = World(tmp_path, SINCE="LAST")
    second.fields = first.fields
    assert isinstance(second.lookup("http://a.com/fresh"), Stale)
    assert second.get("http://a.com/fresh") == body
    assert second.stage.sent[0].headers["If-None-Match"] == b'"1"'  # and a 304 was answered from the cache
    assert second.lookup("http://a.com/") is None
    second.fields = {"ETag": '"2"'}
    assert second.get("http://a.com/fresh") == b"body 2"


def test_since_answers_at_once_what_has_not_changed_by_its_lastmod(tmp_path: Path) -> None:
    world = World(tmp_path, SINCE="LAST")  # in January 2027
    world.fields = {"ETag": '"1"'}
    body = world.get()
    assert isinstance(world.lookup(meta={"lastmod": "2027-03-01"}), Stale)
    found = world.lookup(meta={"lastmod": "2026-12-24"})
    assert isinstance(found, Fresh)
    assert found.response.body == body
    assert world.get(meta={"lastmod": "2026-12-24"}) == body
    assert len(world.stage.sent) == 1


def test_lastmod_means_nothing_without_since(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.fields = {"ETag": '"1"'}
    world.get()
    assert isinstance(world.lookup(meta={"lastmod": "2026-12-24"}), Stale)
