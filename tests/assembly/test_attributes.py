"""Which attributes of a spider may a feed's path name?"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from crawler.assembly.components import simple_attributes
from crawler.spider import Spider


class Base(Spider):
    region = "north"
    year = 2026


class Shop(Base):
    name = "shop"
    region = "south"
    start_urls: ClassVar = ["http://a.test/"]

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.category = "books"
        self.log = logging.getLogger("x")

    @property
    def computed(self) -> str:
        return "x"


def test_text_and_numbers_of_the_object_and_its_classes_and_nothing_internal() -> None:
    found = simple_attributes(Shop())
    assert {"region": "south", "year": 2026, "category": "books", "name": "shop"}.items() <= found.items()
    assert not {"settings", "crawler", "log", "logger", "start_urls", "parse", "computed", "stats"} & found.keys()
