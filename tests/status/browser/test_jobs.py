"""Does the page of all jobs show in a real browser what last night's crawl brought?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.test_jobs_page import finished_run
from tests.status.browser.conftest import ROOT, Opened, made_up

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Jobs of three spiders; of one the last run brought little, and one file is damaged."""
    folder = tmp_path_factory.mktemp("project") / "jobs"
    folder.mkdir()
    for number in range(1, 5):
        finished_run(folder, number, 100 if number < 4 else 30)
        finished_run(folder, number, 50, spider="quotes")
    finished_run(folder, 1, 7, spider="<img src=x onerror=alert(1)>")
    (folder / "broken.sqlite").write_bytes(b"no database, but a longer text than its head " * 10)
    return folder


@pytest.fixture(scope="module")
def jobs_url(folder: Path, outside: None) -> Iterator[str]:
    command = [sys.executable, "-m", "crawler", "jobs", "--serve", "-s", f"JOB_DIR={folder}"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield process.stderr.readline().removeprefix("jobs page: ").strip()
        process.kill()


def test_a_run_that_brought_little_is_marked_and_stands_first(opened: Opened, jobs_url: str) -> None:
    page = opened(jobs_url)
    first = page.locator("#spiders .card").first
    first.get_by_text("The last run brought 30 items, under half of the usual 100.").wait_for()
    assert first.locator("h3").inner_text() == "shop"
    assert first.locator(".run.low").count() == 1
    assert "30 items, 2 errors" in (first.locator(".run.low").get_attribute("title") or "")
    assert page.locator("#spiders .low").count() == 1
    assert page.locator("#counts").inner_text() == "1 damaged · 9 finished"
    assert page.locator("main img").count() == 0


def test_jobs_are_filtered_sorted_and_opened(opened: Opened, jobs_url: str) -> None:
    page = opened(jobs_url)
    rows = page.locator("#jobs tbody tr")
    page.locator("#jobs th a", has_text="broken").wait_for()
    assert rows.count() == 10
    page.keyboard.press("/")
    page.keyboard.type("quotes")
    page.wait_for_function("() => document.querySelectorAll('#jobs tbody tr').length === 4")
    page.get_by_label("Filter jobs").fill("")
    page.get_by_label("State").select_option("damaged")
    page.get_by_text("is damaged").or_(page.get_by_text("not a database")).first.wait_for()
    page.get_by_label("State").select_option("")
    page.get_by_role("button", name="Items").click()
    assert rows.first.locator("[data-title=Items]").inner_text() == "100"
    assert rows.last.locator("[data-title=Items]").inner_text() == "0"
    page.get_by_role("link", name="shop-4").click()
    page.locator("#state", has_text="finished").wait_for()
    page.get_by_text("The crawl is over: finished").wait_for()
    page.get_by_text("The last run brought 30 items").wait_for()
    assert page.locator("[data-control]:visible").count() == 0
    page.get_by_role("link", name="← Jobs").click()
    page.locator("#jobs tbody tr").first.wait_for()


def test_a_running_crawl_has_a_link_to_its_page(opened: Opened, folder: Path, jobs_url: str) -> None:
    page = opened(jobs_url, width=320)
    page.locator("#jobs tbody tr").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    with made_up("5") as url:  # as the link has it: another port of the same host
        page.evaluate("url => { document.querySelector('#jobs a').href = url }", url)
        page.locator("#jobs a").first.click()
        page.locator("#state", has_text="running").wait_for()
        page.close()
