BOT_NAME = "driven"

SPIDER_MODULES = ["driven.spiders"]
NEWSPIDER_MODULE = "driven.spiders"

ROBOTSTXT_OBEY = False
LOG_LEVEL = "WARNING"
FEEDS = {"%(name)s.jsonl": {"format": "jsonlines", "overwrite": True}}
