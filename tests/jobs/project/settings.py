"""Settings of the project that the kill tests run."""

RETRY_BACKOFF = 0.05
CONCURRENT_REQUESTS_PER_DOMAIN = 16
THROTTLE_ENABLED = False
