"""Keeps one item of each group, by memory that all workers share."""

from typing import Any

from crawler import DropItem, Pipeline


class OneOfEachGroup(Pipeline):
    """Every page brings the item of its group; the first stays."""

    async def open_spider(self) -> None:
        """Take up what the job remembers."""
        self.seen = self.memory_set("groups")

    async def process_item(self, item: Any) -> Any:
        """Drop a group that was there."""
        if item["path"].startswith("group/"):
            if item["path"] in self.seen:
                raise DropItem("the group is there", log_level="DEBUG")
            self.seen.add(item["path"])
        return item
