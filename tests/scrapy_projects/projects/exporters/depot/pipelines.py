import io
import json
import marshal
import pickle
import sqlite3

from itemadapter import ItemAdapter
from scrapy import Request, signals
from scrapy.exceptions import DropItem, NotConfigured
from scrapy.exporters import (
    CsvItemExporter,
    JsonItemExporter,
    JsonLinesItemExporter,
    MarshalItemExporter,
    PickleItemExporter,
    PprintItemExporter,
    PythonItemExporter,
    XmlItemExporter,
)
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.serialize import ScrapyJSONEncoder
from twisted.internet import defer, task


class CheckPipeline:
    def process_item(self, item, spider):
        if item.get("n", 0) % 7 == 6:
            raise DropItem("a seventh")
        if item.get("n") == 5:
            raise DropItem("quiet", log_level="DEBUG")
        if item.get("n") == 4:
            raise ValueError("four")
        item["checked"] = True
        return item


class AsyncPipeline:
    async def process_item(self, item, spider):
        from twisted.internet import reactor

        await maybe_deferred_to_future(task.deferLater(reactor, 0, lambda: None))
        item["awaited"] = True
        return item


class DeferredPipeline:
    def open_spider(self, spider):
        done = defer.Deferred()
        from twisted.internet import reactor

        reactor.callLater(0, done.callback, None)
        return done

    def process_item(self, item, spider):
        return defer.succeed(dict(item, deferred=True))

    def close_spider(self, spider):
        return defer.succeed(None)


class SidePipeline:
    """Asks a page for some items."""

    def __init__(self, crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    async def process_item(self, item):
        if item["n"] % 4 == 0:
            request = Request(f"http://depot.example/side/{item['n']}", callback=NO_CALLBACK)
            response = await self.crawler.engine.download_async(request)
            item["side"] = response.css("h1::text").get()
        return item


class SqlitePipeline:
    def __init__(self):
        self.connection = sqlite3.connect("items.db")
        self.cursor = self.connection.cursor()
        self.cursor.execute("drop table if exists items")
        self.cursor.execute("create table items (n integer primary key, kind text)")

    @classmethod
    def from_crawler(cls, crawler):
        assert crawler.settings.get("SQLITE_FILE") == "items.db"
        return cls()

    def process_item(self, item, spider):
        self.cursor.execute("insert into items values (?, ?)", (item["n"], item["kind"]))
        self.connection.commit()
        return item

    def close_spider(self, spider):
        rows = self.connection.execute("select * from items order by n").fetchall()
        with open("rows.json", "w") as file:
            json.dump(rows, file)
        self.connection.close()


class JsonWriterPipeline:
    def open_spider(self, spider):
        self.file = open("items.jl", "w")

    def close_spider(self, spider):
        self.file.close()

    def process_item(self, item, spider):
        line = json.dumps(ItemAdapter(item).asdict(), cls=ScrapyJSONEncoder) + "\n"
        self.file.write(line)
        return item


class PerKindExportPipeline:
    """Distribute items across multiple XML files according to their 'kind' field"""

    def open_spider(self, spider):
        self.kind_to_exporter = {}

    def close_spider(self, spider):
        for exporter, xml_file in self.kind_to_exporter.values():
            exporter.finish_exporting()
            xml_file.close()

    def _exporter_for_item(self, item):
        adapter = ItemAdapter(item)
        kind = adapter["kind"]
        if kind not in self.kind_to_exporter:
            xml_file = open(f"{kind}.xml", "wb")
            exporter = XmlItemExporter(xml_file, indent=2)
            exporter.start_exporting()
            self.kind_to_exporter[kind] = (exporter, xml_file)
        return self.kind_to_exporter[kind][0]

    def process_item(self, item, spider):
        self._exporter_for_item(item).export_item(item)
        return item


class EveryExporterPipeline:
    @classmethod
    def from_crawler(cls, crawler):
        pipeline = cls()
        crawler.signals.connect(pipeline.spider_opened, signals.spider_opened)
        crawler.signals.connect(pipeline.spider_closed, signals.spider_closed)
        return pipeline

    def spider_opened(self, spider):
        self.files, self.exporters = [], []
        fields = ["n", "kind", "missing"]
        for name, exporter, options in (
            ("all.csv", CsvItemExporter, {"fields_to_export": fields, "export_empty_fields": True}),
            ("all.json", JsonItemExporter, {"encoding": "utf-8", "indent": 1}),
            ("all.jsonl", JsonLinesItemExporter, {"fields_to_export": ["n", "text"], "ensure_ascii": False}),
            ("all.txt", PprintItemExporter, {}),
        ):
            self.files.append(open(name, "wb"))
            self.exporters.append(exporter(self.files[-1], **options))
        self.pickled, self.marshalled = io.BytesIO(), io.BytesIO()
        self.exporters += [PickleItemExporter(self.pickled), MarshalItemExporter(self.marshalled)]
        self.python = PythonItemExporter()
        for exporter in self.exporters:
            exporter.start_exporting()

    def spider_closed(self, spider):
        for exporter in self.exporters:
            exporter.finish_exporting()
        for file in self.files:
            file.close()
        self.pickled.seek(0), self.marshalled.seek(0)
        with open("loaded.jsonl", "w") as file:
            file.write(json.dumps(pickle.load(self.pickled)) + "\n" + json.dumps(marshal.load(self.marshalled)) + "\n")

    def process_item(self, item, spider):
        for exporter in self.exporters:
            exporter.export_item(item)
        assert self.python.export_item(item)["n"] == item["n"]
        return item


class OffPipeline:
    def process_item(self, item, spider):
        raise RuntimeError("switched off")


class NotConfiguredPipeline(OffPipeline):
    def __init__(self):
        raise NotConfigured
