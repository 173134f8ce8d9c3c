"""Do feeds write declared items as somebody from Scrapy expects them?"""

from __future__ import annotations

import json
from pathlib import Path

import crawler as scrapy
from tests.feeds.worlds import write_all


class Book(scrapy.Item):
    title = scrapy.Field()
    price = scrapy.Field(serializer=str)
    author = scrapy.Field()


ITEMS = [Book(price=1, title="a"), Book(title="b")]


def test_the_columns_of_a_csv_are_the_fields_of_the_class(tmp_path: Path) -> None:
    write_all(tmp_path / "x.csv", ITEMS)
    assert (tmp_path / "x.csv").read_text().splitlines() == ["title,price,author", "a,1,", "b,,"]


def test_plain_dicts_before_and_after_declared_items_keep_their_columns(tmp_path: Path) -> None:
    write_all(tmp_path / "x.csv", [{"url": "u", "price": "2"}, *ITEMS, {"x": "y"}])
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines == ["url,price,title,author,x", "u,2,,,", ",1,a,,", ",,b,,", ",,,,y"]


def test_fields_are_written_in_the_order_of_the_class_and_only_those_that_are_set(tmp_path: Path) -> None:
    write_all(tmp_path / "x.jl", ITEMS)
    lines = (tmp_path / "x.jl").read_text().splitlines()
    assert [list(json.loads(line)) for line in lines] == [["title", "price"], ["title"]]
