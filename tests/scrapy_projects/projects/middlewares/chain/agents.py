from itertools import cycle

from scrapy.downloadermiddlewares.useragent import UserAgentMiddleware


class RandomUserAgentMiddleware(UserAgentMiddleware):
    """Takes turns with the agents of the settings."""

    def __init__(self, settings, user_agent="Scrapy"):
        super().__init__(user_agent)
        self.agents = {}
        self.turns = cycle(settings.getlist("USER_AGENTS"))

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler.settings)

    def process_request(self, request, spider=None):
        # the same for each path, so that the order does not count
        agents = spider_agents = ["agent one", "agent two", "agent three"]
        request.headers.setdefault(b"User-Agent", agents[len(request.url) % len(spider_agents)])
