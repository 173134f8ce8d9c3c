"""Callbacks are tried on the pages that their docstrings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler import Request
from crawler.contracts import by_name, contracts_of, request_of
from tests.commands.conftest import Crawler, Site

SPIDER = '''\
from crawler import Spider
from crawler.contracts import Contract, ContractFail


class Titled(Contract):
    """``@titled WORD``: the page's title."""

    name = "titled"

    def adjust_request_args(self, args):
        return {{**args, "headers": {{"X-Title": self.args[0]}}}}

    def pre_process(self, response):
        if response.css("title::text").get() != self.args[0]:
            raise ContractFail(f"the title is not {{self.args[0]}}")


class Pages(Spider):
    name = "pages"
    custom_settings = {{"SPIDER_CONTRACTS": [Titled], "ROBOTSTXT_OBEY": False}}

    def parse(self, response, label):
        """
        @url {url}0
        @cb_kwargs {{"label": "a b"}}
        @meta {{"mark": 1}}
        @returns items 1 1
        @returns requests
        @scrapes page label
        @titled 0
        """
        yield {{"page": response.url, "label": label, "mark": response.meta["mark"]}}
        yield from response.follow_all(css="a")

    async def last(self, response):
        """Read the last page.

        @url {url}5
        @returns requests 0 0
        @returns items 2 3
        """
        return [{{"page": response.url}}]

    def helper(self, value):
        """@param value no contract"""
'''
WRONG = """
    def {name}(self, response):
        '''
        {lines}
        '''
        yield {{"page": response.{attribute}}}
"""


def spider(folder: Path, site: Site, *more: tuple[str, str, str]) -> None:
    """Write the spider, with further callbacks: name, contracts, attribute of the response."""
    text = SPIDER.format(url=site.url[:-1])
    for name, lines, attribute in more:
        text += WRONG.format(name=name, lines=lines, attribute=attribute)
    (folder / "pages.py").write_text(text)


@pytest.mark.process
def test_what_is_kept_and_what_is_not(crawler: Crawler, folder: Path, site: Site) -> None:
    spider(folder, site)
    result = crawler("check", "pages.py")
    assert result.status == 1, result.err
    lines = sorted(line for line in result.out.splitlines() if " ... " in line)
    assert lines == [
        "pages.last (@returns items 2 3) ... FAIL",
        "pages.last (@returns requests 0 0) ... ok",
        "pages.parse (@returns items 1 1) ... ok",
        "pages.parse (@returns requests) ... ok",
        "pages.parse (@scrapes page label) ... ok",
        "pages.parse (@titled 0) ... ok",
    ]
    assert (
        "FAIL: pages.last (@returns items 2 3)\n"
        "pages.py:35 in last: async def last(self, response):\n"
        "returned 1 items, expected 2 to 3\n"
    ) in result.out
    assert "Ran 6 contracts in " in result.out
    assert result.out.endswith("FAILED (failures=1)\n")
    assert sorted(site.asked) == ["/0", "/5"]


@pytest.mark.process
def test_all_spiders_of_a_project_at_once(crawler: Crawler, project: Path, site: Site) -> None:
    spider(project / "spiders", site)
    other = (project / "spiders" / "pages.py").read_text().replace('name = "pages"', 'name = "other"')
    (project / "spiders" / "other.py").write_text(other.replace("items 2 3", "items 1"))
    fast = ("-s", "DOWNLOAD_DELAY=0")
    result = crawler("check", *fast, cwd=project)
    assert result.status == 1
    assert "Ran 12 contracts" in result.out
    result = crawler("check", "other", *fast, cwd=project)
    assert (result.status, result.out.splitlines()[-1]) == (0, "OK")
    assert crawler("check", "-l", cwd=project).out == "other\n  * last\n  * parse\npages\n  * last\n  * parse\n"
    assert crawler("check", "-l", "-v", cwd=project).out.startswith("example\nother\n")
    result = crawler("check", "example", cwd=project)
    assert (result.status, "Ran 0 contracts" in result.out) == (0, True)
    assert "no docstring of a callback has a contract" in result.err


@pytest.mark.process
@pytest.mark.parametrize(
    ("lines", "attribute", "title", "said"),
    [
        ("@url {url}none", "url", "pages.more ({url}none)", "no response: HttpError: status 404"),
        ("@url http://[", "url", "pages.more (http://[)", "the request was refused (invalid_url: "),
        ("@url", "url", "pages.more (contract)", "ValueError: expected @url with one word behind it"),
        ("@retuns items", "url", "pages.more (contract)", 'there is no contract @retuns; did you mean "returns"?'),
        ("@returns pages", "url", "pages.more (contract)", "expected @returns items or @returns requests"),
        ("@cb_kwargs {{x", "url", "pages.more (contract)", "expected @cb_kwargs with a JSON object behind it"),
        (
            "@url {url}1",
            "no",
            "pages.more (callback, {url}1)",
            "AttributeError: 'Response' object has no attribute 'no'",
        ),
    ],
)
def test_what_is_wrong_is_an_error_with_its_place(
    crawler: Crawler, folder: Path, site: Site, lines: str, attribute: str, title: str, said: str
) -> None:
    url = site.url[:-1]
    spider(folder, site, ("more", lines.format(url=url), attribute))
    result = crawler("check", "pages.py")
    assert result.status == 1
    error = result.out.partition(f"ERROR: {title.format(url=url)}\n")[2].partition("\n\n")[0]
    assert error.startswith("pages.py:47 in more: def more(self, response):\n")
    assert said in error
    assert "FAILED (failures=1, errors=1)" in result.out


@pytest.mark.process
def test_contracts_without_a_page_are_skipped(crawler: Crawler, folder: Path, site: Site) -> None:
    spider(folder, site, ("more", "@scrapes page", "url"))
    result = crawler("check", "pages.py")
    assert "pages.more (no @url) ... skipped\n" in result.out
    assert "(failures=1, skipped=1)" in result.out


@pytest.mark.process
def test_one_that_is_no_contract_is_wrong_usage(crawler: Crawler, folder: Path, site: Site) -> None:
    spider(folder, site)
    result = crawler("check", "pages.py", "-s", "SPIDER_CONTRACTS=crawler.Request")
    assert result.status == 2
    assert "SPIDER_CONTRACTS: expected a class derived from Contract" in result.err


def test_the_request_is_what_the_lines_say() -> None:
    def callback() -> None:
        """
        @url https://shop.example/search
        @method POST
        @body a=1&b=2
        @header X-One first  value
        @header X-Two 2
        @cookie seen 1
        """

    request = request_of(contracts_of(callback, by_name([])), dont_filter=True)
    assert isinstance(request, Request)
    assert (request.url, request.method, request.body) == ("https://shop.example/search", "POST", b"a=1&b=2")
    assert (request.headers["X-One"], request.headers["X-Two"]) == (b"first value", b"2")
    assert request.cookies == {"seen": "1"}
