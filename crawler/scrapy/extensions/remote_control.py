"""Who may act on a crawl from outside? Scrapy's module of that name: no port is opened."""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import NotHere


class RemoteControl(NotHere):
    """Lets others act on a crawl."""

    INSTEAD = ("REMOTE_CONTROL_ENABLED", "no port is opened; signals of the system end a crawl")
