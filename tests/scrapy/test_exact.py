"""Do requests, responses, links, forms, trees, items and spiders answer what Scrapy answers to the same inputs?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from w3lib.encoding import html_body_declared_encoding

from crawler.scrapy.http import HtmlResponse
from tests.scrapy.answers import PLACE, TABLES, answers


@pytest.fixture(scope="module")
def scrapys() -> Any:
    """Return what Scrapy 2.19 answered."""
    return json.loads(PLACE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("table", TABLES)
def test_each_answer_is_the_one_of_scrapy(table: str, scrapys: Any) -> None:
    ours = json.loads(json.dumps(answers(table, "crawler.scrapy")))
    different = {
        name: (scrapys[table][name], ours.get(name))
        for name in scrapys[table]
        if scrapys[table][name] != ours.get(name)
    }
    assert not different
    assert ours.keys() == scrapys[table].keys()


def test_pages_that_begin_alike_may_still_declare_different_encodings() -> None:
    beginning = b"<meta http-equiv=content-type content='text/html; charset=utf-8' title=\">"
    for rest in (b"<p>", b'" charset=koi8-r>', b'"><meta charset=big5>'):
        page = beginning + rest
        assert HtmlResponse("http://shop.example/", body=page).encoding == html_body_declared_encoding(page)
