import scrapy


class NoneSpider(scrapy.Spider):
    """Starts with whatever its settings break."""

    name = "some"
    start_urls = ["http://broken.example/"]

    def parse(self, response):
        yield {"url": response.url}


class RaisingSpider(NoneSpider):
    name = "raising"

    def __init__(self, *args, **kwargs):
        raise ValueError("in __init__")


class StartSpider(NoneSpider):
    name = "starting"

    async def start(self):
        yield scrapy.Request("http://broken.example/first")
        raise ValueError("in start")


class NoUrls(scrapy.Spider):
    name = "nourls"


class BadUrl(NoneSpider):
    name = "badurl"
    start_urls = ["www.broken.example/page"]


class BadSettings(NoneSpider):
    name = "badcustom"
    custom_settings = {"ITEM_PIPELINES": {"broken.pipelines.NotThere": 1}}


class RaisingMiddleware(NoneSpider):
    name = "badmiddleware"
    custom_settings = {"DOWNLOADER_MIDDLEWARES": {"broken.spiders.some.Raises": 1}}


class RaisingExtension(NoneSpider):
    name = "badextension"
    custom_settings = {"EXTENSIONS": {"broken.spiders.some.Raises": 1}}


class RaisingOpen(NoneSpider):
    name = "badopen"
    custom_settings = {"ITEM_PIPELINES": {"broken.spiders.some.OpenRaises": 1}}


class NoParse(scrapy.Spider):
    name = "noparse"
    start_urls = ["http://broken.example/"]


class Raises:
    def __init__(self):
        raise RuntimeError("a component that raises")


class OpenRaises:
    def open_spider(self, spider):
        raise RuntimeError("in open_spider")

    def process_item(self, item, spider):
        return item
