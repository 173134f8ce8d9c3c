import scrapy
from scrapy.settings import BaseSettings, Settings  # noqa: F401


class PlacesSpider(scrapy.Spider):
    name = "places"
    start_urls = ["http://places.example/a", "http://places.example/b", "http://places.example/missing", "own://thing/"]
    custom_settings = {"OWN": {"a": 1}}

    @classmethod
    def update_settings(cls, settings):
        super().update_settings(settings)
        settings.setdefault("DEFAULTED", "yes")
        settings.set("UPDATED", "yes", priority="spider")

    def parse(self, response):
        """
        @url http://places.example/a
        @returns items 1 1
        @returns requests 0 1
        @scrapes place title
        @has_title a
        """
        settings = self.settings
        yield {
            "place": settings.get("PLACE"),
            "title": response.css("title::text").get() if "html" in str(type(response)).lower() else response.text,
            "own": [settings.getlist("PROXIES"), settings.get("MIDDLEWARES"), settings.getint("PIPELINES"),
                    settings.getdict("SESSIONS"), settings.get("OWN"), settings.get("UPDATED"), settings["DEFAULTED"]],
            "theirs": [settings.getint("CONCURRENT_REQUESTS"), settings.getfloat("DOWNLOAD_DELAY"),
                       settings.get("RETRY_TIMES"), settings.getbool("COOKIES_ENABLED"), settings.getpriority("BOT_NAME"),
                       settings.get("TELNETCONSOLE_PORT"), settings.getwithbase("SPIDER_CONTRACTS") != {}],
            "cached": "cached" in response.flags,
            "auth": response.css("h2::text").get() if hasattr(response, "css") else None,
        }
        if response.url.endswith("/a"):
            yield response.follow("/moved", self.parse)


class BrokenImport(scrapy.Spider):
    name = "never started"
