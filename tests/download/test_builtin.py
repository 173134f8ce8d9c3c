from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler.assembly.world import real_world
from crawler.config.schema import CoreSettings
from crawler.download.archive.reading import ArchiveDownloader
from crawler.download.builtin import BuiltIn
from crawler.download.http.downloader import FastDownloader
from crawler.download.middleware.cache.middleware import Fresh
from crawler.download.middleware.chain import compile_chain
from crawler.model.request import Request
from crawler.storage.cache import CacheFile
from tests.download.chaos import Chaos, answer, steps
from tests.download.reactor import reactor, run


def names(**settings: Any) -> list[str]:
    built_in = BuiltIn(CoreSettings(**settings), real_world(reactor).machine)
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


@pytest.mark.process
def test_cache_and_archive_together(tmp_path: Path) -> None:
    server = Chaos({"/": steps(answer(b"page", headers=b"Cache-Control: max-age=600\r\nSet-Cookie: a=b\r\n"))})
    core = CoreSettings(HTTPCACHE_ENABLED=True, WARC_FILE=str(tmp_path / "a.warc.gz"))
    built_in = BuiltIn(core, real_world(reactor).machine, CacheFile(tmp_path / "cache"))
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
        assert built_in.facts[0].changed_facts()
    finally:
        run(downloader.close())
        run(Deferred.fromCoroutine(built_in.close()))
        server.close()
    assert ArchiveDownloader(tmp_path / "a.warc.gz").urls == [url]
