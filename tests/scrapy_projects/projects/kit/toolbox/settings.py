BOT_NAME = "toolbox"

SPIDER_MODULES = ["toolbox.spiders"]
NEWSPIDER_MODULE = "toolbox.spiders"

ROBOTSTXT_OBEY = False
FEEDS = {
    "items.jsonl.gz": {
        "format": "jsonlines",
        "postprocessing": ["toolbox.plugins.Upper", "scrapy.extensions.postprocessing.GzipPlugin"],
        "gzip_compresslevel": 5,
        "overwrite": True, "encoding": "utf-8",
    },
    "upper.txt": {"format": "jsonlines", "postprocessing": ["toolbox.plugins.Upper"], "overwrite": True, "encoding": "utf-8"},
}
EXTENSIONS = {
    "scrapy.extensions.memdebug.MemoryDebugger": 0,
    "scrapy.extensions.statsmailer.StatsMailer": 0,
    "scrapy.extensions.throttle.AutoThrottle": 0,
    "scrapy.extensions.debug.StackTraceDump": 0,
    "scrapy.extensions.logcount.LogCount": 0,
    "toolbox.plugins.Mailing": 10,
}
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": 25,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
