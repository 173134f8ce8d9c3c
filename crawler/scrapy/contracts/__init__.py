"""What may a contract in a callback's docstring be? (docs.scrapy.org, "Spiders Contracts")

`crawler check` tries them; ContractsManager makes requests of them, as Scrapy's own check does.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any
from unittest import TestCase, TestResult

from crawler import contracts as native
from crawler.scrapy.http import Request
from crawler.scrapy.utils.asyncgen import as_async_generator
from crawler.scrapy.utils.misc import arg_to_iter
from crawler.scrapy.utils.python import get_spec


class Contract(native.Contract):
    """One line of a docstring; a class of one's own has a ``name`` and one or more of the three methods."""

    def __init__(self, method: Callable[..., Any], *args: Any) -> None:
        super().__init__(method, *args)
        self.testcase_pre = _case(method, f"@{self.name} pre-hook")
        self.testcase_post = _case(method, f"@{self.name} post-hook")

    def add_pre_hook(self, request: Any, results: TestResult) -> Any:
        """Have ``pre_process`` look at the response before the request's callback is called."""
        if type(self).pre_process is not native.Contract.pre_process:
            hook = partial(_run, self.pre_process, self.testcase_pre, results)
            request.callback = _around(request.callback, before=hook)
        return request

    def add_post_hook(self, request: Any, results: TestResult) -> Any:
        """Have ``post_process`` look at what the request's callback gave."""
        if type(self).post_process is not native.Contract.post_process:
            hook = partial(_run, self.post_process, self.testcase_post, results)
            request.callback = _around(request.callback, after=hook)
        return request


class ContractsManager:
    """Makes of callbacks the requests that try them; what comes of it is told to a unittest.TestResult."""

    def __init__(self, contracts: Iterable[type[Contract]]) -> None:
        self.contracts = {contract.name: contract for contract in contracts}

    def tested_methods_from_spidercls(self, spidercls: type) -> list[str]:
        """Return the names of the methods whose docstrings have contracts."""
        return [name for name, method in inspect.getmembers(spidercls, callable) if native.lines_of(method)]

    def extract_contracts(self, method: Callable[..., Any]) -> list[Any]:
        """Return the contracts of a method. Raises ValueError for a line that is none."""
        return native.contracts_of(method, self.contracts)

    def from_spider(self, spider: Any, results: TestResult) -> list[Any]:
        """Return a request, or None, for each method that has contracts."""
        requests = []
        for name in self.tested_methods_from_spidercls(type(spider)):
            method = getattr(spider, name)
            try:
                requests.append(self.from_method(method, results))
            except Exception:
                results.addError(_case(method, "contract"), _error())
        return requests

    def from_method(self, method: Callable[..., Any], results: TestResult) -> Any:
        """Return the request that tries a method; None, if its contracts leave an argument of it open."""
        contracts = self.extract_contracts(method)
        kind: Any = next((each.request_cls for each in reversed(contracts) if each.request_cls), Request)
        needed, arguments = get_spec(kind.__init__)
        arguments.update(dont_filter=True, callback=method)
        for contract in contracts:
            arguments = contract.adjust_request_args(arguments)
        if not contracts or not {*needed} - {"self"} <= arguments.keys():
            return None
        request = kind(**arguments)
        for contract in reversed(contracts):
            request = contract.add_pre_hook(request, results)
        for contract in contracts:
            request = contract.add_post_hook(request, results)
        request.callback = _around(request.callback, failed=lambda: results.addError(callback_case, _error()))
        callback_case, case = _case(method, "callback"), _case(method, "errback")
        request.errback = lambda failure: results.addError(
            case, (failure.type, failure.value, failure.getTracebackObject())
        )
        return request


def _around(
    callback: Any,
    *,
    before: Callable[[Any], None] = lambda _: None,
    after: Callable[[Any], None] = lambda _: None,
    failed: Callable[[], None] | None = None,
) -> Callable[..., Any]:
    """Return a callback that gives a list, and does more; async if the one within it is."""

    @wraps(callback)
    async def awaited(response: Any, **cb_kwargs: Any) -> list[Any]:
        before(response)
        try:
            output = callback(response, **cb_kwargs)
            if inspect.iscoroutine(output):
                output = await output
            given = output if inspect.isasyncgen(output) else arg_to_iter(output)
            gathered = [each async for each in as_async_generator(given)]
        except Exception:
            if failed is None:
                raise
            failed()
            return []
        after(gathered)
        return gathered

    @wraps(callback)
    def called(response: Any, **cb_kwargs: Any) -> list[Any]:
        waiting = awaited(response, **cb_kwargs)
        try:
            waiting.send(None)  # nothing is waited for: it ends at once
        except StopIteration as ended:
            gathered: list[Any] = ended.value
            return gathered
        waiting.close()
        raise TypeError("a callback that waits is written as async def")

    return awaited if inspect.iscoroutinefunction(callback) or inspect.isasyncgenfunction(callback) else called


def _run(hook: Callable[[Any], None], case: TestCase, results: TestResult, value: Any) -> None:
    results.startTest(case)
    try:
        hook(value)
    except AssertionError:
        results.addFailure(case, _error())
    except Exception:
        results.addError(case, _error())
    else:
        results.addSuccess(case)
    results.stopTest(case)


def _error() -> Any:
    return sys.exc_info()


def _case(method: Any, what: str) -> TestCase:
    class Case(TestCase):
        def __str__(self) -> str:
            return f"[{method.__self__.name}] {method.__name__} ({what})"

        def runTest(self) -> None:  # noqa: N802 - unittest's name
            """Stand for what was tried already."""

    return Case()
