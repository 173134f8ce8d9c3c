BOT_NAME = "press"

SPIDER_MODULES = ["press.spiders"]
NEWSPIDER_MODULE = "press.spiders"

ROBOTSTXT_OBEY = False
CONCURRENT_REQUESTS = 8
DEPTH_PRIORITY = 1
SCHEDULER_DISK_QUEUE = "scrapy.squeues.PickleFifoDiskQueue"
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"
SCHEDULER_PRIORITY_QUEUE = "scrapy.pqueues.DownloaderAwarePriorityQueue"
SCHEDULER = "scrapy.core.scheduler.Scheduler"
SCHEDULER_DEBUG = False
DOWNLOADER = "scrapy.core.downloader.Downloader"
FEED_EXPORT_ENCODING = "utf-8"
FEED_EXPORT_INDENT = 4
