import scrapy


class WalkSpider(scrapy.Spider):
    name = "walk"
    allowed_domains = ["chain.example"]
    start_urls = ["http://chain.example/start"]
    pages = [
        "captcha", "answered", "refused", "old", "pending/1", "nothing", "raises", "rescue/raises", "moved/3", "to-login",
        "missing", "refresh", "unwanted", "input-error", "divided", "never", "retry/503", "post", "loop", "forbidden",
    ]

    def parse(self, response):
        yield {"start": response.headers.get("X-Seen-By", b"").decode(), "title": response.css("h1::text").get()}
        yield {"drop": True}
        for page in self.pages:
            yield response.follow(page, self.parse_page, errback=self.failed, cb_kwargs={"page": page})
        yield scrapy.Request("http://off.example/", self.parse_page)

    def parse_page(self, response, page):
        if page == "divided":
            yield {"before": 1}
            1 / 0
        yield {
            "page": page,
            "url": response.url,
            "status": response.status,
            "text": response.css("h1::text").get(),
            "signature": response.request.meta.get("signature") if response.request else None,
            "agent": response.request.headers.get("User-Agent", b"").decode(),
            "times": response.meta.get("redirect_times", 0) + response.meta.get("retry_times", 0),
            "reasons": [str(reason) for reason in response.meta.get("redirect_reasons", [])],
            "from": response.meta.get("from"),
        }

    def failed(self, failure):
        yield {"failed": failure.request.cb_kwargs["page"], "error": failure.type.__name__, "says": str(failure.value)[:20]}
