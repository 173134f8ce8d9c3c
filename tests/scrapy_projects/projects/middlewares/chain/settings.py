BOT_NAME = "chain"

SPIDER_MODULES = ["chain.spiders"]
NEWSPIDER_MODULE = "chain.spiders"

ROBOTSTXT_OBEY = True

DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
    "chain.agents.RandomUserAgentMiddleware": 400,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "chain.retrying.CaptchaRetryMiddleware": 550,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "chain.retrying.NoLoginRedirectMiddleware": 600,
    "chain.own.SignMiddleware": 543,
    "chain.own.ShortcutMiddleware": 544,
    "chain.own.AsyncMiddleware": 545,
    "chain.own.ErrorMiddleware": 546,
    "chain.own.SwitchedOff": 547,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": 750,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": 700,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": 300,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 390,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": 100,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": 50,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": 580,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": 900,
}
SPIDER_MIDDLEWARES = {
    "chain.around.CountMiddleware": 100,
    "chain.around.ErrorsMiddleware": 543,
    "chain.around.AsyncOutputMiddleware": 600,
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "chain.around.OwnHttpErrorMiddleware": 50,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": 700,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": 800,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": 900,
}
USER_AGENTS = ["agent one", "agent two", "agent three"]
SIGN_KEY = "k3y"
RETRY_TIMES = 1
REDIRECT_MAX_TIMES = 5
REDIRECT_PRIORITY_ADJUST = 3
METAREFRESH_MAXDELAY = 10
METAREFRESH_IGNORE_TAGS = ["script", "noscript"]
REQUEST_FINGERPRINTER_CLASS = "scrapy.utils.request.RequestFingerprinter"
