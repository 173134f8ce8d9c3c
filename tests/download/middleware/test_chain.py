from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from crawler.download.middleware.chain import Fetch, compile_chain
from crawler.download.seam import Exchange, Head
from crawler.errors import IgnoreRequest
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from tests.download.middleware.stage import Stage


class Noting:
    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        self.log.append(f"{self.name} out")
        response = await fetch(request)
        self.log.append(f"{self.name} in")
        return response


def test_the_first_is_outermost() -> None:
    log: list[str] = []
    Stage([Noting("a", log), Noting("b", log)]).fetch("http://a/")
    assert log == ["a out", "b out", "b in", "a in"]


def test_without_middlewares() -> None:
    assert Stage([]).fetch("http://a/").status == 200


def test_a_second_call_goes_to_again() -> None:
    class Twice:
        async def __call__(self, request: Request, fetch: Fetch) -> Response:
            await fetch(request)
            return await fetch(request.replace(url="http://b/"))

    log: list[str] = []
    stage = Stage([Twice(), Noting("inner", log)])
    for _ in range(2):
        assert stage.fetch("http://a/").url == "http://b/"
    assert [request.url for request in stage.again] == ["http://b/"] * 2
    assert log == ["inner out", "inner in"] * 2


def test_an_answer_without_a_fetch() -> None:
    class Local:
        async def __call__(self, request: Request, fetch: Fetch) -> Response:
            return Response("http://local/")

    stage = Stage([Local()])
    assert stage.fetch("http://a/").url == "http://local/"
    assert not stage.sent


def test_errors_pass() -> None:
    class Refusing:
        async def __call__(self, request: Request, fetch: Fetch) -> Response:
            raise IgnoreRequest("no")

    with pytest.raises(IgnoreRequest):
        Stage([Refusing()]).fetch("http://a/")


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_what_an_on_head_raises_belongs_to_its_request(kind: type[BaseException]) -> None:
    shown: list[int] = []

    class Passing:
        async def __call__(self, request: Request, fetch: Fetch) -> Response:
            return await fetch(request)

    class Breaking(Passing):
        def on_head(self, request: Request, head: Head) -> bool:
            raise kind("my bug")

    class Watching(Passing):
        def on_head(self, request: Request, head: Head) -> bool:
            shown.append(head.status)
            return True

    def from_the_transport(request: Request, exchange: Exchange | None) -> Deferred[Response]:
        assert exchange is not None
        assert exchange.on_head is not None
        assert exchange.on_head(request, Head(200, b"OK", Headers(), "h2")) is False
        return succeed(Response(request.url))

    fetch = compile_chain([Breaking(), Watching()], from_the_transport, from_the_transport)  # type: ignore[arg-type]
    failures: list[Any] = []
    fetch(Request("http://a/")).addErrback(failures.append)
    assert failures[0].check(kind)
    assert shown == [200]


def test_every_on_head_is_shown_the_head() -> None:
    seen: list[Any] = []

    class Watching:
        def __init__(self, goes_on: bool) -> None:
            self.goes_on = goes_on

        async def __call__(self, request: Request, fetch: Fetch) -> Response:
            return await fetch(request)

        def on_head(self, request: Request, head: Head) -> bool:
            seen.append((self.goes_on, head.status))
            return self.goes_on

    Stage([Watching(False), Watching(True)]).fetch("http://a/")
    assert seen == [(False, 200), (True, 200)]
