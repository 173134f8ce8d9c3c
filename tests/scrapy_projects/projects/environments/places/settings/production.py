from places.settings.base import *  # noqa: F403

LOG_LEVEL = "ERROR"
USER_AGENT = "places in production"
HTTPCACHE_ENABLED = False
REFERER_ENABLED = True
JOBDIR = "job"
