"""Which projects are there, and how is each run?"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import copytree

from tests.docs.served import Page
from tests.scrapy_projects.running import HERE, SCRAPY, Run

FAST = ("-s", "DOWNLOAD_DELAY=0", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=8")


@dataclass(frozen=True)
class Project:
    """A project of `projects/`; its runs are made one after the other, in the same folder."""

    name: str
    runs: tuple[Run, ...]

    @property
    def site(self) -> Page:
        """What the project crawls."""
        page: Page = import_module(f"tests.scrapy_projects.sites.{self.name}").answer
        return page

    def copier(self) -> Callable[[Path], None]:
        """Return what makes a copy of it in a folder that is not there yet."""
        return lambda folder: _copy(self.name, folder)


def _copy(name: str, folder: Path) -> None:
    if not (HERE / "projects" / name / "scrapy.cfg").exists():
        # As the tutorial begins: Scrapy's own templates, which are not ours to keep here.
        command = [str(SCRAPY / "scrapy"), "startproject", name, str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    copytree(HERE / "projects" / name, folder, dirs_exist_ok=True)


def crawl(*words: str, **how: object) -> Run:
    """Return the run of `crawl` with these words."""
    return Run(("crawl", *words), **how)  # type: ignore[arg-type]  # the fields of Run


CACHED = frozenset({
    *("httpcache/firsthand", "httpcache/miss", "httpcache/store"),
    *("downloader/request_count", "downloader/request_method_count/GET", "scheduler/dequeued"),
})  # fmt: skip
"""Here the cache is asked before a request is queued, and keeps what HTTPCACHE_IGNORE_SCHEMES names."""

PROJECTS = {
    each.name: each
    for each in (
        Project("tutorial", (crawl("quotes", *FAST), crawl("quotes", "-a", "tag=humor", *FAST), crawl("author", *FAST),
                             crawl("saved", *FAST, items=False))),
        Project("login", (crawl("members"), crawl("members", "-a", "password=wrong"), crawl("jars"))),
        Project("shop", (crawl("products"),)),
        Project("api", (crawl("rest"), crawl("errors"))),
        Project("news", tuple(crawl(name) for name in ("news", "plain", "xml", "spaces", "csv"))),
        Project("middlewares", (crawl("walk"),)),
        Project("events", (crawl("hours"), crawl("counted"), Run(("spiders", "--upper", "names.txt"), items=False))),
        Project("loaders", (
            crawl("books", items=False, known=frozenset({"feedexport/success_count/FileFeedStorage"})),
        )),
        Project("exporters", (crawl("stock", "-a", "pages=3"),)),
        # A redirect of what a pipeline downloads is queued here, and followed at once there.
        Project("images", (
            crawl("photos", known=frozenset({"scheduler/enqueued", "scheduler/dequeued"})), crawl("photos"),
        )),
        Project("scripts", tuple(Run(("python", name), items=False)
                                 for name in ("main.py", "runner.py", "again.py", "begin.py"))),
        Project("environments", (
            crawl("places", environment={"PLACE": "here"}, known=CACHED),
            crawl("places", known=CACHED),
            crawl("places", environment={"SCRAPY_PROJECT": "production"}),
            crawl("places", "-s", "JOBDIR=", environment={"SCRAPY_SETTINGS_MODULE": "places.settings.production"}),
            crawl("places", environment={"SCRAPY_PROJECT": "broken"}, items=False),
            Run(("check",), items=False),
            Run(("list",), items=False),
        )),
        Project("oldstyle", tuple(crawl(name, items=False) for name in ("old", "oldcrawl", "oldform"))),
        Project("kit", (crawl("tools"),)),
        Project("named", (crawl("pages"),)),
        Project("failures", tuple(crawl(name) for name in ("raising", "starting", "badurl", "badcustom", "badopen",
            "noparse", "notthere",
        ))),
    )
}  # fmt: skip
