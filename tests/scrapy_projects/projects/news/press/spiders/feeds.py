import scrapy
from scrapy.spiders import CSVFeedSpider, XMLFeedSpider


class Entry(scrapy.Item):
    id = scrapy.Field()
    name = scrapy.Field()
    description = scrapy.Field()


class XmlSpider(XMLFeedSpider):
    name = "xml"
    allowed_domains = ["press.example"]
    start_urls = ["http://press.example/feed.xml"]
    iterator = "iternodes"
    itertag = "item"

    def parse_node(self, response, node):
        item = Entry()
        item["id"] = node.xpath("@id").get()
        item["name"] = node.xpath("name/text()").get()
        item["description"] = node.xpath("description/text()").get()
        yield item
        yield response.follow(node.xpath("link/text()").get(), self.parse_page)

    def parse_page(self, response):
        yield Entry(name=response.css("title::text").get())

    def process_results(self, response, results):
        for result in results:
            if isinstance(result, Entry):
                result["description"] = (result["description"] or "").upper()
            yield result

    def adapt_response(self, response):
        return response.replace(body=response.body.replace(b"second", b"2nd"))


class SpacesSpider(XMLFeedSpider):
    name = "spaces"
    namespaces = [("n", "http://press.example/ns")]
    itertag = "n:entry"
    iterator = "xml"
    start_urls = ["http://press.example/ns.xml"]

    def parse_node(self, response, selector):
        return {"text": selector.xpath("n:name/text()").getall(), "attributes": selector.attrib}


class CsvSpider(CSVFeedSpider):
    name = "csv"
    start_urls = ["http://press.example/feed.csv"]
    delimiter = ";"
    quotechar = "'"
    headers = ["id", "name", "description"]

    def parse_row(self, response, row):
        self.logger.info("Hi, this is a row!: %r", row)
        item = Entry()
        item["id"] = row["id"]
        item["name"] = row["name"]
        item["description"] = row["description"]
        return item
