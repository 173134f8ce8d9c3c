"""How is a callback tried on the page that its docstring names, and how is that reported?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from inspect import getmembers
from typing import TYPE_CHECKING, Any, NamedTuple

from crawler.commands.showing import say
from crawler.config.nearest import did_you_mean
from crawler.contracts import Contract, contracts_of, lines_of, request_of
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.frames import defined_at, describe, frames_of
from crawler.results import every
from crawler.spider import Spider

if TYPE_CHECKING:
    from twisted.python.failure import Failure

Known = Mapping[str, type[Contract]]


class Result(NamedTuple):
    """How one contract came out: "ok", "FAIL", "ERROR" or "skipped"; ``said`` are lines that say more."""

    word: str
    title: str
    said: list[str]


class Results:
    """Prints each result in a line, and all that is wrong behind them, as unittest does."""

    def __init__(self) -> None:
        self._results: list[Result] = []

    def add(self, word: str, title: str, *said: str) -> None:
        """Take one."""
        self._results.append(Result(word, title, list(said)))
        say(f"{title} ... {word}")

    def report(self, seconds: float) -> bool:
        """Print what is wrong and how many there were; return whether all is well."""
        counts = dict.fromkeys(("FAIL", "ERROR", "skipped", "ok"), 0)
        for word, title, said in self._results:
            counts[word] += 1
            if word in ("FAIL", "ERROR"):
                say("\n".join(["", "=" * 70, f"{word}: {title}", *said]))
        number = len(self._results) - counts["skipped"]
        say(f"\n{'-' * 70}\nRan {number} contract{'' if number == 1 else 's'} in {seconds:.3f}s\n")
        words = {"FAIL": "failures", "ERROR": "errors", "skipped": "skipped"}
        details = ", ".join(f"{name}={counts[word]}" for word, name in words.items() if counts[word])
        well = not (counts["FAIL"] or counts["ERROR"])
        say(("OK" if well else "FAILED") + (f" ({details})" if details else ""))
        return well


class Check:
    """One callback on one page. ``request`` is None if its docstring names no page, or is wrong."""

    def __init__(self, spider: Spider, name: str, known: Known, results: Results) -> None:
        self._method: Callable[..., Any] = getattr(spider, name)
        self._title = f"{spider.name}.{name}"
        self._results = results
        self.done = False
        self.request: Request | None = None
        self._contracts: list[Contract] = []
        try:
            self._contracts = contracts_of(self._method, known)
            arguments = {"callback": self._called, "errback": self._failed, "dont_filter": True}
            self.request = request_of(self._contracts, **arguments)
        except Exception as error:  # also of a contract of the user's own
            self._report(error, "contract")
            return
        if self.request is None:
            self.end("skipped", "no @url")

    def end(self, word: str, what: str, *said: str) -> None:
        """This is over."""
        self.done = True
        self._results.add(word, f"{self._title} ({what})", *(defined_at(self._method) if said else ()), *said)

    async def _called(self, response: Response, **cb_kwargs: Any) -> None:
        """Stand for the callback; what it gives goes nowhere."""
        for contract in self._contracts:
            if overrides(contract, "pre_process"):
                self._hook(contract, contract.pre_process, response)
        try:
            output = [result async for result in every(self._method(response, **cb_kwargs))]
        except Exception as error:
            self._report(error, f"callback, {response.url}")
            return
        for contract in self._contracts:
            if overrides(contract, "post_process"):
                self._hook(contract, contract.post_process, output)
        if not self.done:
            self.end("ok", f"callback, {response.url}")

    def _failed(self, failure: Failure) -> None:
        assert self.request is not None
        assert failure.value is not None
        self.end("ERROR", self.request.url, f"no response: {describe(failure.value)}")

    def _hook(self, contract: Contract, hook: Callable[[Any], None], value: Any) -> None:
        try:
            hook(value)
        except AssertionError as error:
            self.end("FAIL", repr(contract), str(error) or describe(error))
        except Exception as error:
            self._report(error, repr(contract))
        else:
            self.end("ok", repr(contract))

    def _report(self, error: Exception, what: str) -> None:
        self.end("ERROR", what, describe(error), *frames_of(error, ours=False))


def overrides(contract: Contract, hook: str) -> bool:
    """Tell whether a contract has this hook."""
    return getattr(type(contract), hook) is not getattr(Contract, hook)


def checked_methods(spider: type[Spider], known: Known) -> Iterator[str]:
    """Yield the names of the methods whose docstrings have contracts, or what is nearly one."""
    for name, method in getmembers(spider, callable):
        if any(word in known or did_you_mean(word, known) for word, _ in lines_of(method)):
            yield name
