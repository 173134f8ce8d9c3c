"""How do items get into a database?

A lesson in a stage that blocks: its methods are plain ``def``, so they run in the stage's own thread,
connection and all, and the crawl does not wait. A crawl that is killed and resumed may hand over the
same item twice, so the row is replaced, not added: an upsert on the key.

    crawler crawl books -s PIPELINES=pipelines.store_in_sqlite.StoreInSqlite -s SQLITE_KEY=upc
    sqlite3 items.db "select item ->> 'title' from items"
"""

import json
import sqlite3
from typing import Any

from itemadapter import ItemAdapter

from crawler import DropItem, Pipeline


class StoreInSqlite(Pipeline):
    """Keep each item as JSON in a table ``items`` of the file SQLITE_PATH, under its SQLITE_KEY field."""

    SQLITE_PATH: str = "items.db"
    SQLITE_KEY: str = "url"

    def __init__(self) -> None:
        self.database: sqlite3.Connection | None = None

    def open_spider(self) -> None:
        """Open the file, and make the table the first time."""
        self.database = sqlite3.connect(self.SQLITE_PATH)
        self.database.execute("CREATE TABLE IF NOT EXISTS items (key TEXT PRIMARY KEY, item TEXT NOT NULL)")

    def process_item(self, item: Any) -> Any:
        """Store one item."""
        return self.process_batch([item])[0]

    def process_batch(self, items: list[Any]) -> list[Any]:
        """Store many in one transaction; if it fails, the crawl hands them over again one by one."""
        assert self.database is not None
        with self.database:
            self.database.executemany(
                "INSERT INTO items VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET item = excluded.item",
                [self._row(item) for item in items],
            )
        return items

    def close_spider(self) -> None:
        """Close the file."""
        if self.database is not None:
            self.database.close()

    def _row(self, item: Any) -> tuple[str, str]:
        values = ItemAdapter(item).asdict()
        key = values.get(self.SQLITE_KEY)
        if key is None:
            raise DropItem(f"without {self.SQLITE_KEY}, the key it is stored under")
        return str(key), json.dumps(values, ensure_ascii=False, default=str)
