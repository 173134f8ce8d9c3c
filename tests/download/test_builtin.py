from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from crawler.config.schema import CoreSettings
from crawler.download.archived import ArchiveDownloader
from crawler.download.builtin import BuiltIn
from crawler.download.fast.downloader import FastDownloader
from crawler.download.middleware.cache import Fresh
from crawler.download.middleware.chain import compile_chain
from crawler.download.seam import Exchange
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.storage.cache import CacheFile
from tests.download.chaos import Chaos, answer, steps
from tests.download.reactor import reactor, run


def names(**settings: Any) -> list[str]:
    built_in = BuiltIn(CoreSettings(**settings), reactor=reactor)
    return [type(each).__name__ for each in built_in.middlewares]


def test_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert names() == ["DefaultHeaders", "Authentication", "Cookies"]
    assert names(COOKIES_ENABLED=False, PROXIES=["http://p:1"], SESSIONS=3) == [
        "DefaultHeaders",
        "Authentication",
        "Sessions",
        "ProxyPool",
    ]
    monkeypatch.setenv("http_proxy", "http://p:1")
    assert names()[-1] == "EnvironmentProxy"
    assert names(HTTPPROXY_ENABLED=False)[-1] == "Cookies"


def test_cache_and_archive_together(tmp_path: Path) -> None:
    server = Chaos({"/": steps(answer(b"page", headers=b"Cache-Control: max-age=600\r\nSet-Cookie: a=b\r\n"))})
    core = CoreSettings(HTTPCACHE_ENABLED=True, WARC_FILE=str(tmp_path / "a.warc.gz"))
    built_in = BuiltIn(core, reactor=reactor, open_pages=lambda: CacheFile(tmp_path / "cache"))
    downloader = built_in.archived(FastDownloader(core, reactor=reactor))
    fetch = compile_chain(built_in.middlewares, downloader.fetch, downloader.fetch)
    url = server.url("/")
    try:
        assert built_in.lookup is not None
        assert built_in.lookup(Request(url)) is None
        for _ in range(3):
            assert run(fetch(Request(url))).body == b"page"
        assert isinstance(built_in.lookup(Request(url)), Fresh)
        assert len(server.requests) == 1
        assert built_in.facts[0].snapshot()
    finally:
        run(downloader.close())
        built_in.close()
        server.close()
    assert ArchiveDownloader(tmp_path / "a.warc.gz").urls == [url]


def test_the_chain_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under 15 µs on an idle machine; the bound here only catches what costs many times that."""
    monkeypatch.delenv("http_proxy", raising=False)
    headers = Headers.from_raw([(b"Content-Type", b"text/html"), (b"Content-Length", b"5")])

    def download(request: Request, exchange: Exchange | None) -> Deferred[Response]:
        return succeed(Response(request.url, headers=headers, request=request))

    built_in = BuiltIn(CoreSettings(), reactor=reactor)
    fetch = compile_chain(built_in.middlewares, download, lambda request: download(request, None))
    bare = compile_chain([], download, lambda request: download(request, None))
    requests = [Request(f"http://a.com/{n}") for n in range(2000)]

    def best(function: Any) -> float:
        times = []
        for start in range(0, 2000, 500):
            began = time.process_time()
            for request in requests[start : start + 500]:
                function(request)
            times.append((time.process_time() - began) / 500)
        return min(times)

    cost = best(fetch) - best(bare)
    print(f"{cost * 1e6:.1f} µs")
    assert cost < 100e-6
