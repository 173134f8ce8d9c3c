"""A script's log is as Scrapy's settings say."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.scrapy.settings import Settings
from crawler.scrapy.utils.log import (
    configure_logging,
    get_scrapy_root_handler,
    install_scrapy_root_handler,
)


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    level = logging.root.level
    yield
    if (handler := get_scrapy_root_handler()) is not None:
        logging.root.removeHandler(handler)
    logging.root.setLevel(level)
    logging.getLogger("crawler").setLevel(logging.NOTSET)


def test_the_settings_make_the_handler(tmp_path: Path) -> None:
    file = tmp_path / "log"
    configure_logging(
        {"LOG_FILE": str(file), "LOG_LEVEL": "WARNING", "LOG_FORMAT": "%(name)s %(message)s", "LOG_SHORT_NAMES": True}
    )
    logging.getLogger("scrapy.core.engine").info("not this")
    logging.getLogger("scrapy.core.engine").warning("this")
    logging.getLogger("my.shop").error("and this")
    assert file.read_text() == "scrapy this\nmy.shop and this\n"


def test_a_handler_that_is_set_up_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    install_scrapy_root_handler(Settings({"LOG_FILE": str(tmp_path / "one")}))
    install_scrapy_root_handler(Settings({"LOG_FILE": str(tmp_path / "two")}))
    logging.getLogger("shop").error("said")
    assert [(tmp_path / name).read_text().count("said") for name in ("one", "two")] == [0, 1]


def test_no_root_handler_where_none_is_wanted() -> None:
    there = list(logging.root.handlers)
    configure_logging({"LOG_INSTALL_ROOT_HANDLER": False})
    assert logging.root.handlers == there


def test_the_crawler_says_no_more_than_the_handler_takes() -> None:
    install_scrapy_root_handler(Settings({"LOG_LEVEL": "INFO", "LOG_ENABLED": False}))
    assert not logging.getLogger("crawler.engine").isEnabledFor(logging.DEBUG)
    assert logging.getLogger("my.shop").isEnabledFor(logging.DEBUG)
