import scrapy


class FirstSpider(scrapy.Spider):
    name = "first"

    def __init__(self, word=None, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.word = word
        self.start_urls = [f"http://driven.example/{word}"]

    def parse(self, response):
        yield {"word": self.word, "title": response.css("h1::text").get()}


class SecondSpider(scrapy.Spider):
    name = "second"
    start_urls = ["http://driven.example/second"]

    def parse(self, response):
        yield {"title": response.css("h1::text").get(), "depth": self.settings.getint("DEPTH_LIMIT")}
