"""What is a crawl given?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock
from crawler.engine.deciding.start_pages import Marks
from crawler.engine.keeping.facts import FactSource
from crawler.engine.user_code.tasks import Drive
from crawler.events import Events
from crawler.feeds.seam import Feed
from crawler.frontier.store import Store
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.outcome import Rules
from crawler.policy.scope import RequestFilter
from crawler.stats import Stats
from crawler.threads import Pools

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


@dataclass(slots=True, kw_only=True)
class Parts:
    """All that a crawl is given.

    ``fetch`` sends one exchange through the middlewares; ``random`` is uniform in [0, 1).
    ``from_thread`` calls a function in the reactor's thread; None where no reactor runs.
    ``lookup`` gives the cache's fresh answer to a request, None without a cache.
    """

    spider: Any
    core: CoreSettings
    job: str | None
    store: Store
    feeds: Sequence[Feed]
    stages: Sequence[Any]
    events: Events
    clock: Clock
    drive: Drive
    pools: Pools
    from_thread: Callable[..., Any] | None
    fetch: Callable[[Request], Deferred[Response]]
    lookup: Callable[[Request], Deferred[Response | None]] | None
    rules: Rules
    filters: Sequence[RequestFilter]
    redirect_filters: Sequence[RequestFilter]
    fingerprint: Callable[[Request], int]
    slot_key: Callable[[Request], str]
    random: Callable[[], float]
    robots_agent: str
    stats: Stats
    start_marks: Marks
    memory: dict[tuple[str, str], dict[Any, Any]]
    memory_changes: list[Any] = field(default_factory=list)
    facts: Sequence[FactSource] = field(default_factory=list)
