BOT_NAME = "broken"

SPIDER_MODULES = ["broken.spiders"]
NEWSPIDER_MODULE = "broken.spiders"
ROBOTSTXT_OBEY = False
