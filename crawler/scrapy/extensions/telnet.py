"""Who may look into a crawl? Scrapy's module of that name: no port is opened."""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import NotHere


class TelnetConsole(NotHere):
    """Lets people look into a crawl by telnet."""

    INSTEAD = ("TELNETCONSOLE_ENABLED", "no port is opened; --console opens a prompt for `crawler attach`")
