"""Does an item have what it must have?

The shortest lesson: a stage that looks at an item and passes it on or drops it. It is quick and waits
for nothing, so it is an ``async def`` and needs no thread.
"""

from typing import Any

from itemadapter import ItemAdapter

from crawler import DropItem, Pipeline


class RequireFields(Pipeline):
    """Drop items in which one of REQUIRED_FIELDS is absent, None or empty. Zero and False are values."""

    REQUIRED_FIELDS: list[str] = []

    async def process_item(self, item: Any) -> Any:
        """Pass the item on, or drop it and say what it lacks."""
        values = ItemAdapter(item)
        lacking = [name for name in self.REQUIRED_FIELDS if values.get(name) in (None, "", [], {})]
        if lacking:
            raise DropItem(f"without {', '.join(lacking)}")
        return item
