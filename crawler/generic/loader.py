"""How is an item filled field by field, with processors?"""

from __future__ import annotations

from typing import Any

import itemloaders

from crawler.model.item import Item
from crawler.model.response import Response
from crawler.model.selector import Selector


class ItemLoader(itemloaders.ItemLoader):
    """itemloaders' ItemLoader with a ``response`` (Scrapy's ItemLoader).

    Its selector is used unless one is given. The processors are in ``itemloaders.processors``.
    """

    default_item_class: type = Item
    default_selector_class = Selector

    def __init__(
        self,
        item: Any = None,
        selector: Selector | None = None,
        response: Response | None = None,
        parent: itemloaders.ItemLoader | None = None,
        **context: Any,
    ) -> None:
        if selector is None and response is not None and response.kind != "binary":
            selector = response.selector
        super().__init__(item=item, selector=selector, parent=parent, response=response, **context)
