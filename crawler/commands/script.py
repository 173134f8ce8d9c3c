"""How is a script run that was written for Scrapy and starts its crawl itself? As ``python FILE`` runs it."""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from crawler.config.cfg import closest_cfg
from crawler.config.importing import near, put_first
from crawler.errors import CrawlerError


def run_script(file: Path, words: Sequence[str]) -> int:
    """Run a script as ``__main__`` behind the door, its folder first on sys.path; return its exit status.

    What it raises is shown as Python shows it, from the script's own frames on, and is status 1.
    """
    from crawler.scrapy.adapters.finder import join_crawler, open_door

    file = file.resolve()
    open_door()
    cfg = closest_cfg(file.parent)
    for folder in dict.fromkeys((cfg.parent if cfg is not None else file.parent, file.parent)):
        put_first(folder)
        for note in join_crawler(folder):
            print(f"crawler: warning: {note}", file=sys.stderr)
    before, sys.argv = sys.argv, [near(file), *words]
    try:
        runpy.run_path(str(file), run_name="__main__")
    except CrawlerError:
        raise
    except Exception as error:
        shown = error.__traceback__
        while shown is not None and shown.tb_frame.f_code.co_filename != str(file):
            shown = shown.tb_next
        traceback.print_exception(error.with_traceback(shown or error.__traceback__))
        return 1
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    finally:
        sys.argv = before
    return 0
