import scrapy


class StockSpider(scrapy.Spider):
    name = "stock"

    def __init__(self, pages=4, *args, **kwargs):
        super(StockSpider, self).__init__(*args, **kwargs)
        self.start_urls = ["http://depot.example/%d" % n for n in range(int(pages))]

    def parse(self, response):
        for row in response.css("li"):
            yield {"n": int(row.attrib["id"]), "kind": row.css("b::text").get(), "text": row.css("i::text").get()}
