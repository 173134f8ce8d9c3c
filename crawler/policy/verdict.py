"""What becomes of a request once an attempt to fetch it has ended?

Four words, and no fifth: the engine acts on them, policy only says them. An attempt comes to a response, an error, or
what a middleware wants to be asked instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from crawler.model.request import Request
from crawler.model.response import Response


@dataclass(slots=True)  # one is made for every page, and a frozen one costs three times as much
class Deliver:
    """Hand the response to the callback."""

    response: Response


@dataclass(frozen=True, slots=True)
class Later:
    """Put ``request`` back into its host's queue, not before ``seconds`` from now.

    It is the same accepted request, perhaps with another URL: the host and the origin of a redirect, or of what
    a middleware asks "instead", are the target's. ``reason`` is for people and stats, as Scrapy words it: "503 Service
    Unavailable", "FetchTimeout", "302", "meta refresh". ``status`` is that of the response, which is then no page that
    counts; None: there was none.
    """

    request: Request
    seconds: float
    kind: Literal["retry", "redirect", "instead"]
    reason: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The request failed: its errback gets ``error``, which knows the request if it is a RequestError."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Drop:
    """The request is not wanted; ``reason`` is one of few words that stats count, ``detail`` is prose.

    ``cause`` is what a middleware raised to say so.
    """

    reason: str
    detail: str = ""
    cause: Exception | None = None


Verdict: TypeAlias = Deliver | Later | GiveUp | Drop


@dataclass(frozen=True, slots=True)
class Instead:
    """What a middleware may come to in place of a response: ``request`` is to be asked instead.

    ``of`` is what had come, which politeness learns from; None: nothing was asked.
    """

    request: Request
    of: Response | Exception | None = None
