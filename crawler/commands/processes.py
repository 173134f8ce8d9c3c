"""Is a crawl one process or many, and who runs it then?"""

from __future__ import annotations

from crawler.commands.beside import beside
from crawler.commands.options import RunOptions
from crawler.config.settings import Settings
from crawler.spider import Spider


def run(spider_class: type[Spider], settings: Settings, options: RunOptions, *, file: str | None = None) -> int:
    """Run a new crawl to its end; return the exit status. Raises UsageError before anything starts.

    It is many processes if --workers says so, or if JOB_STORE is a server, where others can help.
    """
    many = is_many(settings, options)
    with beside(options, many=many):
        if many:
            from crawler.commands.cluster.starting import run_cluster

            return run_cluster(spider_class, settings, options, file=file)
        from crawler.commands.running import run_spider

        return run_spider(spider_class, settings, options, file=file)


def is_many(settings: Settings, options: RunOptions) -> bool:
    """Tell whether a new crawl is many processes."""
    return (options.workers or 1) > 1 or "://" in str(settings.core.JOB_STORE)
