from itemadapter import ItemAdapter
from scrapy.exceptions import DropItem


class PricePipeline:
    vat_factor = 1.15

    def process_item(self, item, spider):
        adapter = ItemAdapter(item)
        if adapter.get("price"):
            adapter["price"] = round(float(adapter["price"].lstrip("$")) * self.vat_factor, 2)
            return item
        raise DropItem(f"Missing price in {item}")


class DuplicatesPipeline:
    def __init__(self):
        self.names_seen = set()

    def process_item(self, item, spider):
        adapter = ItemAdapter(item)
        if adapter["name"] in self.names_seen:
            raise DropItem("Duplicate item found: %s" % adapter["name"])
        self.names_seen.add(adapter["name"])
        return item
