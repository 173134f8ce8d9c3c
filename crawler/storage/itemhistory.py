"""What becomes of a job's items when it has finished: a part of its history, and the file of --changes?

What is gone can be told at the end alone, and so that file is written then, whole, before the job goes: whenever the
process is killed, it is there or will be written.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from crawler.errors import StoreError
from crawler.model.keyed import key_text
from crawler.storage.history import Kept, Page, Run, pages, read_run
from crawler.storage.historyfile import HistoryGone, some_of, translated
from crawler.storage.itemrecord import Head, items_of, read_changes, read_record
from crawler.storage.itemrows import Before, ItemRow, blocks, framed, pack_rows, rows_in, rows_of

logger = logging.getLogger("crawler")

KNOWN, DUPLICATE = "known", "duplicate"
GONE = ("404", "410")
"""A page that fails so is not there any more, and nor are its items; of another failure nothing follows for them."""

ROWS_A_FRAME = 500
_NULL = Raw(b"null")
_to_json = msgspec.json.Encoder().encode


class _Line(Struct):
    """A line of the file of changes."""

    change: str
    key: str
    item: Raw
    before: Raw


class _Earlier(NamedTuple):
    """The run before, and its pages that this run did not ask for, or had no answer of: the token here of each, and the
    URL there, where the one here is another."""

    run: Run
    carried: dict[int, int]
    urls: dict[int, str]


def leaves(run: Run) -> Iterator[int]:
    """Yield the fingerprints of the pages of a run that yielded no requests, or that it knew as such itself."""
    for page in pages(run):
        answered = page.outcome == "answered" and not page.requests and not page.reason
        if answered or (page.outcome == "dropped" and page.reason == KNOWN):
            yield from page.fingerprints


def with_items(job: Path, kept: Kept) -> Kept:
    """Return what the history of a job is made of, with its items; its file of changes is written on the way.

    ``job``: the job's file, or what would be it. The pages are gone through before the rest is asked for.
    """
    record = read_record(job)
    if record is None:
        return kept
    head, frames = record
    unjudged: dict[int, int] = {}
    watched = _watched(kept.pages, unjudged) if head.since else kept.pages
    return kept._replace(pages=watched, extra=_extra(kept.extra, job, head, frames, unjudged))


def _watched(all_pages: Iterable[Page], unjudged: dict[int, int]) -> Iterator[Page]:
    """Pass the pages on, and note those that tell nothing of their items: the place of each, by fingerprint."""
    for page in all_pages:
        if page.outcome != "answered" and _tells_nothing(page):
            unjudged |= dict.fromkeys(page.fingerprints, page.token << 64 | _hash(page.url))
        yield page


def _hash(url: str) -> int:
    return hash(url) & (2**64 - 1)


def _tells_nothing(page: Page) -> bool:
    """Tell whether a page was not asked for, or failed in a way that says nothing of its items."""
    if page.outcome == "failed":
        return page.status not in GONE
    return page.reason != DUPLICATE


def _extra(
    others: Iterable[tuple[bytes, bytes]], job: Path, head: Head, frames: Iterator[bytes], unjudged: dict[int, int]
) -> Iterator[tuple[bytes, bytes]]:
    yield from others
    earlier = None
    if head.since:
        earlier = _carried(_since(Path(head.since)), unjudged)
    if not head.lost:
        with translated(items_of(job)):
            yield from blocks(_all_frames(frames, earlier))
    if head.target:
        _write_changes(job, head, earlier)


def _since(path: Path) -> Run:
    try:
        return read_run(path)
    except HistoryGone as error:
        raise StoreError(f"the run that it was compared with, {path}, is not there any more") from error


def _carried(run: Run, unjudged: dict[int, int]) -> _Earlier:
    earlier = _Earlier(run, {}, {})
    for page in pages(run) if unjudged else ():
        for fingerprint in page.fingerprints:
            if (place := unjudged.get(fingerprint)) is not None:
                earlier.carried[page.token] = place >> 64
                if place & (2**64 - 1) != _hash(page.url):
                    earlier.urls[page.token] = page.url
    return earlier


def _all_frames(frames: Iterator[bytes], earlier: _Earlier | None) -> Iterator[bytes]:
    """Yield the job's own, and those of the items that the next run is to know although this one did not see them."""
    yield from map(framed, frames)
    if earlier is not None and earlier.carried:
        yield from map(pack_rows, some_of(_carried_rows(earlier), ROWS_A_FRAME))


def _carried_rows(earlier: _Earlier) -> Iterator[ItemRow]:
    for row in rows_of(earlier.run):
        if row.token in earlier.carried:
            url = earlier.urls.get(row.token)
            text = key_text(url, row.place) if url is not None and not row.text else row.text
            yield row._replace(token=earlier.carried[row.token], text=text)


def _write_changes(job: Path, head: Head, earlier: _Earlier | None) -> None:
    """Write the file of changes, in place of what has its name. Raises StoreError."""
    target = Path(head.target)
    if head.lost:
        raise StoreError(f"{target} cannot be written, for a part of what was kept of the job's items is lost")
    aside = target.with_name(target.name + ".new")
    try:
        with aside.open("wb") as file:
            counts = _put_changes(job, file.write, earlier)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(target)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise StoreError(f"cannot write {target}: {error.strerror}") from error
    logger.info("%s: %s", target, counts)


def _put_changes(job: Path, write: Callable[[bytes], Any], earlier: _Earlier | None) -> str:
    """Write new items, then those that changed or are gone; return how many these are, in words."""
    before = Before(rows_of(earlier.run) if earlier is not None else ())
    record = read_record(job)
    for frame in record[1] if record is not None else ():
        for row in rows_in(frame):
            before.meet(row)
    changed: dict[int, tuple[str, bytes]] = {}
    for change, number, key, item in read_changes(job):
        if change == "changed" and before.whole:
            changed[number] = key, item
        else:
            write(_line(change, key, item, b""))
    gone: list[ItemRow] = []
    unseen = 0
    if earlier is not None:
        for row, number, met in before.numbered(rows_of(earlier.run)):
            if number in changed:
                key, item = changed.pop(number)
                write(_line("changed", key, item, row.item))
            elif not met and row.token in earlier.carried:
                unseen += 1
            elif not met:
                gone.append(row)
        for row, key in _with_keys(earlier.run, gone):
            write(_line("gone", key, b"", row.item))
    said = f"{before.new:,} new, {before.changed:,} changed, {len(gone):,} gone, {before.same:,} the same"
    return said + (f", {unseen:,} of pages that were not asked for or did not answer" if unseen else "")


def _with_keys(run: Run, rows: list[ItemRow]) -> Iterator[tuple[ItemRow, str]]:
    """Yield rows of a run with their keys."""
    wanted = {row.token for row in rows if not row.text}
    urls = {page.token: page.url for page in pages(run) if page.token in wanted} if wanted else {}
    return ((row, row.text or key_text(urls.get(row.token, ""), row.place)) for row in rows)


def _line(change: str, key: str, item: bytes, before: bytes) -> bytes:
    return _to_json(_Line(change, key, Raw(item) if item else _NULL, Raw(before) if before else _NULL)) + b"\n"
