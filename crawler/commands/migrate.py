"""What in a project of Scrapy's will differ here? ``crawler migrate``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from crawler.commands.migrating import Finding, files_of, findings, settings_files
from crawler.commands.showing import say
from crawler.config.cfg import closest_cfg
from crawler.config.importing import near
from crawler.errors import UsageError
from crawler.scrapy.adapters.finder import join_crawler


@click.command()
@click.argument("path", required=False, default=".")
def command(path: str) -> int:
    """Tell of a project of Scrapy's, the one here or in PATH, what will differ and what will not work, line by line.

    Its files are read and not run. The exit status is 1 if something will not work.
    """
    given = Path(path)
    if not given.exists():
        raise UsageError(f"there is no {path}")
    cfg = closest_cfg(given) if given.is_dir() else None
    root = cfg.parent if cfg is not None else given
    root = Path(os.path.relpath(root)) if given.is_dir() and not given.is_absolute() else root
    files = files_of(root)
    if not files:
        raise UsageError(f"there is no Python file in {path}")
    hidden = join_crawler(root.resolve()) if root.is_dir() else []
    found = [Finding(root / "crawler", 0, text, stops=True) for text in hidden]
    found += findings(root, settings_files(root, cfg))
    for each in found:
        place = near(each.file) + (f":{each.line}" if each.line else "")
        say(f"{place}: {'does not work' if each.stops else 'differs'}: {each.text}")
    stops = sum(each.stops for each in found)
    say(
        f"Files: {len(files)}, places that will not work: {stops}, that differ: {len(found) - stops}"
        if found
        else f"Files: {len(files)}; nothing was found that differs: `crawler list` names the spiders"
    )
    return 1 if stops else 0
