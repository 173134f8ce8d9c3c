"""scrapy-redis as its README has it: scheduler, filter and items on the server; the queue outlives a process."""

SPIDER_MODULES = ["walking.spiders"]
SCHEDULER = "scrapy_redis.scheduler.Scheduler"
DUPEFILTER_CLASS = "scrapy_redis.dupefilter.RFPDupeFilter"
SCHEDULER_PERSIST = True
ITEM_PIPELINES = {"scrapy_redis.pipelines.RedisPipeline": 300}
CONCURRENT_REQUESTS = 16
ROBOTSTXT_OBEY = False
LOG_LEVEL = "INFO"
# It has no end of its own.
EXTENSIONS = {"scrapy.extensions.closespider.CloseSpider": 0}
CLOSESPIDER_TIMEOUT_NO_ITEM = 10
DOWNLOADER_MIDDLEWARES = {"walking.middlewares.SaysWho": 100}
