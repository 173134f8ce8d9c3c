"""Is docs/feeds.md true: the example, the options, how values are written?"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from crawler.config.schema import CoreSettings
from crawler.feeds import make_feeds
from crawler.feeds.options import FeedOptions
from tests.docs.blocks import ROOT, load

DOCUMENT = ROOT / "docs" / "feeds.md"
STARTED = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Colour(Enum):
    RED = "red"


def written(extension: str, item: dict[Any, Any], folder: Path) -> str:
    path = folder / f"x.{extension}"
    (feed,) = make_feeds({str(path): {"overwrite": True}}, CoreSettings(), spider_name="x", started=STARTED)
    feed.open(None, durable=False)
    feed.write([item], 1)
    feed.close(finished=True)
    return path.read_text()


def test_the_example_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "parts").mkdir()
    given = load("docs/feeds.md", "settings.py")["FEEDS"]
    feeds = make_feeds(given, CoreSettings(), spider_name="books", started=STARTED)
    assert [feed.name for feed in feeds] == list(given)
    for feed in feeds:
        feed.check()


def test_every_option_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in rows if name in FeedOptions.__struct_fields__] == list(FeedOptions.__struct_fields__)


@pytest.mark.parametrize(
    ("value", "json", "csv"),
    [
        ("a\ud800", '"a\ufffd"', "a\ufffd"),
        (None, "null", ""),
        (True, "true", "True"),
        (1.5, "1.5", "1.5"),
        (float("inf"), "null", "inf"),
        (1 << 70, str(1 << 70), str(1 << 70)),
        (b"ab", '"YWI="', "YWI="),
        (STARTED, '"2026-11-23T12:00:00Z"', "2026-11-23T12:00:00Z"),
        (timedelta(days=1, seconds=2), '"P1DT2S"', "P1DT2S"),
        (Decimal("1.50"), '"1.50"', "1.50"),
        (UUID(int=1), f'"{UUID(int=1)}"', str(UUID(int=1))),
        (Colour.RED, '"red"', "red"),
        ((1, 2), "[1,2]", '"1,2"'),
        ({None: 1, True: 2}, '{"null":1,"true":2}', '"{""null"":1,""true"":2}"'),
    ],
)
def test_values_are_written_as_the_table_says(value: Any, json: str, csv: str, tmp_path: Path) -> None:
    assert written("jl", {"a": value}, tmp_path) == f'{{"a":{json}}}\n'
    assert written("csv", {"a": value, "b": 0}, tmp_path).splitlines()[1] == f"{csv},0"


def crawled(feeds: dict[str, Any], **settings: Any) -> None:
    made = make_feeds(feeds, CoreSettings(**settings), spider_name="x", started=STARTED, declared=lambda _: DECLARED)
    for feed in made:
        feed.check()
        feed.open(None, durable=False)
        feed.committed(feed.write([{"a": 1}], 1))
        feed.close(finished=True)


DECLARED: dict[str, Any] = {}


def test_the_function_of_placeholders_works(tmp_path: Path) -> None:
    by_month = load("docs/feeds.md", "params.py")["by_month"]
    crawled({f"{tmp_path}/%(month)s.jsonl": {}}, FEED_URI_PARAMS=by_month)
    assert [path.name for path in tmp_path.iterdir()] == ["2026-11.jsonl"]


def test_the_plug_in_works(tmp_path: Path) -> None:
    dashed = load("docs/feeds.md", "plugins.py")["Dashed"]
    crawled({f"{tmp_path}/x.jsonl": {"postprocessing": [dashed], "overwrite": True, "dash": "="}})
    assert (tmp_path / "x.jsonl").read_text() == '{"a":1}\n' + "=" * 20 + "\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]


def test_the_storage_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = load("docs/extending.md", "storages.py")["Archive"]
    monkeypatch.setitem(DECLARED, "ARCHIVE_ROOT", str(tmp_path))
    crawled({"archive://shop/x.jsonl": {}}, FEED_STORAGES={"archive": archive})
    assert (tmp_path / "shop" / "x.jsonl").read_text() == '{"a":1}\n'
