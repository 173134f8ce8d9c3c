"""How do the spiders of this project behave, unless one says otherwise?

`crawler settings` lists every setting with its value, where that came from and what it does.
"""

SPIDER_MODULES = ["spiders"]

# Polite by default: robots.txt is obeyed, one host gets at most four requests at once and about four a
# second. A host that answers 429 or 503 is slowed down further on its own.
ROBOTSTXT_OBEY = True
CONCURRENT_REQUESTS_PER_DOMAIN = 4
DOWNLOAD_DELAY = 0.25

# A site should be able to tell who is asking. Name yourself and a way to reach you:
# USER_AGENT = "yourbot/1.0 (+https://your.site/bot.html)"
