from datetime import datetime

from scrapy.spiders import SitemapSpider


class NewsSpider(SitemapSpider):
    name = "news"
    sitemap_urls = ["http://press.example/robots.txt", "http://press.example/sitemap_index.xml"]
    sitemap_rules = [
        (r"/sport/", "parse_sport"),
        (r"/news/\d{4}/", "parse_news"),
    ]
    sitemap_follow = ["/sitemap_(news|sport)"]
    sitemap_alternate_links = True

    def sitemap_filter(self, entries):
        for entry in entries:
            if "lastmod" in entry:
                date_time = datetime.strptime(entry["lastmod"][:10], "%Y-%m-%d")
                if date_time.year < 2020:
                    continue
            yield entry

    def parse_news(self, response):
        yield {"kind": "news", "title": response.css("title::text").get(), "url": response.url}

    def parse_sport(self, response):
        yield {"kind": "sport", "title": response.css("title::text").get(), "url": response.url}


class PlainSpider(SitemapSpider):
    name = "plain"
    sitemap_urls = ["http://press.example/sitemap_news.xml.gz"]

    async def start(self):
        async for request in super().start():
            yield request
        yield self.other()

    def other(self):
        from scrapy import Request

        return Request("http://press.example/about", self.parse)

    def parse(self, response):
        return {"url": response.url}
