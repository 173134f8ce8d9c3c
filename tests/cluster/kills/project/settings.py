"""Settings of the project that the kill tests of the cluster run."""

RETRY_BACKOFF = 0.05
RETRY_BACKOFF_MAX = 0.2
# So few that one worker has no slots for all hosts, and others get some.
CONCURRENT_REQUESTS = 2
CONCURRENT_REQUESTS_PER_DOMAIN = 4
RANDOMIZE_DOWNLOAD_DELAY = False
THROTTLE_MAX_DELAY = 0.1
# A connection may be lost with its worker's lease or the site's own kills; that says nothing of the page.
RETRY_TIMES = 5
DOWNLOAD_SLOTS = {
    "127.0.0.3": {"delay": 0.25, "concurrency": 1},
    "127.0.0.4": {"concurrency": 2},
    "127.0.0.5": {"delay": 0.05, "concurrency": 2},
}
MIDDLEWARES = ["middlewares.SaysWho"]
PIPELINES = ["stages.OneOfEachGroup"]
