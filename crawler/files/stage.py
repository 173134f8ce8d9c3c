"""How does an item get the files that it names?

The item waits in its stage; each file is fetched by the crawl itself, inline, so that its host's delay, limits and
robots.txt hold, and its body goes to the disk while it comes. An item is committed when its files are in the store: a
kill before that repeats its page, and finds those that are there. A file that cannot be had is named in its place.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple
from uuid import uuid4

from itemadapter import ItemAdapter
from twisted.internet.defer import Deferred, DeferredList

from crawler.errors import FetchError, HttpError, LocalFailure, RequestDropped, RequestError
from crawler.files.naming import BadName, checked_path, digest, offered_name, suffix_of, way_of_naming
from crawler.files.options import Options
from crawler.files.sharing import Batched, Shared
from crawler.files.stores import Kept, Store, Unusable, refused
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import fingerprint
from crawler.pipeline import Pipeline
from crawler.spider import Crawler
from crawler.threads import Pool

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

logger = logging.getLogger(__name__)

REMEMBERED = 2_000
"""Results of so many files are remembered, those that were asked for last; about others the store is asked."""

DAY = 86_400.0

Result = dict[str, Any]
"""What an item gets of a file: url, path, checksum, status; and, of one that failed, reason."""


class FetchingStage(Pipeline):
    """A stage that fetches what items name; ``word`` is what its counters are called by.

    ``threads``: so many files are checked, converted and kept at once.
    """

    threads = 4
    word = "file"
    options: Options
    store: Store

    def bind(self, crawler: Crawler) -> None:
        """Tie the stage to its crawl, and see that its store takes files. Raises SettingError."""
        super().bind(crawler)
        self.options = self.read_settings()
        self.allow_redirects = bool(self.settings.get("MEDIA_ALLOW_REDIRECTS"))
        self._name = way_of_naming(self.options.name, f"{self.options.prefix}_NAME")
        self.store = self.options.make_store(self.settings.core)
        self._left = self.store.check()
        self._results: Shared[Result] = Shared(REMEMBERED)
        self._without_field: set[type] = set()

    # What subclasses may change

    def read_settings(self) -> Options:
        """Return the options from the settings that the class declares."""
        raise NotImplementedError

    def requests(self, item: Any) -> list[Request] | None:
        """Return what is to be fetched for an item, one request a file; None: nothing, and it gets no results."""
        urls = ItemAdapter(item).get(self.options.urls_field)
        if urls is None:
            return None
        return [Request(str(url)) for url in ([urls] if isinstance(urls, str) else urls)]

    def file_path(self, request: Request, response: Response | None = None, *, item: Any = None) -> str:
        """Return where in the store the file belongs: first without the response, then with it.

        A path that ends in "/" is the folder that has this one file, whatever it is called.
        """
        if callable(self._name):
            return checked_path(self._name(request, item))
        if self._name == "hash":
            return f"full/{digest(request.url)}{self.suffix(request.url)}"
        name = "" if response is None else self.offered(response)
        return f"full/{digest(request.url)}/{name}"

    def suffix(self, url: str) -> str:
        """Return the extension of a file that is named by the hash of its URL."""
        return suffix_of(url)

    def offered(self, response: Response) -> str:
        """Return the name that a server gives a file."""
        return offered_name(response.headers.text("Content-Disposition"), response.url)

    def find(self, path: str) -> Kept | None:
        """Return what the store has, if all that belongs to it is there. In a thread."""
        return self.store.find(path)

    def save(self, body: Path, path: str) -> str:
        """Keep a body that came in, and take it away; return the MD5 of what is kept. In a thread.

        Raises Unusable for what is not what was asked for, OSError and LocalFailure.
        """
        return self.store.keep(body, path)

    # The way of an item

    async def open_spider(self) -> None:
        """Begin; what was kept since the job began is not fetched again by it, however soon it expires."""
        threads = max(self.threads, self.store.threads)
        self._threads: Pool = self.crawler.pools(type(self).__name__, threads)
        self._known: Batched[tuple[str, Path], tuple[str, str, str] | None] = Batched(
            self._threads, threads, self._look
        )
        run = self.memory_dict("run")
        self._begun: float = run.setdefault("begun", time.time())

    async def close_spider(self) -> None:
        """Disconnect, and end the threads."""
        await self._threads.run(self.store.close)
        await self._threads.stop()

    async def process_item(self, item: Any) -> Any:
        """Give the item its files."""
        requests = self.requests(item)
        if requests is None:
            return item
        waiting = [Deferred.fromCoroutine(self._shared(request, item)) for request in requests]
        outcomes: list[tuple[bool, Any]] = await DeferredList(waiting, consumeErrors=True)
        for good, outcome in outcomes:
            if not good:
                outcome.raiseException()
        self._hand_over(item, [dict(result) for _, result in outcomes])
        return item

    def _hand_over(self, item: Any, results: list[Result]) -> None:
        try:
            ItemAdapter(item)[self.options.result_field] = results
        except (KeyError, AttributeError, TypeError, ValueError):
            if type(item) not in self._without_field:
                self._without_field.add(type(item))
                logger.warning(
                    "Items of type %s have no field %s: their files are kept, but they do not say where",
                    type(item).__name__, self.options.result_field,
                )  # fmt: skip

    async def _shared(self, request: Request, item: Any) -> Result:
        if request.problem is not None:
            return self._failed(request, "invalid_url", request.problem)
        try:
            path = self.file_path(request, item=item)
        except BadName as error:
            return self._failed(request, "name", str(error))
        return await self._results.get((fingerprint(request), path), partial(self._obtain, request, path, item))

    async def _obtain(self, request: Request, path: str, item: Any) -> Result:
        whole = self.store.incoming / digest(f"{self.options.store} {path} {fingerprint(request)}")
        body = whole.with_name(uuid4().hex)
        try:
            if (known := await self._known.of((path, whole))) is not None:
                return self._done(request, *known)
            response = await self.crawler.fetch(self._wanted(request, body))
            self._check(response)
            path = self.file_path(request, response, item=item)
            if response.body_file == body:
                body.replace(whole)  # by this name another process finds it, if this one is killed before it is kept
            checksum = await self._threads.run(self._in_store, self._save, response, body, whole, path)
            return self._done(request, path, checksum, "downloaded")
        except LocalFailure:
            raise
        except RequestDropped as error:
            if error.reason == "shutdown":  # the page is left for a resume, and its items with it
                raise
            return self._failed(request, error.reason, str(error), of=body)
        except HttpError as error:
            return self._failed(request, f"http_{error.response.status}", self._said_by(error.response), of=body)
        except RequestError as error:
            said = f"{type(error).__name__}: {error}"
            return self._failed(request, type(error).__name__, said, of=body, told=isinstance(error, FetchError))
        except Unusable as error:
            return self._failed(request, error.kind, str(error), of=body)

    # In threads

    def _in_store(self, call: Callable[[*Ts], T], *arguments: *Ts) -> T:
        try:
            return call(*arguments)
        except OSError as error:
            raise refused(error, self.options.setting) from error

    def _look(self, path: str, whole: Path) -> tuple[str, str, str] | None:
        """Return path, MD5 and status of a file that need not be fetched: it is kept, or a kill has left it whole."""
        kept = self._in_store(self.find, path)
        if kept is not None and self._is_good(kept.modified):
            return kept.path, kept.checksum, "uptodate"
        if whole.name in self._left and not path.endswith("/"):
            with suppress(FileNotFoundError):  # another worker has it
                if self._is_good(whole.stat().st_mtime):
                    return path, self._in_store(self._keep, whole, path), "downloaded"
        return None

    def _save(self, response: Response, body: Path, whole: Path, path: str) -> str:
        """Keep the body of a response; return its MD5."""
        if response.body_file != body:
            if response.body_file is None:
                body.write_bytes(response.body)
            else:  # a file: URL names the user's own
                shutil.copyfile(response.body_file, body)
            body.replace(whole)
        try:
            return self._keep(whole, path)
        except FileNotFoundError:
            kept = self.find(path)  # another worker, which was started meanwhile, has kept it
            if kept is None:
                raise
            return kept.checksum

    def _keep(self, whole: Path, path: str) -> str:
        try:
            if not whole.stat().st_size:
                raise Unusable("empty", "the body is empty")
            return self.save(whole, path)
        except Unusable:
            whole.unlink(missing_ok=True)
            raise

    def _is_good(self, modified: float) -> bool:
        return modified >= self._begun or time.time() - modified <= self.options.expires * DAY

    def _wanted(self, request: Request, body: Path) -> Request:
        # allow_offsite: a file may be redirected to where the spider does not go.
        meta = {**request.meta, "download_file": str(body), "allow_offsite": True}
        if not self.allow_redirects:
            meta["dont_redirect"] = True
        return request.replace(meta=meta)

    def _check(self, response: Response) -> None:
        if response.status != 200:
            raise Unusable(f"http_{response.status}", self._said_by(response))
        if "dataloss" in response.flags or "stopped" in response.flags:
            raise Unusable("cut_off", "the body was cut off")

    def _said_by(self, response: Response) -> str:
        location = response.headers.text("Location")
        if 300 <= response.status < 400 and location and not self.allow_redirects:
            return f"HTTP {response.status} to {masked(location):.200}; MEDIA_ALLOW_REDIRECTS = True follows it"
        return f"HTTP {response.status}"

    def _done(self, request: Request, path: str, checksum: str, status: str) -> Result:
        self._count(status)
        return {"url": request.url, "path": path, "checksum": checksum, "status": status}

    def _failed(
        self, request: Request, kind: str, reason: str, *, of: Path | None = None, told: bool = False
    ) -> Result:
        """Return what the item gets in the place of a file; ``of``: its body, ``told``: the log has it already."""
        if of is not None:
            of.unlink(missing_ok=True)
        self._count("failed")
        self.stats.inc_value(f"{self.word}_failed_count/{kind}")
        reason = masked(reason)
        logger.log(logging.DEBUG if told else logging.WARNING, "%s has no %s: %s", request, self.word, reason)
        return {"url": request.url, "path": None, "checksum": None, "status": "failed", "reason": reason}

    def _count(self, status: str) -> None:
        self.stats.inc_value(f"{self.word}_count")
        self.stats.inc_value(f"{self.word}_status_count/{status}")
