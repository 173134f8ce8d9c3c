from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import compile_chain
from crawler.download.middleware.cookies.middleware import Cookies
from crawler.download.middleware.proxy_pool import ProxyPool
from crawler.download.middleware.sessions import Sessions
from crawler.errors import FetchTimeout, ProxyError, SessionBlocked, SettingError
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from tests.download.middleware.stage import Stage

THREE = ["http://p1:1", "http://user:secret@p2:2", "socks5://p3:3"]


class World:
    def __init__(self, **settings: Any) -> None:
        self.now = 0.0
        self.dead: set[str] = set()
        self.pool = ProxyPool(CoreSettings(PROXIES=THREE, **settings), clock=lambda: self.now)
        self.stage = Stage([self.pool], self.answer)

    def answer(self, request: Request) -> Response:
        if request.meta["proxy"] in self.dead:
            raise ProxyError(f"the proxy {request.meta['proxy']} cannot be used")
        return Response(request.url, request=request)

    def used(self, count: int, **request: Any) -> list[int]:
        self.stage.sent.clear()
        for _ in range(count):
            try:
                self.stage.fetch("http://a.com/", **request)
            except ProxyError:
                pass
        return [THREE.index(each.meta["proxy"]) for each in self.stage.sent]


def test_in_turns() -> None:
    world = World()
    used = world.used(6)
    assert used[:3] == used[3:]
    assert sorted(used[:3]) == [0, 1, 2]


def test_a_request_may_choose() -> None:
    world = World()
    world.stage.fetch("http://a.com/", meta={"proxy": None})
    world.stage.fetch("http://a.com/", proxy="http://own:1")
    assert [each.meta["proxy"] for each in world.stage.sent] == [None, "http://own:1"]


def test_sticky_per_cookie_jar() -> None:
    world = World()
    for jar in ("x", "y", "z"):
        assert len(set(world.used(5, meta={"cookiejar": jar}))) == 1


def test_a_dead_proxy_is_left_alone_and_comes_back() -> None:
    world = World()
    world.dead = {THREE[1]}
    assert world.used(6).count(1) == 1
    assert 1 not in world.used(6)
    world.now += 31
    assert world.used(3).count(1) == 1
    world.now += 31
    assert 1 not in world.used(3)
    world.dead = set()
    world.now += 31
    assert 1 in world.used(3)
    assert world.pool.proxies[1].failures == 0


def test_sticky_moves_when_its_proxy_dies() -> None:
    world = World()
    (first,) = world.used(1, meta={"cookiejar": 1})
    world.dead = {THREE[first]}
    used = world.used(4, meta={"cookiejar": 1})
    assert used[0] == first
    assert first not in used[1:]
    assert len(set(used[1:])) == 1


def test_all_dead_and_recovering() -> None:
    world = World()
    world.dead = set(THREE)
    assert len(world.used(10)) == 10
    world.dead = set()
    world.now += 31
    world.used(3)
    assert sum(proxy.failures for proxy in world.pool.proxies) < 10


def test_credentials_are_not_shown() -> None:
    assert "secret" not in repr(World().pool.proxies)


def test_no_pool_without_proxies() -> None:
    with pytest.raises(SettingError):
        ProxyPool(CoreSettings())


def test_limits() -> None:
    pool = ProxyPool(CoreSettings(PROXIES=["http://p1:1", "http://p2:2"], PROXY_CONCURRENCY=2))
    under_way: list[tuple[Request, Deferred[Response]]] = []

    def download(request: Request, exchange: Any) -> Deferred[Response]:
        under_way.append((request, Deferred()))
        return under_way[-1][1]

    fetch = compile_chain([pool], download, lambda request: download(request, None))
    fetching = [fetch(Request(f"http://a.com/{n}")) for n in range(6)]
    assert sorted(request.meta["proxy"] for request, _ in under_way) == ["http://p1:1"] * 2 + ["http://p2:2"] * 2
    fetching[5].addErrback(lambda failure: None)
    fetching[5].cancel()
    request, deferred = under_way[0]
    deferred.callback(Response(request.url, request=request))
    assert len(under_way) == 5
    assert under_way[4][0].meta["proxy"] == request.meta["proxy"]
    under_way[1][1].errback(FetchTimeout("late", phase="connect"))
    fetching[1].addErrback(lambda failure: failure.trap(FetchTimeout) and None)
    assert sum(proxy.failures for proxy in pool.proxies) == 1


class Site:
    """A site that gives a cookie and blocks some of them."""

    def __init__(self) -> None:
        self.blocked: set[bytes] = set()
        self.given = 0

    def __call__(self, request: Request) -> Response:
        cookie = request.headers.get("Cookie")
        headers = {}
        if cookie is None:
            self.given += 1
            cookie = b"id=%d" % self.given
            headers = {"Set-Cookie": cookie}
        status = 403 if cookie in self.blocked else 200
        return Response(request.url, status, Headers(headers), request=request)


def session_stage(site: Site, **settings: Any) -> Stage:
    core = CoreSettings(
        PROXIES=THREE, SESSION_IDENTITIES=[{"User-Agent": "one"}, {"User-Agent": "two"}], **{"SESSIONS": 2, **settings}
    )
    cookies, pool = Cookies(core), ProxyPool(core)
    return Stage([Sessions(core, cookies, pool), cookies, pool], site)


def client(request: Request) -> tuple[Any, Any, Any]:
    return request.headers.get("Cookie"), request.headers.get("User-Agent"), request.meta["proxy"]


def test_cookies_proxy_and_identity_belong_together() -> None:
    stage = session_stage(Site())
    for _ in range(8):
        stage.fetch("http://a.com/")
    assert len({client(request) for request in stage.sent[2:]}) == 2
    assert {client(request)[1] for request in stage.sent} == {b"one", b"two"}


def test_a_blocked_session_is_thrown_away_as_a_whole() -> None:
    site = Site()
    stage = session_stage(site, SESSIONS=1)
    request = Request("http://a.com/")
    stage.fetch(request)
    before = client(stage.sent[-1])
    site.blocked = {b"id=1"}
    with pytest.raises(SessionBlocked):
        stage.fetch(request)
    assert stage.fetch(request).status == 200
    after = client(stage.sent[-1])
    assert site.given == 2
    assert (before[1], after[1]) == (b"one", b"two")
    assert before[2] != after[2]


def test_the_last_try_is_the_answer() -> None:
    site = Site()
    site.blocked = {b"id=1", b"id=2"}
    stage = session_stage(site)
    assert stage.fetch("http://a.com/", meta={"retry_times": 2}).status == 403
    assert stage.fetch("http://a.com/", meta={"dont_retry": True}).status == 403


def test_named_sessions() -> None:
    stage = session_stage(Site())
    for name in ("x", "y", "x", "y", "x"):
        stage.fetch("http://a.com/", session=name)
    _, _, x2, y2, x3 = map(client, stage.sent)
    assert x2 == x3 != y2


def test_a_redirect_stays_in_its_session() -> None:
    stage = session_stage(Site(), SESSIONS=10)
    request = Request("http://a.com/")
    stage.fetch(request)
    stage.fetch(Request("http://a.com/next", meta=request.meta))
    assert stage.sent[1].headers.get("Cookie") == b"id=1"


def test_sessions_grow_old() -> None:
    site = Site()
    stage = session_stage(site, SESSIONS=1, SESSION_MAX_USES=3)
    for _ in range(9):
        stage.fetch("http://a.com/")
    assert site.given == 3


def test_robots_has_no_session() -> None:
    stage = session_stage(Site())
    stage.fetch("http://a.com/robots.txt", meta={"robots": True, "dont_merge_cookies": True})
    assert stage.sent[0].headers.get("User-Agent") is None
    assert "session" not in stage.sent[0].meta
