from scrapy.http import TextResponse


class OwnHandler:
    """Answers own: URLs itself."""

    lazy = False

    def __init__(self, crawler):
        self.name = crawler.settings["BOT_NAME"]

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    async def download_request(self, request):
        return TextResponse(request.url, body=f"own {self.name}".encode(), encoding="utf-8", request=request)

    async def close(self):
        pass
