"""Is a crawl one process or many, and who runs it then?"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.commands.apart import check_apart
from crawler.commands.beside import beside
from crawler.commands.options import RunOptions
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.spider import Spider


def run(spider_class: type[Spider], settings: Settings, options: RunOptions, *, file: str | None = None) -> int:
    """Run a new crawl to its end; return the exit status. Raises UsageError before anything starts.

    It is many processes if --workers says so, or if JOB_STORE is a server, where others can help.
    """
    options = _settled(spider_class, settings, options, file)
    check_apart(spider_class, settings, options)
    many = is_many(settings, options)
    with beside(options, many=many):
        if many:
            from crawler.commands.cluster.starting import run_cluster

            return run_cluster(spider_class, settings, options, file=file)
        from crawler.commands.running import run_spider

        return run_spider(spider_class, settings, options, file=file)


def run_several(names: Sequence[str], options: RunOptions) -> int:
    """Run several spiders of the project at once in this process; return the highest of their exit statuses."""
    from crawler.commands.several import given_to, run_at_once

    each = [given_to(name, options) for name in names]
    if any(is_many(one.settings, one.options) for one in each):
        raise UsageError(
            "several spiders at once are one process; with --workers or a server as JOB_STORE give each its own command"
        )
    each = [one._replace(options=_settled(one.spider, one.settings, one.options)) for one in each]
    for one in each:
        check_apart(one.spider, one.settings, one.options)
    with beside(options, many=False):
        return run_at_once(each)


def _settled(spider: type[Spider], settings: Settings, options: RunOptions, file: str | None = None) -> RunOptions:
    """Return the options with the run that SINCE means now: a resume is to mean the same. Raises UsageError."""
    if settings.core.SINCE is None:
        return options
    from crawler.assembly.second_run import Command, named_run

    name = named_run(settings.core, Command(spider.name, options.arguments, file))
    return options._replace(settings={**options.settings, "SINCE": name})


def is_many(settings: Settings, options: RunOptions) -> bool:
    """Tell whether a new crawl is many processes."""
    return (options.workers or 1) > 1 or "://" in str(settings.core.JOB_STORE)
