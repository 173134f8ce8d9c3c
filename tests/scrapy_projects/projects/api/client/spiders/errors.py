import scrapy
from scrapy.exceptions import CloseSpider, DontCloseSpider, IgnoreRequest, NotSupported  # noqa: F401


class ErrorsSpider(scrapy.Spider):
    """Callbacks that raise, return nonsense or stop."""

    name = "errors"
    start_urls = [f"http://api.client.example/v1/raise/{n}" for n in range(5)] + ["mailto:nobody@example"]

    def parse(self, response):
        number = int(response.url[-1])
        if number == 0:
            raise ValueError("before anything")
        yield {"number": number}
        if number == 1:
            raise KeyError("after an item")
        if number == 2:
            yield None
        if number == 3:
            yield response.follow("/v1/late", self.parse_late, errback=self.not_called)
        if number == 4:
            yield from self.deeper(response)

    def deeper(self, response):
        yield {"deeper": True}
        self.missing_method()

    def parse_late(self, response):
        return [{"late": 1}, None, {"late": 2}, scrapy.Request("http://api.client.example/v1/last", self.parse_last)]

    def parse_last(self, response):
        raise CloseSpider("enough")

    def not_called(self, failure):
        yield {"never": True}
