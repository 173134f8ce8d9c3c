BOT_NAME = "watch"

SPIDER_MODULES = ["watch.spiders"]
NEWSPIDER_MODULE = "watch.spiders"
COMMANDS_MODULE = "watch.commands"

ROBOTSTXT_OBEY = False
LOG_LEVEL = "INFO"

EXTENSIONS = {
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.memusage.MemoryUsage": 0,
    "scrapy.extensions.logstats.LogStats": 0,
    "scrapy.extensions.spiderstate.SpiderState": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
    "scrapy.extensions.periodic_log.PeriodicLog": 0,
    "watch.extensions.EverySignal": 500,
    "watch.extensions.ItemCountLogger": 501,
    "watch.extensions.Disabled": 502,
    "watch.extensions.Fetcher": 503,
}
MYEXT_ENABLED = True
MYEXT_ITEMCOUNT = 3
TELNETCONSOLE_ENABLED = False
LOGSTATS_INTERVAL = 60.0
MEMUSAGE_ENABLED = False
MEMDEBUG_ENABLED = False
CLOSESPIDER_ERRORCOUNT = 50
PERIODIC_LOG_STATS = True
PERIODIC_LOG_DELTA = {"include": ["downloader/"]}
PERIODIC_LOG_TIMING_ENABLED = True
STATS_CLASS = "watch.stats.OwnStats"
STATS_DUMP = True
DUPEFILTER_CLASS = "watch.filters.PathDupeFilter"
DUPEFILTER_DEBUG = True
