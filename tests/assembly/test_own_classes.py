"""Do a format and a store of ones own have the settings that they declare, as other components do?"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from crawler import Format, Response, Spider
from crawler.assembly import prepare, real_world
from crawler.config.schema import CoreSettings
from crawler.feeds import make_feeds
from crawler.storage.memory import MemoryStore
from crawler.testing import crawl
from tests.download.reactor import reactor, run


class Pages(Spider):
    """Scrapes one item of one page."""

    name = "pages"
    start_urls = ["data:,text"]

    def parse(self, response: Response) -> Any:
        yield {"text": response.text}


class Marked(Format):
    """One item a line, behind a mark."""

    MARK: str = "-"

    def start(self) -> bytes:
        return f"begin {self.MARK}\n".encode() + super().start()

    def encode(self, items: Any) -> bytes:
        return "".join(f"{self.MARK} {item['text']}\n" for item in items).encode()


class Counted(MemoryStore):
    """A store that is told a number."""

    HOLDS: int = 1
    made: ClassVar[list[Counted]] = []

    def __init__(self, spider: Any, settings: Any) -> None:
        super().__init__()
        self.made.append(self)


@pytest.mark.parametrize(("given", "mark"), [({}, "-"), ({"MARK": "*"}, "*")])
def test_a_format_has_the_settings_that_it_declares(tmp_path: Path, given: dict[str, str], mark: str) -> None:
    out = tmp_path / "out.marked"
    settings = {"FEED_FORMATS": {"marked": Marked}, "FEEDS": {str(out): {}}, "JOB_STORE": None, **given}
    run(prepare(Pages, settings, world=real_world(reactor)).run())
    assert out.read_text() == f"begin {mark}\n{mark} text\n"


def test_a_format_has_them_when_a_job_writes_to_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=shown))
    settings = {"FEED_FORMATS": {"marked": Marked}, "FEEDS": {"-": {"format": "marked"}}, "MARK": "*"}
    run(prepare(Pages, {**settings, "JOB_DIR": str(tmp_path)}, world=real_world(reactor)).run())
    assert shown.getvalue() == b"begin *\n* text\n"


def test_a_format_has_them_in_what_a_stream_is_to_write_again() -> None:
    settings = CoreSettings(FEED_FORMATS={"marked": Marked})
    (feed,) = make_feeds(
        {"-": {"format": "marked"}},
        settings,
        spider_name="pages",
        started=datetime.now(UTC),
        stdout=io.BytesIO(),
        declared=lambda kind: {"MARK": "*"} if kind is Marked else {},
    )
    feed.open(None, durable=True)
    assert feed.write([{"text": "more"}], 1)["pending"] == "begin *\n* more\n"


def test_a_store_has_the_settings_that_it_declares() -> None:
    for given in ({}, {"HOLDS": 3}):
        crawl(Pages, {}, settings={"JOB_STORE": Counted, **given})
    assert [store.HOLDS for store in Counted.made] == [1, 3]
