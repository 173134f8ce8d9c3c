from crawler.items import PageItem


class CleanPipeline:
    def process_item(self, item, spider):
        assert isinstance(item, PageItem)
        item["title"] = item["title"].strip()
        return item
