import os

from itemadapter import ItemAdapter
from scrapy.exporters import CsvItemExporter
from scrapy.extensions.feedexport import ItemFilter


class DearFilter(ItemFilter):
    def __init__(self, feed_options):
        super().__init__(feed_options)

    def accepts(self, item):
        return (ItemAdapter(item).get("price") or 0) > 10


class TabExporter(CsvItemExporter):
    def __init__(self, *args, **kwargs):
        kwargs["delimiter"] = "\t"
        kwargs["fields_to_export"] = ["title", "pages"]
        super().__init__(*args, **kwargs)


def uri_params(params, spider):
    return {**params, "folder": os.path.basename("/some/dear"), "spider_name": spider.name}
