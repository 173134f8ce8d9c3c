"""Reaches some pages by requests that cannot be stored: lambdas, and inline fetches."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from crawler import Request, Response, Spider


class Carry(Spider):
    """Blocks of ten pages: of each, nine by a lambda and one inline, in the block's own unit of work."""

    name = "carry"
    base: str = ""
    blocks: int = 40

    def start_requests(self) -> Iterator[Request]:
        for block in range(self.blocks):
            yield Request(f"{self.base}/p/{block * 10}", self.parse_block)

    async def parse_block(self, response: Response) -> AsyncIterator[Any]:
        first = int(response.url.rpartition("/")[2])
        inline = await self.fetch(f"{self.base}/p/{first + 1}")
        yield self.item(response)
        yield self.item(inline)
        for number in range(first + 2, first + 10):
            yield Request(f"{self.base}/p/{number}", callback=lambda page: self.item(page))

    def item(self, response: Response) -> dict[str, Any]:
        return {"path": response.url.removeprefix(self.base)}
