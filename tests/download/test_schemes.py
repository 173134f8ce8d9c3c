from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import SchemeRouter
from crawler.download.schemes.local import by_scheme
from crawler.download.seam import Exchange
from crawler.errors import BodyTooLarge, FetchError, UnsupportedScheme
from crawler.model.request import Request
from crawler.model.response import Response


class Fake:
    def __init__(self) -> None:
        self.closed = 0

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        return succeed(Response(request.url, body=b"fake", request=request))

    def close(self) -> Deferred[None]:
        self.closed += 1
        return succeed(None)


def router(**settings: Any) -> SchemeRouter:
    return by_scheme(Fake(), CoreSettings(**settings), make=lambda given: given())


def fetch(url: str, router: SchemeRouter, exchange: Exchange | None = None, **request: Any) -> Response:
    outcome: list[Any] = []
    router.fetch(Request(url, **request), exchange).addBoth(outcome.append)
    if not isinstance(outcome[0], Response):
        outcome[0].raiseException()
    response: Response = outcome[0]
    return response


def test_by_scheme() -> None:
    for url in ("http://a/", "https://a/"):
        assert fetch(url, router()).body == b"fake"
    with pytest.raises(UnsupportedScheme, match="known are data, file, http, https") as caught:
        fetch("gopher://a/", router())
    assert caught.value.request is not None


def test_the_setting() -> None:
    own = router(SCHEMES={"gopher": Fake, "file": None})
    assert fetch("gopher://a/", own).body == b"fake"
    with pytest.raises(UnsupportedScheme):
        fetch("file:///etc/passwd", own)


def test_closing_closes_each_once() -> None:
    http = Fake()
    SchemeRouter({"http": http, "https": http}).close()
    assert http.closed == 1


def test_files(tmp_path: Path) -> None:
    (tmp_path / "päge one.html").write_bytes(b"<p>one")
    response = fetch((tmp_path / "päge one.html").as_uri(), router())
    assert response.body == b"<p>one"
    assert response.headers["Content-Type"] == b"text/html"
    assert response.status == 200


@pytest.mark.parametrize(
    ("name", "message"),
    [("", "is a directory"), ("absent", "No such file"), ("pipe", "not a regular file"), ("x%00y", "null")],
)
def test_files_that_are_none(tmp_path: Path, name: str, message: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FetchError, match=message):
        fetch(f"{tmp_path.as_uri()}/{name}", router())


def test_files_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 1001)
    with pytest.raises(BodyTooLarge):
        fetch(path.as_uri(), router(), max_size=1000)
    assert len(fetch(path.as_uri(), router(), max_size=1001).body) == 1001
    with pytest.raises(FetchError, match="no other machine"):
        fetch("file://server/share", router())


def test_large_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 1001)
    assert fetch(path.as_uri(), router(DOWNLOAD_SPOOL_SIZE=1000)).body_file == path


@pytest.mark.parametrize(
    ("url", "body", "kind"),
    [
        ("data:,A%20brief%20note", b"A brief note", b"text/plain;charset=US-ASCII"),
        ("data:text/html,<p>a", b"<p>a", b"text/html"),
        ("data:text/html;charset=utf-8;base64,PHA+", b"<p>", b"text/html;charset=utf-8"),
        ("data:;base64,SGk", b"Hi", b"text/plain;charset=US-ASCII"),
        ("data:;charset=utf-8,x", b"x", b"text/plain;charset=utf-8"),
        ("data:nonsense,x", b"x", b"text/plain;charset=US-ASCII"),
    ],
)
def test_data(url: str, body: bytes, kind: bytes) -> None:
    response = fetch(url, router())
    assert (response.body, response.headers["Content-Type"]) == (body, kind)


@pytest.mark.parametrize("url", ["data:text/html", "data:;base64,%%%"])
def test_broken_data(url: str) -> None:
    with pytest.raises(FetchError):
        fetch(url, router())
    with pytest.raises(BodyTooLarge):
        fetch("data:,12345", router(), max_size=4)


def test_watched() -> None:
    tapped: list[bytes] = []
    fetch("data:,abc", router(), Exchange(tap=tapped.append))
    assert tapped == [b"abc"]
    stopped = fetch("data:,abc", router(), Exchange(on_head=lambda request, head: False))
    assert (stopped.body, stopped.flags) == (b"", ["local", "stopped"])
