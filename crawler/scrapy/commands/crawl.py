"""How does a command that derives from Scrapy's ``crawl`` run a spider?"""

from __future__ import annotations

from argparse import Namespace

from crawler.scrapy.commands import BaseRunSpiderCommand
from crawler.scrapy.exceptions import UsageError


class Command(BaseRunSpiderCommand):
    """Runs the spider whose name is the one argument."""

    requires_project = True

    def syntax(self) -> str:
        """Return what is written behind the command's name."""
        return "[options] <spider>"

    def short_desc(self) -> str:
        """Return what it does."""
        return "Run a spider of the project"

    def run(self, args: list[str], opts: Namespace) -> None:
        """Run it to its end. Raises UsageError."""
        if len(args) != 1:
            raise UsageError("the name of one spider is expected" if args else None)
        self.crawler_process.crawl(args[0], **opts.spargs)
        self.crawler_process.start()
        if self.crawler_process.bootstrap_failed:
            self.exitcode = 1
