"""Was this item there before?

A lesson in memory that survives: ``memory_set`` belongs to the job, so a crawl that was killed and
resumed still knows what it has seen, and what a kill has undone is forgotten with it.
"""

import hashlib
import json
from typing import Any

from itemadapter import ItemAdapter

from crawler import DropItem, Pipeline


class DropDuplicates(Pipeline):
    """Drop items whose DUPLICATE_FIELDS all have values that were seen before; none named: all fields."""

    DUPLICATE_FIELDS: list[str] = []

    def __init__(self) -> None:
        self.seen: Any = None

    async def open_spider(self) -> None:
        """Take up what the job remembers."""
        self.seen = self.memory_set("seen")

    async def process_item(self, item: Any) -> Any:
        """Pass the item on the first time. Its digest is kept, not its values: 16 bytes an item."""
        values = ItemAdapter(item).asdict()
        key = [values.get(name) for name in self.DUPLICATE_FIELDS or sorted(values)]
        digest = hashlib.blake2b(json.dumps(key, sort_keys=True, default=str).encode(), digest_size=16).digest()
        if digest in self.seen:
            raise DropItem("seen before")
        self.seen.add(digest)
        return item
