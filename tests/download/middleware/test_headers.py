from __future__ import annotations

from crawler.config.schema import CoreSettings
from crawler.download.middleware.headers import DefaultHeaders
from tests.download.middleware.stage import Stage


def test_defaults() -> None:
    settings = CoreSettings(
        USER_AGENT="me/1", DEFAULT_REQUEST_HEADERS={"Accept": "text/html", "X-None": None, "Authorization": "secret"}
    )
    stage = Stage([DefaultHeaders(settings)])
    stage.fetch("http://a/")
    stage.fetch("http://a/", headers={"accept": "image/png", "User-Agent": None})
    stage.fetch("http://a/robots.txt", meta={"robots": True})
    first, second, robots = (dict(request.headers.raw()) for request in stage.sent)
    assert first == {b"Accept": b"text/html", b"Authorization": b"secret", b"User-Agent": b"me/1"}
    assert second == {b"accept": b"image/png", b"Authorization": b"secret"}
    assert robots == {b"Accept": b"text/html", b"User-Agent": b"me/1"}


def test_a_default_may_be_a_number() -> None:
    stage = Stage([DefaultHeaders(CoreSettings(USER_AGENT="", DEFAULT_REQUEST_HEADERS={"DNT": 0, "X-None": None}))])
    stage.fetch("http://a/")
    assert dict(stage.sent[0].headers.raw()) == {b"DNT": b"0"}
