"""How large is the history of a finished crawl, and what does writing and reading it take?

    python -m bench.history [--pages 100000]

A job file is filled as a crawl fills it, with URLs as real shops have them: words of a large vocabulary, numbers,
queries; one page in a hundred fails. Printed: bytes a page, of the file without what is kept of failures besides,
seconds to write and to read it, and the memory that both took at most.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import Process
from pathlib import Path
from pydoc_data import topics

from crawler.frontier.store import START, Attempt, Finished, Offer
from crawler.model.request import Request
from crawler.model.url import fingerprint
from crawler.storage import history
from crawler.storage.codec import Codec
from crawler.storage.commit import Writer
from crawler.storage.finished import keep
from crawler.storage.group import Rows
from crawler.storage.jobfile import JobFile

LINKS = 20
"""Of each listing page."""

_words = sorted(set(re.findall(r"[a-z]{3,12}", " ".join(topics.topics.values()).lower())))


def urls(count: int, chance: random.Random) -> Iterator[str]:
    """Yield URLs of pages and listings of 20 shops."""
    for number in range(count):
        host = f"https://www.shop{number // LINKS % 20}.example"
        section = "/".join(chance.sample(_words[:400], 2))
        slug = "-".join(chance.sample(_words, chance.randint(3, 6)))
        kind = chance.random()
        if kind < 0.7:
            yield f"{host}/{section}/{slug}-{chance.randrange(10**7)}.html"
        elif kind < 0.9:
            yield f"{host}/p/{slug}?id={chance.randrange(10**6)}&ref={chance.choice(_words)}"
        else:
            yield f"{host}/c/{section}?page={number}"


def fill(path: Path, pages: int) -> None:
    """Make the job of a finished crawl."""
    file = JobFile(path, Codec())
    file.open({"spider": "shop"})
    writer, rows, chance = Writer(file), Rows(Codec()), random.Random(1)
    addresses = list(urls(pages, chance))
    token = 0

    def offer(url: str) -> Offer:
        host = url.split("/")[2]
        return Offer(Request(url), fingerprint(Request(url)), host, f"https://{host}", True, "")

    first = [offer(url) for url in addresses[:LINKS]]
    writer.write(rows.group([Finished(START, children=first, start_count=LINKS, start_ended=True)], [], {}))
    at = LINKS
    began = 1.7e9
    for token in range(1, pages + 1):
        url, began = addresses[token - 1], began + chance.random() / 5
        if token % 100 == 0:
            attempts = [Attempt(began, url, "503", "")] * 3
            ended = Finished(token, "failed", "HttpError: 503", attempts=attempts)
        else:
            links = addresses[at : at + LINKS] if token % LINKS == 1 else []
            at += len(links)
            children = [offer(link)._replace(found_on=url) for link in links]
            ended = Finished(token, children=children, attempts=[Attempt(began, url, "200", "")])
        writer.write(rows.group([ended], [], {}))
    file.close({"state": "finished", "reason": "finished"})


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100_000)
    pages = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs" / "shop.sqlite"
        path.parent.mkdir()
        filling = Process(target=fill, args=(path, pages))  # whose memory is not to be counted
        filling.start()
        filling.join()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        written = keep(path, {"spider": "shop"}, [])
        took = time.perf_counter() - began
        run = history.read_run(written)
        began = time.perf_counter()
        count = sum(1 for _ in history.pages(run))
        read = time.perf_counter() - began
        failures = sum(len(data) for data in history.sections(run, history.FAILED))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        length = sum(len(page.url) for page in history.pages(run)) / count
        size, job_size = written.stat().st_size / count, path.stat().st_size / count
        print(f"{count:,} pages, URLs of {length:.0f} bytes; the job's file has {job_size:.0f} B a page")
        print(f"history: {size:.1f} B a page, with {run.failed:,} failures ({failures:,} B before compression)")
        print(f"written in {took:.2f} s, read in {read:.2f} s, {grown // 1024} MB more memory")


if __name__ == "__main__":
    main()
