"""What in a page matches the expressions that were typed?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

import click
import jmespath
import msgspec

from crawler.commands.options import Decorated, add_options
from crawler.commands.showing import say, say_json
from crawler.errors import UsageError
from crawler.model.response import Response
from crawler.model.selector import Selector

Kind = Literal["css", "xpath", "json"]
KINDS: tuple[Kind, ...] = ("css", "xpath", "json")


class Expressions(TypedDict):
    """What click has found of the options below."""

    css: tuple[str, ...]
    xpath: tuple[str, ...]
    json: tuple[str, ...]


def match_options(command: Decorated) -> Decorated:
    """Add --css, --xpath and --json."""
    options = (
        click.option("--css", multiple=True, metavar="CSS", help="Print what matches, a line each: 'h1::text'."),
        click.option("--xpath", multiple=True, metavar="XPATH", help="The same by XPath: '//a/@href'."),
        click.option("--json", multiple=True, metavar="PATH", help="The same of JSON, by JMESPath: 'items[].name'."),
    )
    return add_options(command, options)


def typed(given: Expressions) -> Sequence[tuple[str, str]]:
    """Return the expressions with their kinds. Raises UsageError for one that is none, before anything is fetched."""
    found = [(kind, text) for kind in KINDS for text in given[kind]]
    for kind, text in found:
        try:
            jmespath.compile(text) if kind == "json" else _select(Selector(text="<a/>"), kind, text)
        except Exception as error:  # of cssselect, lxml or jmespath: each has its own
            raise UsageError(f'--{kind} "{text}": {" ".join(str(error).split())}') from error
    return found


def print_matches(response: Response, expressions: Sequence[tuple[str, str]]) -> bool:
    """Print what matches: one expression's a line each, those of several as one JSON object; tell if anything did.

    Raises UsageError for a page that is not of the kind that an expression asks for.
    """
    found = {text: _matches(response, kind, text) for kind, text in expressions}
    if len(expressions) > 1:
        say_json(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        for value in found[expressions[0][1]]:
            say(" ".join(value.split()) if isinstance(value, str) else msgspec.json.encode(value).decode())
    return any(found.values())


def _matches(response: Response, kind: str, text: str) -> list[Any]:
    if kind == "json":
        try:
            found = jmespath.search(text, response.json())
        except ValueError as error:
            raise UsageError(f'--json "{text}": {response.url} is no JSON: {error}') from error
        return [] if found is None else found if isinstance(found, list) else [found]
    if response.kind not in ("html", "xml", "text"):
        raise UsageError(f'--{kind} "{text}": {response.url} is {response.kind}, neither HTML nor XML')
    return _select(response.selector, kind, text)


def _select(page: Selector, kind: str, text: str) -> list[str]:
    return (page.css(text) if kind == "css" else page.xpath(text)).getall()
