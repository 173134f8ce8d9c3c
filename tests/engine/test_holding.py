"""What does a worker tell of the hosts that it holds, and gives up?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock

from crawler.engine.ending import Ending
from crawler.engine.life import Capacity, Life, Phase
from crawler.engine.sending.holding import Holding
from crawler.events import Events
from crawler.frontier.host import HostLimits, LimitsByHost
from crawler.frontier.shared import SharedFrontier
from crawler.frontier.store import Grant
from tests.frontier.web import make_entry


def test_a_host_that_was_asked_just_before_it_is_given_up_is_told_with_the_rest_of_its_delay() -> None:
    limits = LimitsByHost(HostLimits(1, 4.0, None))
    frontier = SharedFrontier(window=4, limits=limits, random=lambda: 0.0, robots=False)
    store: Any = SimpleNamespace(listen=lambda listener: None, look=lambda: None, may_send=lambda: True)
    facts = SimpleNamespace(changed=dict, restore=lambda facts: None)
    committer: Any = SimpleNamespace(facts=facts, knows_rows=True, flush=lambda: None)
    throttle: Any = SimpleNamespace(states={})
    life = Life(Capacity(8, 8, 8))
    life.enter(Phase.RUNNING)
    clock: Any = Clock()
    unused: Any = None
    spider: Any = SimpleNamespace()
    holding = Holding(store, frontier, throttle, committer, unused, Ending(life, Events()), clock)
    holding.begin(spider, unused, Events())
    holding.granted([Grant("a", 1, 0.0, 1, (0, 1))], {})
    assert [told.wait for told in holding.report().told] == [0.0]
    frontier.refill("a", [(make_entry(1), 0.0)], 0.0)
    entry = frontier.take(0.0)
    assert entry is not None
    frontier.release(entry, 0.0)  # answered at once
    holding.asked("a", 0)
    clock.advance(1.0)
    report = holding.report()
    assert report.held == [("a", 0)]
    assert [(told.host, told.wait, told.delay) for told in report.told] == [("a", 3.0, 4.0)]
