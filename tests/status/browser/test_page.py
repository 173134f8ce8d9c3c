"""Is the page right in a real browser, whatever is shown in it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.status.browser.conftest import Opened, made_up

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

pytestmark = pytest.mark.slow

TABS = ("overview", "hosts", "errors", "items", "urls", "settings")
GROUND = "getComputedStyle(document.body).backgroundColor"


def turn_to(page: Page, tab: str) -> None:
    page.locator(f".top nav a[href='#{tab}']").click()
    page.locator(f"[data-tab={tab}]").wait_for()


def until_shown(page: Page) -> None:
    """Wait for what is drawn from the events, and for the lists."""
    page.locator("#state", has_text="running").wait_for()
    page.locator("canvas").first.wait_for()
    page.locator("#feeds tbody th").first.wait_for()


def test_charts_and_figures_move(opened: Opened, page_url: str) -> None:
    page = opened(page_url)
    until_shown(page)
    assert "token" not in page.url
    assert page.locator("#charts canvas").count() == 6
    picture = "document.querySelector('#charts canvas').toDataURL()"
    figure = "document.querySelector('#figures dd').textContent"
    before = page.evaluate(f"[{picture}, {figure}]")
    page.wait_for_function(f"before => {picture} !== before[0] && {figure} !== before[1]", arg=before)
    page.get_by_role("button", name="5 min").click()
    assert page.locator("#span [aria-pressed=true]").inner_text() == "5 min"


def test_texts_of_the_network_are_texts(opened: Opened, page_url: str) -> None:
    page = opened(page_url)
    alerts: list[Dialog] = []
    page.on("dialog", lambda dialog: alerts.append(dialog))
    for tab in ("errors", "items"):
        turn_to(page, tab)
        page.locator(f"[data-tab={tab}]").get_by_text("<script>alert(1)</script>").first.wait_for()
    assert page.locator("main script, main img, main [onerror]").count() == 0
    links = page.locator("main a").evaluate_all("all => all.map((each) => [each.protocol, each.rel, each.target])")
    assert {tuple(link) for link in links} <= {("https:", "noopener noreferrer", "_blank"), ("http:", "", "")}
    assert alerts == []


def test_twenty_thousand_hosts_are_sorted_filtered_and_turned(opened: Opened, page_url: str) -> None:
    page = opened(page_url)
    turn_to(page, "hosts")
    rows = page.locator("#hosts-table tbody tr")
    page.locator("#hosts-pages", has_text="1–200 of 20,000").wait_for()
    assert rows.count() == 200
    page.get_by_role("button", name="Host", exact=True).click()
    page.locator("th[aria-sort=ascending]", has_text="Host").wait_for()
    assert rows.first.locator("th").inner_text() == "site-0.example"
    page.get_by_role("button", name="Next").click()
    page.locator("#hosts-pages", has_text="201–400 of 20,000").wait_for()
    page.get_by_label("Filter hosts by name").fill("site-1999")
    page.locator("#hosts-pages", has_text="1–11 of 11").wait_for()
    page.get_by_label("Filter hosts by name").fill("<b>")
    page.get_by_text("No host has “<b>” in its name").wait_for()


def test_nothing_is_wider_than_a_narrow_screen(opened: Opened, page_url: str) -> None:
    page = opened(page_url, width=320)
    until_shown(page)
    for tab in TABS:
        turn_to(page, tab)
        for width in (800, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
    turn_to(page, "hosts")
    page.locator("[data-host]").first.click()
    box = page.locator("#host").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320


def test_colours_follow_the_system_and_the_switch(opened: Opened, page_url: str) -> None:
    page = opened(page_url, color_scheme="dark")
    until_shown(page)
    dark = page.evaluate(GROUND)
    page.get_by_role("button", name="Colours").click()
    light = page.evaluate(GROUND)
    assert (dark, light) == ("rgb(14, 17, 24)", "rgb(244, 245, 248)")
    page.reload()
    assert page.evaluate(GROUND) == light  # it is remembered
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Colours").click()
    assert page.evaluate(GROUND) == dark


def test_all_is_done_by_keyboard(opened: Opened, page_url: str) -> None:
    page = opened(page_url)
    until_shown(page)
    keys = page.keyboard
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    keys.press("Tab")
    assert page.evaluate("document.activeElement.id") == "pause"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keys.press("Enter")
    page.get_by_text("did pause", exact=True).wait_for()
    keys.press("/")
    page.locator("[data-tab=hosts]").wait_for()
    keys.type("site-7.")
    page.locator("#hosts-pages", has_text="1–1 of 1").wait_for()
    page.locator("[data-host]").focus()
    keys.press("Enter")
    page.locator("#host h2", has_text="site-7.example").wait_for()
    keys.press("Escape")
    page.locator("#host").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.dataset.host") == "site-7.example"
    keys.press("?")
    page.get_by_role("heading", name="Keyboard").wait_for()
    page.get_by_label("Single keys do this").uncheck()
    keys.press("Escape")
    page.locator("#help").wait_for(state="hidden")
    keys.press("1")
    assert page.url.endswith("#hosts")


def test_readers_of_screens_find_their_way(opened: Opened, page_url: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed (the extra dev)")
    script = Path(axe.__file__ or "").with_name("axe.min.js").read_text()
    page = opened(page_url, color_scheme="dark")
    until_shown(page)
    turn_to(page, "hosts")
    page.get_by_label("Filter hosts by name").fill("site-1999")
    page.locator("#hosts-pages", has_text="1–11 of 11").wait_for()
    page.evaluate(script)
    for tab in ("overview", "hosts", "errors", "settings"):
        page.emulate_media(color_scheme="dark" if tab == "hosts" else "light")
        turn_to(page, tab)
        found = page.evaluate("axe.run().then((said) => said.violations.map((each) => [each.id, each.nodes[0].html]))")
        assert found == [], tab


def test_what_is_refused_is_said(opened: Opened, page_url: str, complaints: list[str]) -> None:
    page = opened(page_url)
    until_shown(page)
    page.evaluate("document.querySelector('meta[name=csrf]').content = 'made up'")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("alert").get_by_text("load the page again").wait_for()
    assert [complaint for complaint in complaints if "403" not in complaint] == []
    complaints.clear()


def test_without_its_token_it_is_not_served(opened: Opened, page_url: str, complaints: list[str]) -> None:
    page = opened(page_url.partition("?")[0])
    page.get_by_role("heading", name="The token is missing").wait_for()
    page.goto(page_url[:-3] + "abc")
    page.get_by_text("this is not the token").wait_for()
    assert page.context.cookies() == []
    assert all("401" in complaint or "403" in complaint for complaint in complaints)
    complaints.clear()


def test_a_page_that_only_shows_has_no_buttons_that_act(opened: Opened) -> None:
    with made_up("5", "--read-only") as url:
        page = opened(url)
        until_shown(page)
        page.locator("#readonly").wait_for()
        assert page.locator("[data-control]:visible").count() == 0
        turn_to(page, "hosts")
        page.locator("[data-host]").first.click()
        assert page.locator("#host button:visible").count() == 1  # which closes it
        page.close()


def test_a_lost_connection_is_said(opened: Opened, complaints: list[str]) -> None:
    with made_up("5") as url:
        page = opened(url)
        until_shown(page)
    page.get_by_text("The connection to the crawl is lost").wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("The crawl does not answer.").wait_for()
    assert all("net::ERR" in complaint for complaint in complaints)
    complaints.clear()
