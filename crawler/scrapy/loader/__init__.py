"""How does a spider fill an item from selectors?"""

from __future__ import annotations

from typing import Any

import itemloaders

from crawler.scrapy.item import Item
from crawler.scrapy.selector import Selector


class ItemLoader(itemloaders.ItemLoader):
    """Fills an item by input and output processors (docs.scrapy.org, "Item Loaders"; itemloaders)."""

    default_item_class = Item
    default_selector_class = Selector

    def __init__(
        self, item: Any = None, selector: Any = None, response: Any = None, parent: Any = None, **context: Any
    ):
        if selector is None and response is not None:
            try:
                selector = self.default_selector_class(response)
            except AttributeError:
                selector = None  # a response that is no text has none
        super().__init__(item=item, selector=selector, parent=parent, **{**context, "response": response})
