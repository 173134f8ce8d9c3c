BOT_NAME = "store"

SPIDER_MODULES = ["store.spiders"]
NEWSPIDER_MODULE = "store.spiders"

ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "storebot"
ROBOTSTXT_PARSER = "scrapy.robotstxt.ProtegoRobotParser"
CONCURRENT_REQUESTS = 4
CONCURRENT_REQUESTS_PER_DOMAIN = 2
DOWNLOAD_DELAY = 0
DEPTH_LIMIT = 5
DEPTH_STATS_VERBOSE = True
URLLENGTH_LIMIT = 200
CRAWLSPIDER_FOLLOW_LINKS = True
SPIDER_MIDDLEWARES = {
    # the template's, untouched
    "store.middlewares.StoreSpiderMiddleware": 543,
}
DOWNLOADER_MIDDLEWARES = {
    "store.middlewares.StoreDownloaderMiddleware": 543,
}
ITEM_PIPELINES = {
    "store.pipelines.PricePipeline": 300,
    "store.pipelines.DuplicatesPipeline": 800,
}
FEED_EXPORT_ENCODING = "utf-8"
