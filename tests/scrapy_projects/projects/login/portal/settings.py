BOT_NAME = "portal"

SPIDER_MODULES = ["portal.spiders"]
NEWSPIDER_MODULE = "portal.spiders"

USER_AGENT = "portal (+http://portal.example)"
ROBOTSTXT_OBEY = False
COOKIES_ENABLED = True
COOKIES_DEBUG = True
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "de",
    "X-Portal": "1",
}
REFERRER_POLICY = "same-origin"
