"""The page of a crawl of many workers, and ``crawler status`` of it, as a user has them."""

from __future__ import annotations

import json
import re
import subprocess
import time
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

import msgspec
import pytest

from crawler.commands.status import Whole
from tests.cluster.test_commands import Shop, shop, when

__all__ = ["shop"]

pytestmark = [pytest.mark.process, pytest.mark.slow]


class Browser:
    """Somebody who has opened the page at the address that was printed."""

    def __init__(self, file: Path) -> None:
        when(file.exists)
        self.entry = json.loads(file.read_text())
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
        self._base = self.entry["url"].partition("/?")[0]
        page = self._opener.open(self.entry["url"]).read().decode()
        found = re.search('name="csrf" content="([^"]+)"', page)
        assert found is not None
        self._csrf = found[1]

    def get(self, part: str) -> Any:
        return json.loads(self._opener.open(f"{self._base}/api/{part}").read())

    def do(self, words: str) -> str:
        form = urlencode({"words": words, "csrf": self._csrf}).encode()
        try:
            answer = self._opener.open(Request(f"{self._base}/do", form, {"Origin": self._base}))
        except HTTPError as error:
            return str(json.loads(error.read())["error"])
        return str(json.loads(answer.read())["said"])


def started(shop: Shop, *more: str) -> subprocess.Popen[str]:
    return shop.start(*shop.crawl("--workers", "2", "--job", "mine", "-s", "DOWNLOAD_DELAY=0.05", *more))


def test_many_workers_are_watched_and_steered_at_one_page(shop: Shop) -> None:
    shop.site.pages, shop.site.held = 60, "/5"
    shop.site.hold.clear()
    process = started(shop, "--status-control")
    file = shop.folder / ".crawler" / "jobs" / "mine.status"
    browser = Browser(file)
    when(lambda: len(browser.get("workers")) == 2 and shop.site.asked.count("/5") == 3)
    browser.do("pause")
    shop.site.hold.set()
    when(lambda: browser.get("now")["job"]["state"] == "paused")
    when(lambda: quiet(shop))
    before = len(shop.site.asked)
    said = shop.run("status", "mine", "--json")
    shown = msgspec.json.decode(said.out, type=Whole)
    assert (shown.now.job.state, [each.name for each in shown.workers]) == ("paused", ["w1", "w2"])
    assert shown.items[0].url.startswith("http://127.0.0.")
    assert len(shop.site.asked) == before < 100
    assert browser.do("pause") == "the crawl is paused already"
    assert browser.do("drop 127.0.0.3").startswith("dropped ")
    assert browser.do("delay all 0") == "DOWNLOAD_DELAY is 0, it was 0.05"
    assert "is asked for" in browser.do(f"add {shop.site.url}?more")
    assert "Accepted, from start()" in browser.do(f"explain {shop.site.url}")
    assert browser.do("resume") == "the crawl goes on"
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    pages = shop.items()
    assert shop.site.asked.count("/0?more") == 1
    assert [page for page in shop.pages() if "127.0.0.3" not in page] == [
        page for page in pages if "127.0.0.3" not in page
    ]
    assert len(pages) < len(shop.pages())
    assert "by hand" in err
    assert not file.exists()
    assert browser.entry["token"] not in err.replace(f"?token={browser.entry['token']}", "", 1)


def quiet(shop: Shop) -> bool:
    """Tell whether the site is asked for nothing for longer than its delay."""
    before = len(shop.site.asked)
    time.sleep(0.3)
    return len(shop.site.asked) == before


def test_a_port_in_use_leaves_nothing_of_a_new_job(shop: Shop) -> None:
    port = str(shop.site.server_address[1])
    result = shop.run(*shop.crawl("--workers", "2", "--job", "mine", "--status-port", port, "--status"))
    assert result.status == 2
    assert f"port {port} of 127.0.0.1 is in use" in result.err
    assert not list((shop.folder / ".crawler" / "jobs").glob("mine*"))
