"""What is shown of a crawl?

Plain values: page, metrics, terminal and console show these and nothing else, and written as JSON they are what the
status page's server answers. A ``Source`` (board/source.py) has them.

Texts that came from the network or from users' code (URLs, messages, items) are masked as the log masks them, and are
otherwise as they came: whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field


class Job(Struct, kw_only=True, frozen=True):
    """What is crawled, and how far it is.

    ``name`` is None without a job store. ``state``: "opening", "running", "paused", "stopping", "closing", "stopped"
    (it can be resumed), "finished", or "killed" (nobody works on it, and it has not been closed). ``reason`` says why
    it ends or has ended, "" until then; ``started`` is in wall-clock seconds since the epoch, of this run; ``cluster``
    is the address of the server that has the job, without its password.
    """

    spider: str
    state: str
    name: str | None = None
    resumed: bool = False
    reason: str = ""
    started: float = 0.0
    pid: int = 0
    machine: str = ""
    cluster: str | None = None


class Totals(Struct, kw_only=True, frozen=True):
    """What there has been in all runs of the job, and what is there now (``queued``, ``in_flight``, ``hosts``).

    ``pages`` are as in the summary; ``requests`` are attempts; ``bytes`` are of decoded bodies; ``errors`` are
    errors of the user's code and requests that failed, ``failed`` these alone; ``dropped`` are requests.
    """

    pages: int = 0
    items: int = 0
    bytes: int = 0
    requests: int = 0
    errors: int = 0
    failed: int = 0
    dropped: int = 0
    retries: int = 0
    queued: int = 0
    in_flight: int = 0
    hosts: int = 0


class Rates(Struct, kw_only=True, frozen=True):
    """How many a second, over the last ten seconds."""

    pages: float = 0.0
    items: float = 0.0
    bytes: float = 0.0


class Latency(Struct, kw_only=True, frozen=True):
    """In seconds, from the sending of a request to the last byte: half, 90 and 99 of 100 took no longer."""

    p50: float
    p90: float
    p99: float


class Now(Struct, kw_only=True, frozen=True):
    """The crawl at one moment. ``latency`` is that of the last minute, None if nothing was answered in it.

    ``time``: wall-clock seconds since the epoch; ``seconds`` since this run began; ``memory``: bytes that the process
    has in memory; ``lag``: seconds for which the reactor's loop was late; ``control``: whoever reads this may steer.
    """

    time: float
    job: Job
    totals: Totals
    seconds: float = 0.0
    rates: Rates = Rates()
    latency: Latency | None = None
    memory: int = 0
    lag: float = 0.0
    control: bool = False


class Point(Struct, kw_only=True, frozen=True):
    """One step of the series: what Series has as columns."""

    time: float
    pages: float = 0.0
    items: float = 0.0
    bytes: float = 0.0
    queued: int = 0
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    lag: float = 0.0
    memory: int = 0


class Series(Struct, kw_only=True, frozen=True):
    """How the crawl went: at most 600 steps of ``step`` seconds each, as columns of one length.

    ``time`` is when a step began (wall clock); the last one is still filling, and comes again with the same time until
    it is full. ``pages``, ``items`` and ``bytes`` are a second; ``lag`` is the longest of the step, ``queued`` and
    ``memory`` are the last of it; percentiles in seconds, None where nothing was answered. Once there are 600 steps,
    each two become one, and ``step`` doubles.
    """

    step: float = 1.0
    time: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    items: list[float] = field(default_factory=list)
    bytes: list[float] = field(default_factory=list)
    queued: list[int] = field(default_factory=list)
    p50: list[float | None] = field(default_factory=list)
    p90: list[float | None] = field(default_factory=list)
    p99: list[float | None] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


class Latencies(Struct, kw_only=True, frozen=True):
    """How long answers took in this run, as a histogram: ``counts[i]`` of them up to ``bounds[i]`` seconds and more
    than the bound before; one count more than bounds, for what took longer than all. ``sum``: of all, in seconds."""

    bounds: Sequence[float]
    counts: Sequence[int]
    sum: float = 0.0


class HostRow(Struct, kw_only=True, frozen=True):
    """A host. ``why`` nothing is sent to it just now ("": something may be), and for how many ``seconds`` more.

    ``why`` is "nothing queued", "paused", "Retry-After", "robots.txt" (it is awaited), "delay", "Crawl-delay",
    "concurrency", "slots" (of all hosts together), "retry" (all that is queued waits until then), "store" (requests
    are being loaded), or "another worker". ``seconds`` is None where that is not known by time. ``throttle`` says how
    a host is slowed down ("1 at once, 2.0 s apart: status 503"), "" if it is not; ``robots``: "open", "asked",
    "unknown", "refused" (it cannot be had), "" if robots.txt is not obeyed.
    """

    name: str
    queued: int = 0
    in_flight: int = 0
    delay: float = 0.0
    concurrency: int = 0
    why: str = ""
    seconds: float | None = None
    throttle: str = ""
    robots: str = ""
    pages: int = 0
    errors: int = 0
    paused: bool = False


class HostPage(Struct, kw_only=True, frozen=True):
    """A page of the hosts: ``total`` rows fit the filter, on ``pages`` pages, of which this is ``page`` (from 1)."""

    total: int
    page: int
    pages: int
    rows: Sequence[HostRow]


class ErrorKind(Struct, kw_only=True, frozen=True):
    """One kind of error: a class with its callback or stage, or a status.

    ``url``: an example; ``where``: the user's line, ``file:line in function: source``, or ""; ``message`` and ``last``
    (wall clock) are those of the last one.
    """

    kind: str
    count: int
    url: str = ""
    where: str = ""
    message: str = ""
    last: float = 0.0


class Item(Struct, kw_only=True, frozen=True):
    """One of the last items: when it left the last stage, of which page, and its beginning as JSON."""

    time: float
    url: str
    text: str


class Slow(Struct, kw_only=True, frozen=True):
    """Code that held the reactor: ``what`` (a callback, a stage, …), ``where`` (file:line), for how many ``seconds`` at
    the longest, and how often."""

    what: str
    where: str
    seconds: float
    count: int


class Setting(Struct, kw_only=True, frozen=True):
    """A setting that is not as by default, or that may be set while the crawl runs (``live``); ``who`` set it then.

    ``value`` is as text, passwords masked; ``origin`` as `crawler settings` says it.
    """

    name: str
    value: str
    origin: str
    live: bool = False
    who: str = ""


class FeedRow(Struct, kw_only=True, frozen=True):
    """A feed, and how many items it has so far."""

    path: str
    items: int


class Worker(Struct, kw_only=True, frozen=True):
    """A process that works on the job; ``seen``: seconds since it was heard of, ``rate``: pages a second."""

    name: str
    machine: str = ""
    pages: int = 0
    items: int = 0
    rate: float = 0.0
    hosts: int = 0
    seen: float = 0.0
    state: str = ""


class Run(Struct, kw_only=True, frozen=True):
    """A run of a spider, this one or an earlier one; ``state`` as in Job. Times are wall-clock seconds."""

    job: str
    spider: str
    state: str
    reason: str = ""
    started: float = 0.0
    seconds: float = 0.0
    pages: int = 0
    items: int = 0
    errors: int = 0


class Changes(Struct, kw_only=True, frozen=True):
    """What has changed since a number; ``number`` is what to ask with the next time.

    ``hosts`` are at most 200 (ROWS_PER_PAGE), those that changed last. ``parts`` names what else is to be read anew:
    "errors", "items", "slow", "settings", "feeds", "workers", "series" (each step became longer), "steered" (somebody
    steered the crawl, and any host may have changed).
    """

    number: int
    hosts: Sequence[HostRow] = ()
    parts: Sequence[str] = ()
