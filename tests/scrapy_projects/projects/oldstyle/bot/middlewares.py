import random


class Agents(object):
    def __init__(self, agents):
        self.agents = agents

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler.settings.getlist('USER_AGENTS'))

    def process_request(self, request, spider):
        random.choice(self.agents)
        request.headers.setdefault('User-Agent', 'old %s' % spider.name)
        request.meta['download_timeout'] = 30
