# -*- coding: utf-8 -*-
BOT_NAME = 'bot'

SPIDER_MODULES = ['bot.spiders']
NEWSPIDER_MODULE = 'bot.spiders'

#USER_AGENT = 'bot (+http://www.yourdomain.com)'
ROBOTSTXT_OBEY = False
COOKIES_ENABLED = False
CONCURRENT_REQUESTS_PER_IP = 0
ITEM_PIPELINES = {'bot.pipelines.BotPipeline': 300, 'bot.pipelines.CsvPipeline': 400}
DOWNLOADER_MIDDLEWARES = {'bot.middlewares.Agents': 1}
FEED_URI = 'feed_%(name)s.json'
FEED_FORMAT = 'json'
FEED_EXPORT_FIELDS = ['title', 'price', 'link']
REQUEST_FINGERPRINTER_IMPLEMENTATION = '2.7'
MONGO_URI = 'mongodb://localhost'
USER_AGENTS = ['a', 'b']
