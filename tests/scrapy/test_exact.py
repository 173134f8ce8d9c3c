"""Do requests, responses, links, forms, trees, items and spiders answer what Scrapy answers to the same inputs?"""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import pytest
from w3lib.encoding import html_body_declared_encoding

from crawler.scrapy.http import FormRequest, HtmlResponse
from crawler.scrapy.linkextractors import LinkExtractor
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


def test_a_page_that_was_read_is_freed_without_a_search_for_garbage() -> None:
    page = HtmlResponse("http://shop.example/", body=b"<form><a href='/x'>x</a></form>")
    assert page.css("a::text").get() == page.xpath("//a/text()").get() == LinkExtractor().extract_links(page)[0].text
    assert FormRequest.from_response(page).url == page.url
    known = weakref.ref(page)
    gc.disable()
    try:
        del page
        assert known() is None
    finally:
        gc.enable()


def test_the_selector_of_a_page_knows_its_page() -> None:
    page = HtmlResponse("http://shop.example/", body=b"<p>x")
    assert page.css("p")
    assert page.selector.response is page
