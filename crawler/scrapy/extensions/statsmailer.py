"""Who gets the stats by mail? Scrapy's module of that name."""

from __future__ import annotations

from typing import Any, Self

from crawler.scrapy import signals
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.mail import MailSender


class StatsMailer:
    """Sends the stats to STATSMAILER_RCPTS at the end."""

    def __init__(self, stats: Any, recipients: list[str], mail: Any) -> None:
        self.stats, self.recipients, self.mail = stats, recipients, mail

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make it. Raises NotConfigured without recipients."""
        recipients = crawler.settings.getlist("STATSMAILER_RCPTS")
        if not recipients:
            raise NotConfigured
        made = cls(crawler.stats, recipients, MailSender.from_crawler(crawler))
        crawler.signals.connect(made.spider_closed, signal=signals.spider_closed)
        return made

    def spider_closed(self, spider: Any) -> Any:
        """Send them."""
        body = "\n".join(f"{name:<50} : {value}" for name, value in self.stats.get_stats().items())
        return self.mail.send(self.recipients, f"Scrapy stats for: {spider.name}", f"{spider.name} stats\n\n{body}")
