from typing import Any

from crawler import events
from crawler.model.request import Request
from crawler.observe.board.kinds import MOST_KINDS, ErrorKinds, Held


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def kinds() -> tuple[ErrorKinds, events.Events]:
    bus = events.Events()
    counted = ErrorKinds(lambda: 5.0)
    bus.subscribe(events.SpiderFailed, counted.spider_failed)
    bus.subscribe(events.RequestEnded, counted.ended)
    return counted, bus


def failed(error: Exception, url: str, callback: str = "parse") -> events.SpiderFailed:
    return events.SpiderFailed(error, callback, url, "")


def ended(url: str, reason: str, **more: Any) -> events.RequestEnded:
    return events.RequestEnded(Request(url), "failed", reason, **more)


def test_errors_are_counted_by_class_and_callback_or_by_status() -> None:
    counted, bus = kinds()
    bus.publish(failed(raised(KeyError("a")), "http://u:pw@a.test/1"))
    bus.publish(failed(raised(KeyError("b")), "http://a.test/2"))
    bus.publish(failed(raised(KeyError("b")), "http://a.test/3", "parse_book"))
    bus.publish(ended("http://a.test/4", "HttpError", status=404))
    bus.publish(ended("http://a.test/5", "FetchTimeout", detail="no answer in 180 s"))
    bus.publish(events.RequestEnded(Request("http://a.test/6"), "answered", ""))
    first = counted.all()[0]
    assert [(kind.kind, kind.count) for kind in counted.all()] == [
        ("KeyError in parse", 2),
        ("FetchTimeout", 1),
        ("KeyError in parse_book", 1),
        ("status 404", 1),
    ]
    assert (first.url, first.message, first.last) == ("http://u:***@a.test/1", "KeyError: 'b'", 5.0)
    assert "in raised: raise error" in first.where


def test_a_crawl_that_makes_up_errors_does_not_fill_the_memory() -> None:
    counted, bus = kinds()
    for number in range(MOST_KINDS + 50):
        bus.publish(failed(KeyError(), "http://a.test/", f"callback_{number}"))
    assert len(counted.all()) == MOST_KINDS


def test_what_held_the_reactor_is_told_by_its_longest_hold() -> None:
    held = Held()
    for seconds in (0.2, 0.9, 0.4):
        held.held(events.StepHeld("callback parse", "spiders/a.py:3", seconds, ()))
    held.held(events.StepHeld("stage Slow", "pipelines/slow.py:9", 1.5, ()))
    assert [(step.what, step.seconds, step.count) for step in held.all()] == [
        ("stage Slow", 1.5, 1),
        ("callback parse", 0.9, 3),
    ]
