"""Settings of the project whose crawls are measured."""

MIDDLEWARES = ["middlewares.SaysWho"]
ROBOTSTXT_OBEY = False
RANDOMIZE_DOWNLOAD_DELAY = False
THROTTLE_ENABLED = False
