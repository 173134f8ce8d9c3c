"""What a callback gives for one page, as `crawler parse` shows it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, Site

pytestmark = pytest.mark.process

SPIDER = """\
import asyncio

from crawler import CrawlSpider, DropItem, LinkExtractor, Pipeline, Request, Rule, Spider


class Twice(Pipeline):
    async def process_item(self, item):
        if item["page"].endswith("2"):
            raise DropItem("two")
        return {**item, "twice": True}


class Pages(Spider):
    name = "pages"
    allowed_domains = ["127.0.0.1"]
    custom_settings = {"PIPELINES": [Twice], "ROBOTSTXT_OBEY": False}
    label: str = "none"

    def parse(self, response):
        yield {"page": response.url, "label": self.label}
        yield [Request(link, self.more) for link in map(response.urljoin, response.css("a::attr(href)").getall())]

    async def more(self, response, number=0):
        await asyncio.sleep(0)
        item = {"page": response.url, "number": number, "meta": response.meta.get("mark")}
        return [item, *response.follow_all(css="a")]

    def broken(self, response):
        yield {"page": response.url}
        raise ValueError("no price")


class Ruled(CrawlSpider):
    name = "ruled"
    custom_settings = {"ROBOTSTXT_OBEY": False}
    rules = [Rule(LinkExtractor(allow="/[12]$"), callback="found", cb_kwargs={"by": "rule"}, follow=True)]

    def found(self, response, by):
        yield {"page": response.url, "by": by}
"""


@pytest.fixture(autouse=True)
def _spiders(folder: Path) -> None:
    (folder / "pages.py").write_text(SPIDER)


def found(out: str) -> list[tuple[str, list[dict[str, object]], list[str]]]:
    """Return what is shown by level: its head, the items and the requests."""
    levels = []
    for level in out.strip().split("\n\n"):
        head, _, *rest = level.splitlines()
        items, _, requests = "\n".join(rest).partition("# Requests -")
        links = [line.strip(" [],<>").removeprefix("GET ") for line in requests.splitlines()[1:]]
        levels.append((head, ast.literal_eval(items), [link[-2:] for link in links if link]))
    return levels


def test_items_and_requests_of_one_page(crawler: Crawler, site: Site) -> None:
    result = crawler("parse", site.url, "--spider", "pages.py:pages", "-a", "label=x")
    assert result.status == 0, result.err
    assert found(result.out) == [(">>> STATUS DEPTH LEVEL 1 <<<", [{"page": site.url, "label": "x"}], ["/1"])]
    assert site.asked == ["/0"]


def test_callback_arguments_and_meta_are_given(crawler: Crawler, site: Site) -> None:
    given = ["-c", "more", "--cbkwargs", '{"number": 7}', "-m", '{"mark": [1]}']
    ((_, items, links),) = found(crawler("parse", site.url, "--spider", "pages.py:pages", *given).out)
    assert items == [{"page": site.url, "number": 7, "meta": [1]}]
    assert links == ["/1"]


def test_requests_are_followed_to_a_depth(crawler: Crawler, site: Site) -> None:
    result = crawler("parse", site.url, "--spider", "pages.py:pages", "-d", "3", "-v")
    levels = [(head, [str(item["page"])[-1] for item in items], links) for head, items, links in found(result.out)]
    assert levels == [
        (">>> DEPTH LEVEL: 1 <<<", ["0"], ["/1"]),
        (">>> DEPTH LEVEL: 2 <<<", ["1"], ["/2"]),
        (">>> DEPTH LEVEL: 3 <<<", ["2"], ["/3"]),
    ]
    assert site.asked == ["/0", "/1", "/2"]


def test_items_are_what_the_pipelines_make_of_them(crawler: Crawler, site: Site, folder: Path) -> None:
    given = ["--spider", "pages.py:pages", "-d", "3", "--pipelines", "--nolinks", "-O", "out.jsonl"]
    result = crawler("parse", site.url, *given)
    items = ast.literal_eval(result.out.partition("-\n")[2])
    assert [(item["page"][-1], item["twice"]) for item in items] == [("0", True), ("1", True)]
    assert "# Requests" not in result.out
    assert [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()] == items


def test_a_feed_on_stdout_has_it_for_itself(crawler: Crawler, site: Site) -> None:
    result = crawler("parse", site.url, "--spider", "pages.py:pages", "-o", "-", "--noitems")
    assert json.loads(result.out) == {"page": site.url, "label": "none"}
    assert "# Requests" in result.err
    assert "# Scraped" not in result.err


def test_a_rule_finds_the_callback(crawler: Crawler, site: Site) -> None:
    url = f"{site.url[:-1]}1"
    ((_, items, links),) = found(crawler("parse", url, "--spider", "pages.py:ruled", "--rules").out)
    assert (items, links) == ([{"page": url, "by": "rule"}], ["/2"])
    for spider, said in (("ruled", f"no rule of spider ruled takes {site.url}"), ("pages", "has no rules")):
        result = crawler("parse", site.url, "--spider", f"pages.py:{spider}", "-r")
        assert (result.status, result.out) == (2, "")
        assert said in result.err


def test_the_spider_is_that_of_the_url(crawler: Crawler, project: Path, site: Site, folder: Path) -> None:
    result = crawler("parse", site.url, cwd=project)
    assert result.status == 2
    assert (
        "no spider has 127.0.0.1 in its allowed_domains; say which it is with --spider NAME (there are: example)"
        in result.err
    )
    (project / "spiders" / "pages.py").write_text(SPIDER)
    result = crawler("parse", site.url, "-s", "DOWNLOAD_DELAY=0", "--nolinks", cwd=project)
    assert (result.status, f"'page': '{site.url}'" in result.out) == (0, True)
    (project / "spiders" / "again.py").write_text(
        SPIDER.replace('name = "pages"', 'name = "again"').replace("uled", "x")
    )
    result = crawler("parse", site.url, cwd=project)
    assert result.status == 2
    assert "several spiders have 127.0.0.1 in their allowed_domains" in result.err
    assert "--spider NAME (there are: again, pages)" in result.err


def test_a_saved_page_is_parsed_without_the_network(crawler: Crawler, folder: Path) -> None:
    (folder / "saved.html").write_text('<a href="http://x.example/1">')
    ((_, items, links),) = found(crawler("parse", "saved.html", "--spider", "pages.py:pages").out)
    assert items == [{"page": (folder / "saved.html").as_uri(), "label": "none"}]
    assert links == ["/1"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["-c", "pars"], 'spider pages has no method "pars"; did you mean "parse"?'),
        (["-c", "more", "-r"], "-r finds the callback, and -c names one"),
        (["-m", "[1]"], "--meta: expected a JSON object such as"),
        (["--cbkwargs", "{x}"], "--cbkwargs: expected a JSON object"),
        (["-a", "lable=x"], "has no argument lable"),
    ],
)
def test_wrong_options_are_said_before_anything_is_fetched(
    crawler: Crawler, site: Site, given: list[str], said: str
) -> None:
    result = crawler("parse", site.url, "--spider", "pages.py:pages", *given)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert site.asked == []


def test_a_page_that_does_not_come_is_status_1(crawler: Crawler, site: Site) -> None:
    result = crawler("parse", f"{site.url[:-1]}none", "--spider", "pages.py:pages")
    assert (result.status, result.out) == (1, "")
    assert "crawler: no response from" in result.err
    assert "HttpError: status 404" in result.err


def test_a_callback_that_raises_shows_what_it_gave(crawler: Crawler, site: Site) -> None:
    result = crawler("parse", site.url, "--spider", "pages.py:pages", "-c", "broken")
    assert result.status == 1
    assert f"[{{'page': '{site.url}'}}]" in result.out
    assert "broken on" in result.err
    assert "ValueError: no price" in result.err
    assert "pages.py:30 in broken" in result.err
