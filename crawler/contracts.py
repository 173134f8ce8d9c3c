"""What does the docstring of a callback promise, and is it kept?

A line ``@name argument …`` is a contract. Some say which page the callback is tried on, others what it has to give. The
names and meanings are those of Scrapy's contracts (docs.scrapy.org, "Spiders Contracts").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from itemadapter import ItemAdapter

from crawler.config.nearest import did_you_mean
from crawler.errors import UsageError
from crawler.model.request import Request
from crawler.model.response import Response

_LINE = re.compile(r"^[ \t]*@(\w+)[ \t]*(.*?)[ \t]*$", re.MULTILINE)


class ContractFail(AssertionError):
    """The callback did not do what its docstring promises: raised by the hooks of a contract."""


class Contract:
    """One line of a docstring; a class of one's own has a ``name`` and one or more of the three methods.

    ``args`` are the words behind the name, ``method`` is the callback. ``request_cls`` is the class of the request, if
    it is not to be Request. The constructor raises ValueError for words that mean nothing.
    """

    name: ClassVar[str]
    request_cls: ClassVar[type[Request] | None] = None

    def __init__(self, method: Callable[..., Any], *args: str) -> None:
        self.method = method
        self.args = args

    def __repr__(self) -> str:
        return " ".join([f"@{self.name}", *self.args])

    def adjust_request_args(self, args: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the request, changed."""
        return args

    def pre_process(self, response: Response) -> None:
        """Look at the response, before the callback is called with it. Raises ContractFail."""

    def post_process(self, output: list[Any]) -> None:
        """Look at all that the callback gave, requests and items. Raises ContractFail."""


class _OneWord(Contract):
    """An argument of the request that is one word."""

    def adjust_request_args(self, args: dict[str, Any]) -> dict[str, Any]:
        if len(self.args) != 1:
            raise ValueError(f"expected @{self.name} with one word behind it")
        return {**args, self.name: self.args[0]}


class _Json(Contract):
    """An argument of the request that is a JSON object."""

    def adjust_request_args(self, args: dict[str, Any]) -> dict[str, Any]:
        try:
            value = json.loads(" ".join(self.args))
        except ValueError as error:
            raise ValueError(f"expected @{self.name} with a JSON object behind it: {error}") from None
        return {**args, self.name: value}


class _Pair(Contract):
    """One of the headers, or of the cookies: a name, and the rest of the line."""

    argument: ClassVar[str]

    def adjust_request_args(self, args: dict[str, Any]) -> dict[str, Any]:
        if not self.args:
            raise ValueError(f"expected @{self.name} NAME VALUE")
        return {**args, self.argument: {**args.get(self.argument, {}), self.args[0]: " ".join(self.args[1:])}}


class Url(_OneWord):
    """``@url URL``: the page that the callback is tried on; without it none of the others is looked at."""

    name = "url"


class Method(_OneWord):
    """``@method POST``: the method of the request."""

    name = "method"


class CallbackArguments(_Json):
    """``@cb_kwargs {"name": value}``: what the callback is given beside the response."""

    name = "cb_kwargs"


class Meta(_Json):
    """``@meta {"name": value}``: the meta of the request."""

    name = "meta"


class Body(Contract):
    """``@body TEXT``: the body of the request."""

    name = "body"

    def adjust_request_args(self, args: dict[str, Any]) -> dict[str, Any]:
        return {**args, "body": " ".join(self.args)}


class Header(_Pair):
    """``@header NAME VALUE``: one of the request's headers."""

    name, argument = "header", "headers"


class Cookie(_Pair):
    """``@cookie NAME VALUE``: one of the request's cookies."""

    name, argument = "cookie", "cookies"


class Returns(Contract):
    """``@returns items|requests [LEAST [MOST]]``: how many the callback gives; one or more if it does not say."""

    name = "returns"

    def __init__(self, method: Callable[..., Any], *args: str) -> None:
        super().__init__(method, *args)
        kind, *bounds = args or ("",)
        if kind not in ("item", "items", "request", "requests") or len(bounds) > 2 or not all(map(str.isdigit, bounds)):
            raise ValueError("expected @returns items or @returns requests, then the least and the greatest number")
        self._kind = kind
        self._least = int(bounds[0]) if bounds else 1
        self._most = int(bounds[1]) if len(bounds) == 2 else None

    def post_process(self, output: list[Any]) -> None:
        requests = sum(isinstance(each, Request) for each in output)
        count = requests if self._kind.startswith("request") else sum(map(ItemAdapter.is_item, output))
        if count < self._least or (self._most is not None and count > self._most):
            upper = "or more" if self._most is None else f"to {self._most}"
            expected = self._least if self._least == self._most else f"{self._least} {upper}"
            raise ContractFail(f"returned {count} {self._kind}, expected {expected}")


class Scrapes(Contract):
    """``@scrapes FIELD …``: the fields that every item has."""

    name = "scrapes"

    def post_process(self, output: list[Any]) -> None:
        for item in filter(ItemAdapter.is_item, output):
            missing = [name for name in self.args if name not in ItemAdapter(item)]
            if missing:
                raise ContractFail(f"missing fields: {', '.join(missing)}")


BUILT_IN: tuple[type[Contract], ...] = (
    *(Url, CallbackArguments, Meta, Method, Body, Header, Cookie),
    *(Returns, Scrapes),
)


def by_name(own: Iterable[type[Contract]]) -> dict[str, type[Contract]]:
    """Return the built-in contracts and one's own. Raises UsageError for a class that is none."""
    for kind in own:
        if not (isinstance(kind, type) and issubclass(kind, Contract) and isinstance(getattr(kind, "name", None), str)):
            raise UsageError(f"SPIDER_CONTRACTS: expected a class derived from Contract with a name, got {kind!r}")
    return {kind.name: kind for kind in (*BUILT_IN, *own)}


def lines_of(method: Any) -> list[tuple[str, str]]:
    """Return the lines of a docstring that may be contracts: the name and what stands behind it."""
    return _LINE.findall(getattr(method, "__doc__", None) or "")


def contracts_of(method: Callable[..., Any], known: Mapping[str, type[Contract]]) -> list[Contract]:
    """Return the contracts of a callback in order. Raises ValueError for a line that is none."""
    contracts = []
    for name, words in lines_of(method):
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise ValueError(f"there is no contract @{name}{hint}")
        contracts.append(known[name](method, *words.split()))
    return contracts


def request_of(contracts: Iterable[Contract], **arguments: Any) -> Request | None:
    """Return the request that contracts describe, with these arguments to begin with; None if they name no URL.

    Raises ValueError and what a contract of one's own raises.
    """
    kind: type[Request] = Request
    for contract in contracts:
        arguments = contract.adjust_request_args(arguments)
        kind = contract.request_cls or kind
    return kind(**arguments) if "url" in arguments else None
