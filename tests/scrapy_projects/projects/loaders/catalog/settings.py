from pathlib import Path

BOT_NAME = "catalog"

SPIDER_MODULES = ["catalog.spiders"]
NEWSPIDER_MODULE = "catalog.spiders"

ROBOTSTXT_OBEY = False
CONCURRENT_REQUESTS = 1
DEFAULT_ITEM_CLASS = "catalog.items.Book"
FEEDS = {
    "out/books.csv": {
        "format": "csv",
        "fields": ["title", "price", "authors"],
        "item_classes": ["catalog.items.Book"],
        "overwrite": True,
        "item_export_kwargs": {"include_headers_line": True, "join_multivalued": "|"},
    },
    Path("out/all-%(name)s.json"): {"format": "json", "encoding": "utf8", "indent": 2, "store_empty": True},
    "out/authors.xml": {"format": "xml", "item_classes": ["catalog.items.Author"], "fields": {"name": "who"},
                        "item_export_kwargs": {"root_element": "authors", "item_element": "author"}},
    "out/%(spider_name)s-%(folder)s.jsonl": {"format": "jsonlines", "item_filter": "catalog.filters.DearFilter",
                                          "uri_params": "catalog.filters.uri_params"},
    "out/batch-%(batch_id)d.jl": {"format": "jsonlines", "batch_item_count": 3, "item_classes": [dict]},
    "out/empty.csv": {"format": "csv", "store_empty": False, "item_classes": ["catalog.items.Never"]},
    "out/tab.tsv": {"format": "tsv", "item_classes": ["catalog.items.Book"]},
}
FEED_EXPORTERS = {"tsv": "catalog.filters.TabExporter"}
FEED_STORAGES = {"file": "scrapy.extensions.feedexport.FileFeedStorage"}
FEED_STORE_EMPTY = True
FEED_EXPORT_FIELDS = None
FEED_EXPORT_BATCH_ITEM_COUNT = 0
FEED_TEMPDIR = None
FEED_URI_PARAMS = "catalog.filters.uri_params"
