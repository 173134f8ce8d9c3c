"""Sends one notice to each of some places, in a process of its own: Twisted's TLS goes by the global reactor.

Reads JSON from stdin: {"settings": …, "places": […], "title": …, "lines": […]}; prints a list of "sent" or why not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from twisted.internet import asyncioreactor

asyncioreactor.install()

from twisted.internet import reactor as the_reactor  # noqa: E402
from twisted.internet.defer import Deferred, succeed  # noqa: E402
from twisted.internet.interfaces import IResolverSimple  # noqa: E402
from zope.interface import implementer  # noqa: E402

from crawler.config.settings import Settings  # noqa: E402
from crawler.notices.network import RealNetwork  # noqa: E402
from crawler.notices.notice import NotSent, notice  # noqa: E402
from crawler.notices.places import places_of  # noqa: E402
from crawler.notices.sending import send  # noqa: E402

reactor: Any = the_reactor


@implementer(IResolverSimple)
class Local:
    """Every name is this machine."""

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        return succeed("127.0.0.1")


async def main(asked: dict[str, Any]) -> None:
    core = Settings.load(None, None, {}, script=asked["settings"]).core
    said = notice("k", "errors", asked["title"], asked["lines"])
    outcomes = []
    for entry in asked["places"]:
        [to] = places_of([entry], core, {})
        network = RealNetwork(reactor, core)
        try:
            await send(to, said, network, wall=1.7e9, spider="shop", job=None)
            outcomes.append("sent")
        except NotSent as error:
            outcomes.append(str(error))
        await network.close()
    print(json.dumps(outcomes))


def run() -> None:
    reactor.installResolver(Local())
    Deferred.fromCoroutine(main(json.load(sys.stdin))).addErrback(lambda failure: failure.printTraceback()).addBoth(
        lambda _: reactor.stop()
    )


reactor.callWhenRunning(run)
reactor.run()
