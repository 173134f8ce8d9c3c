"""How often is a notice tried, how many are sent in an hour, and what becomes of those that nobody takes?"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler.notices.delivery import ATTEMPT_SECONDS, PAUSES, Delivery
from crawler.notices.notice import Notice, NotSent, notice
from crawler.notices.places import Place
from tests.notices.support import WALL, Wall, place


class Post:
    """Takes notices as it is told to: "sent", "hangs", or an error."""

    def __init__(self, *answers: object, per_hour: int = 100) -> None:
        self.clock = Wall()
        self.answers = list(answers)
        self.came: list[tuple[float, Notice]] = []
        to = place({"to": "https://hooks.example/SECRET"})
        clock: Any = self.clock
        self.delivery = Delivery(to, self._send, clock, per_hour=per_hour)

    async def _send(self, _: Place, told: Notice) -> None:
        self.came.append((self.clock.seconds(), told))
        answer = self.answers.pop(0) if self.answers else "sent"
        if isinstance(answer, Exception):
            raise answer
        if answer == "hangs":
            await Deferred()

    def tell(self, *titles: str) -> None:
        for title in titles:
            self.delivery.tell(notice(title, "errors", title))

    def titles(self) -> list[str]:
        return [told.title for _, told in self.came]

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.clock.advance(1.0)


def test_what_may_go_better_is_tried_twice_more_with_longer_pauses_then_named_once(caplog: Any) -> None:
    post = Post(*[NotSent("busy", again=True)] * 3)
    post.tell("one", "two")
    post.pass_time(60)

    assert [(when, told.title) for when, told in post.came] == [
        (0, "one"), (PAUSES[0], "one"), (PAUSES[0] + PAUSES[1], "one"), (PAUSES[0] + PAUSES[1], "two"),
    ]  # fmt: skip
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line == "The notice 'one' did not go to https://hooks.example/…: busy"


def test_what_is_refused_is_not_tried_again_and_an_error_of_ours_costs_no_other_notice(caplog: Any) -> None:
    post = Post(NotSent("no such address"), RuntimeError("a mistake"))
    post.tell("one", "two", "three")

    assert post.titles() == ["one", "two", "three"]
    assert "no such address" in caplog.text
    assert "'two' to https://hooks.example/… could not be made" in caplog.text


def test_a_server_that_hangs_is_left_after_some_seconds(caplog: Any) -> None:
    post = Post("hangs", "hangs", "hangs")
    post.tell("one", "two")
    post.pass_time(3 * ATTEMPT_SECONDS + sum(PAUSES) + 1)

    assert post.titles() == ["one", "one", "one", "two"]
    assert "did not go to https://hooks.example/…: no answer in 20 seconds" in caplog.text


def test_beyond_the_most_in_an_hour_titles_wait_for_the_next_that_may_be_sent() -> None:
    post = Post(per_hour=2)
    post.tell("1", "2", "3", "4")
    assert post.titles() == ["1", "2"]

    post.delivery.tell_held_back()
    assert post.titles() == ["1", "2"]
    post.pass_time(3600)
    post.delivery.tell_held_back()
    post.delivery.tell_held_back()
    assert post.titles()[2:] == ["2 more notices"]
    assert post.came[2][1].lines == ("3", "4")

    post.tell("5", "6")
    post.delivery.tell(notice("end", "end", "done"), at_once=True)
    assert post.titles()[3:] == ["5", "done"]
    assert post.came[-1][1].lines == ("Before:", "6")


def test_those_of_an_earlier_run_count_into_the_hour() -> None:
    post = Post(per_hour=2)
    post.delivery.sent += [WALL - 3500, WALL - 3600, WALL + 50_000]
    post.tell("1", "2")
    assert post.titles() == ["1"]


def test_the_end_waits_for_what_is_under_way_and_no_longer_than_it_may(caplog: Any) -> None:
    quick = Post(NotSent("busy", again=True))
    quick.tell("one")
    ended = quick.delivery.close(15)
    assert not ended.called
    quick.pass_time(3)
    assert ended.called
    assert quick.titles() == ["one", "one"]
    assert quick.clock.getDelayedCalls() == []

    slow = Post("hangs")
    slow.tell("one", "two")
    ended = slow.delivery.close(15)
    slow.pass_time(14)
    assert not ended.called
    slow.pass_time(2)
    assert ended.called
    assert slow.titles() == ["one"]
    assert slow.clock.getDelayedCalls() == []
    assert "https://hooks.example/… has not taken the last notices in time" in caplog.text


@pytest.mark.parametrize("seconds", [0.0, 15.0])
def test_the_end_waits_for_nothing_where_nothing_is_under_way(seconds: float) -> None:
    assert Post().delivery.close(seconds).called
