"""Is what users need public, and do type checkers see the same names as the interpreter?"""

from __future__ import annotations

import ast
from pathlib import Path

import crawler
from crawler import errors, events

SOURCE = Path(crawler.__file__)
# What ends a command with a message, or is our own bug: nothing that a spider or a script catches by name.
NOT_CAUGHT = {"ArgumentError", "BooksDoNotBalance", "FeedError", "OutputClosed", "OutputError", "SettingError"}
NOT_CAUGHT |= {"LateWorker", "NotBegun", "SpiderImportError", "SpiderNotFound"}


def _for_type_checkers() -> set[str]:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_type_checkers_see_the_public_names() -> None:
    assert _for_type_checkers() | {"__version__"} == set(crawler.__all__)


def test_each_public_name_can_be_had() -> None:
    assert [name for name in crawler.__all__ if getattr(crawler, name) is None] == []


def test_every_event_is_public() -> None:
    assert {kind.__name__ for kind in events.Event.__subclasses__()} <= set(crawler.__all__)


def test_every_error_that_somebody_may_catch_is_public() -> None:
    made = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert made - set(crawler.__all__) == NOT_CAUGHT


def test_an_event_subscriber_may_ask_for_all() -> None:
    heard: list[events.Event] = []
    bus = events.Events()
    bus.subscribe(events.Event, heard.append)
    sent = [events.CrawlClosing("finished"), events.FeedClosed("a", 1)]
    for event in sent:
        assert bus.wants(type(event))
        bus.publish(event)
    assert heard == sent
