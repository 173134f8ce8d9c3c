"""Are the items the same, whoever crawls: one process, four workers, or a worker on a server?"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cluster.runs import ROOT, WrongResult, crawl
from bench.nginx import Nginx
from crawler.storage.cluster.private import PrivateServer

DOCUMENTS = Path("/usr/share/doc/postgresql-doc-15/html")

FOUND_FIRST = ("found_on", "depth")
"""Fields of `site` that say who found a page first: that depends on the order in which answers come."""


@contextmanager
def sample() -> Iterator[str]:
    """Serve the sample sites; give the URL of the bookshop."""
    command = [sys.executable, "-m", "crawler.sample", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip().rstrip("/") + "/"
        finally:
            process.terminate()


def items(out: Path) -> Counter[str]:
    """Return how often each item is in a file."""
    found: Counter[str] = Counter()
    for line in out.read_text().splitlines():
        item = json.loads(line)
        found[json.dumps({name: item[name] for name in sorted(item) if name not in FOUND_FIRST})] += 1
    return found


def compare(spider: str, *options: str, settings: tuple[str, ...] = ()) -> Iterator[str]:
    """Crawl in three ways; yield a line. Raises WrongResult if the items differ."""
    settings = ("DOWNLOAD_DELAY=0", *settings)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        crawl(*options, out=folder / "one.jsonl", spider=spider, project=ROOT, settings=settings)
        crawl(*options, out=folder / "four.jsonl", workers=4, spider=spider, project=ROOT, settings=settings)
        with PrivateServer(folder / "server") as server:
            crawl(*options, out=folder / "on.jsonl", server=server, spider=spider, project=ROOT, settings=settings)
        wanted = items(folder / "one.jsonl")
        for name in "four.jsonl", "on.jsonl":
            found = items(folder / name)
            if found != wanted:
                first = [*(wanted - found), *(found - wanted)][:2]
                raise WrongResult(
                    f"{spider}, {name}: {(wanted - found).total()} missing, {(found - wanted).total()} more: {first}"
                )
    if not wanted:
        raise WrongResult(f"{spider} found nothing")
    yield f"{spider}: {wanted.total()} items, the same in one process, with --workers 4 and on a server"


def compare_all() -> Iterator[str]:
    """Compare the three example spiders and `site` on real documentation."""
    with sample() as url:
        yield from compare("books", "-a", f"url={url}")
        yield from compare("quotes", "-a", f"url={url}quotes/")
        yield from compare("site", "-a", f"url={url}")
    if not DOCUMENTS.exists():
        yield "postgresql-doc-15 is not installed (make system)"
        return
    with Nginx(DOCUMENTS.resolve()) as server:
        yield from compare("site", "-a", f"url={server.url}index.html")
