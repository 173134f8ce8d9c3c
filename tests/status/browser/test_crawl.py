"""Does what is done in the page happen in the crawl, as the crawled site sees it?"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.docs.served import Asked, served
from tests.status.browser.conftest import Opened

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

SPIDER = """
from crawler import Spider

class Endless(Spider):
    name = "endless"
    start_urls = ["SITE/0", "OTHER/0"]

    def parse(self, response):
        yield {"url": response.url}
        yield from response.follow_all(css="a")
        if response.url.endswith("3"):
            raise LookupError("a three")
"""


class Crawl(NamedTuple):
    """A crawl that has no end of its own, and the log of its two hosts: (Host, path)."""

    process: subprocess.Popen[bytes]
    url: str
    log: list[tuple[str, str]]

    def seen(self, host: str = "") -> int:
        return sum(asked.startswith(host) for asked, _ in self.log)


@pytest.fixture(scope="module")
def crawl(outside: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawl]:
    folder = tmp_path_factory.mktemp("crawl")
    log: list[tuple[str, str]] = []

    def answer(asked: Asked) -> str | int:
        if asked.path == "/robots.txt":
            return 404
        log.append((asked.headers["Host"], asked.path))
        number = int(asked.path[1:]) if asked.path[1:].isdigit() else 10**9
        following = [number + 10] if number else range(1, 11)  # so ten are queued at a time
        return "".join(f"<a href='/{each}'>next</a>" for each in following)

    with served(answer) as site:
        other = site.replace("127.0.0.1", "localhost")
        (folder / "endless.py").write_text(SPIDER.replace("SITE", site).replace("OTHER", other))
        command = [sys.executable, "-m", "crawler", "run", "endless.py", "--status", "--status-control", "--job", "try"]
        settings = ["-s", "DOWNLOAD_DELAY=0.05", "-s", f"JOB_DIR={folder}", "-O", "items.jsonl", "--logfile", "log"]
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen([*command, *settings], cwd=folder, stderr=said, stdout=said)
        left = folder / "try.status"
        try:
            until(left.exists, lambda: time.sleep(0.05), process)
            yield Crawl(process, json.loads(left.read_bytes())["url"], log)
        finally:
            process.kill()
            process.wait()


def until(done: Callable[[], bool], pause: Callable[[], None], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until something is so; ``pause`` lets time pass."""
    for _ in range(600):
        if done():
            return
        assert process is None or process.poll() is None, "the crawl has ended"
        pause()
    pytest.fail("it did not become so")


@pytest.fixture
def page(opened: Opened, crawl: Crawl) -> Page:
    page = opened(crawl.url)
    page.locator("#state", has_text="running").wait_for()
    return page


def wait(page: Page, done: Callable[[], bool]) -> None:
    until(done, lambda: page.wait_for_timeout(50))


def open_host(page: Page, name: str) -> None:
    page.locator(".top nav a[href='#hosts']").click()
    page.locator(f"[data-host='{name}']").click()
    page.locator("#host h2", has_text=name).wait_for()


def test_charts_move_with_the_crawl(page: Page) -> None:
    picture = "document.querySelector('#charts canvas').toDataURL()"
    page.locator("#charts canvas").first.wait_for()
    page.wait_for_function(f"before => {picture} !== before", arg=page.evaluate(picture))
    page.wait_for_function("() => Number(document.querySelector('#figures dd').textContent) > 5")


def test_pause_and_resume(page: Page, crawl: Crawl) -> None:
    page.get_by_role("button", name="Pause").click()
    page.locator("#state", has_text="paused").wait_for()
    page.get_by_text("0 in flight").wait_for()
    before = crawl.seen()
    page.wait_for_timeout(300)  # six times the delay
    assert crawl.seen() == before
    page.get_by_role("button", name="Resume").click()
    page.locator("#state", has_text="running").wait_for()
    wait(page, lambda: crawl.seen() > before)


def test_one_host_is_paused_slowed_down_and_dropped(page: Page, crawl: Crawl) -> None:
    open_host(page, "localhost")
    dialog = page.locator("#host")
    dialog.get_by_role("button", name="Pause").click()
    dialog.get_by_role("button", name="Resume").wait_for()
    before, others = crawl.seen("localhost"), crawl.seen("127.0.0.1")
    wait(page, lambda: crawl.seen("127.0.0.1") > others + 5)
    assert crawl.seen("localhost") <= before + 1  # one may have been on its way
    dialog.get_by_role("button", name="Resume").click()
    dialog.get_by_role("button", name="Pause").wait_for()
    wait(page, lambda: crawl.seen("localhost") > before + 1)

    dialog.get_by_label("Delay").fill("60")
    dialog.locator("[data-word=delay] button").click()
    dialog.locator("#host-facts > div", has_text="Delay").get_by_text("60 s", exact=True).wait_for()
    before, others = crawl.seen("localhost"), crawl.seen("127.0.0.1")
    wait(page, lambda: crawl.seen("127.0.0.1") > others + 5)
    assert crawl.seen("localhost") <= before + 1

    dialog.get_by_role("button", name="Drop its queue").click()
    page.get_by_role("button", name="Cancel").click()
    page.locator("#confirm").wait_for(state="hidden")
    dialog.get_by_role("button", name="Drop its queue").click()
    page.get_by_role("button", name="Drop the queue").click()
    dialog.locator("#host-facts > div", has_text="Queued").get_by_text("0", exact=True).wait_for()


def test_a_start_url_is_added(page: Page, crawl: Crawl) -> None:
    page.locator(".top nav a[href='#urls']").click()
    at = urlsplit(f"http://{crawl.log[0][0]}")
    page.get_by_label("Start URL to add").fill(f"http://127.0.0.1:{at.port}/added?by=hand&it's")
    page.get_by_role("button", name="Add").click()
    wait(page, lambda: any(path.startswith("/added?by=hand&it") for _, path in crawl.log))
    page.get_by_label("Start URL to add").fill("gopher:")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("alert").wait_for()


def test_a_url_is_explained(page: Page, crawl: Crawl) -> None:
    page.locator(".top nav a[href='#urls']").click()
    page.get_by_label("URL to explain").fill(f"http://{crawl.log[0][0]}/0")
    page.get_by_role("button", name="Explain").click()
    page.locator("#explained").get_by_text("200").first.wait_for()


def test_a_setting_is_changed(page: Page, crawl: Crawl) -> None:
    page.locator(".top nav a[href='#settings']").click()
    page.get_by_role("button", name="Change CONCURRENT_REQUESTS", exact=True).click()
    value = page.locator("#setting input")
    value.fill("0")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_role("alert").get_by_text("CONCURRENT_REQUESTS").wait_for()
    value.fill("3")
    page.get_by_role("button", name="Set", exact=True).click()
    row = page.locator("#settings-table tr", has_text="CONCURRENT_REQUESTS").filter(has_text="page")
    row.locator("td", has_text="3").first.wait_for()


def test_errors_are_told_with_the_users_line(page: Page) -> None:
    page.locator(".top nav a[href='#errors']").click()
    page.get_by_text("LookupError: a three").wait_for()
    page.get_by_text("endless.py:12").wait_for()


def test_items_are_shown(page: Page) -> None:
    page.locator(".top nav a[href='#items']").click()
    page.locator("#items-list pre", has_text='"url"').first.wait_for()


def test_a_wrong_csrf_token_does_nothing(page: Page, complaints: list[str]) -> None:
    page.evaluate("document.querySelector('meta[name=csrf]').content = 'made up'")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop it").click()
    page.get_by_role("alert").get_by_text("load the page again").wait_for()
    page.locator("#state", has_text="running").wait_for()
    complaints.clear()


def test_stop_ends_it_and_the_page_says_so(page: Page, crawl: Crawl) -> None:
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop it").click()
    page.get_by_text("The crawl is over: stopped").wait_for()
    crawl.process.wait(10)
    assert page.locator("[data-control]:visible").count() == 0
    page.locator(".top nav a[href='#hosts']").click()
    page.locator("[data-host='localhost']").wait_for()  # that came with the end
    page.get_by_role("button", name="Pages").click()
    page.locator("th[aria-sort=descending]", has_text="Pages").wait_for()
