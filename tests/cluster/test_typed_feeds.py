"""A table and Parquet files of a crawl of many workers: the starter writes them, once, also after it was killed."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing

import pytest
from pyarrow import parquet

from tests.cluster.test_commands import Shop, when
from tests.cluster.test_commands import shop as shop  # a fixture

pytestmark = [pytest.mark.process, pytest.mark.slow]


def rows(shop: Shop) -> list[str]:
    """The URLs in the table, none while there is no table."""
    with closing(sqlite3.connect(shop.folder / "items.db")) as connection:
        try:
            return sorted(url for (url,) in connection.execute("SELECT url FROM items"))
        except sqlite3.OperationalError:
            return []


def test_items_of_workers_are_in_a_table_and_in_parquet_once_after_a_kill(shop: Shop) -> None:
    outputs = ["-o", "sqlite:///items.db?table=items", "-O", "items.parquet", "-s", "FEED_EXPORT_BATCH_ITEM_COUNT=4"]
    words = ["crawl", "pages", "-a", f"url={shop.site.url}", "--workers", "2", "--job", "mine", *outputs]
    process = shop.start(*words, "-s", "DOWNLOAD_DELAY=0.05")
    when(lambda: len(rows(shop)) > 4 or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    result = shop.run("resume", "mine")
    assert result.status == 0, result.err
    assert rows(shop) == shop.pages()
    files = [parquet.read_table(path) for path in sorted(shop.folder.glob("items-*.parquet"))]
    assert [file.num_rows for file in files] == [4, 4, 4, 4, 2]
    assert sorted(url for file in files for url in file.column("url").to_pylist()) == shop.pages()
