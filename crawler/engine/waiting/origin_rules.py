"""What is known of an origin's robots.txt, and what does it mean for those who wait that there is none?"""

from __future__ import annotations

import copy
from typing import NamedTuple

from crawler.errors import FetchError, RequestError, RobotsUnreachable
from crawler.frontier.host import Entry
from crawler.model.request import Request
from crawler.policy.robots import RobotsRules


class Known(NamedTuple):
    """What is known of one origin until ``until`` (monotonic seconds): its rules, or why there are none.

    ``stale``: until when the rules hold if robots.txt cannot be had again; ``renewed``: that was so.
    """

    rules: RobotsRules | None
    error: RobotsUnreachable | None
    until: float
    stale: float
    renewed: bool = False

    @property
    def size(self) -> int:
        """Return roughly how many bytes its rules take."""
        return 0 if self.rules is None else self.rules.size


class Refused(NamedTuple):
    """The origin cannot be asked: its waiting entries fail with this error."""

    entries: list[Entry]
    error: RobotsUnreachable


def fresh_error(error: RequestError, request: Request) -> RequestError:
    """Return an error of its own for one of the requests that fail for the same reason.

    Where there was no connection, it is of the class that the request itself would have failed with.
    """
    cause = error.__cause__
    own: RequestError
    if isinstance(cause, FetchError):
        own = copy.copy(cause)
        own.args, own.request, own.sent = error.args, request, False
    else:
        own = type(error)(str(error), request=request)
    own.__cause__ = cause
    return own
