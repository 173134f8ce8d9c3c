from __future__ import annotations

import pytest

from crawler.config.schema import CoreSettings
from crawler.download.middleware.proxy import EnvironmentProxy
from crawler.model.request import Request
from tests.download.middleware.stage import Stage


def proxy(url: str, **environment: str) -> str | None:
    return EnvironmentProxy(CoreSettings(), environment).proxy_for(url)


def test_by_scheme() -> None:
    both = {"http_proxy": "http://p:1", "HTTPS_PROXY": "http://q:2"}
    assert proxy("http://a.com/", **both) == "http://p:1"
    assert proxy("https://a.com/", **both) == "http://q:2"
    assert proxy("ftp://a.com/", **both) is None
    assert proxy("http://a.com/", all_proxy="socks5://s:3") == "socks5://s:3"
    assert proxy("http://a.com/") is None


def test_httpoxy() -> None:
    assert proxy("http://a.com/", HTTP_PROXY="http://evil:1", REQUEST_METHOD="GET") is None


@pytest.mark.parametrize(
    ("rules", "url", "is_direct"),
    [
        ("*", "http://a.com/", True),
        ("a.com", "http://a.com/", True),
        ("a.com", "http://www.a.com/", True),
        (".a.com", "http://www.a.com/", True),
        ("*.a.com", "http://www.a.com/", True),
        ("a.com", "http://ba.com/", False),
        ("b.com, a.com:8080", "http://a.com:8080/", True),
        ("a.com:8080", "http://a.com/", False),
        ("127.0.0.0/8", "http://127.0.7.1/", True),
        ("10.0.0.0/8", "http://127.0.7.1/", False),
        ("10.0.0.0/8", "http://a.com/", False),
        ("::1", "http://[::1]/", True),
        ("[::1]:80", "http://[::1]/", True),
        ("", "http://a.com/", False),
    ],
)
def test_no_proxy(rules: str, url: str, is_direct: bool) -> None:
    assert (proxy(url, http_proxy="http://p:1", no_proxy=rules) is None) is is_direct


def test_the_request_comes_first() -> None:
    middleware = EnvironmentProxy(CoreSettings(), {"http_proxy": "http://p:1"})
    stage = Stage([middleware])
    request = Request("http://a.com/")
    assert stage.fetch(request).request is request
    assert "proxy" not in request.meta
    stage.fetch("http://a.com/", proxy="http://own:1")
    stage.fetch("http://a.com/", meta={"proxy": None})
    stage.fetch("https://a.com/")
    assert [each.meta.get("proxy") for each in stage.sent] == ["http://p:1", "http://own:1", None, None]


def test_it_can_be_turned_off() -> None:
    settings = CoreSettings(HTTPPROXY_ENABLED=False)
    assert EnvironmentProxy(settings, {"http_proxy": "http://p:1"}).proxy_for("http://a.com/") is None
