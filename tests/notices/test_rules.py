"""When is a rule met, and what is usual?"""

from __future__ import annotations

from typing import Any

import pytest

from crawler.errors import SettingError
from crawler.notices.rules import (
    Rules,
    Silence,
    met,
    new_errors,
    rules_of,
    too_few_items,
    usual_items,
)
from crawler.observe.board.shown import ErrorKind, Job, Now, Run, Totals


def now(state: str = "running", **totals: int) -> Now:
    return Now(time=0.0, job=Job(spider="shop", state=state), totals=Totals(**totals))


def titles(of: Now, silent: float = 0.0, **rules: Any) -> list[str]:
    return [each.title for each in met(of, silent, rules_of(rules))]


def test_more_than_five_of_a_hundred_errors_are_told_of_and_a_few_pages_are_not_enough_to_say_so() -> None:
    assert titles(now(pages=95, failed=5, errors=5)) == []
    assert titles(now(pages=94, failed=6, errors=6)) == ["shop: 6% errors (6 of 100)"]
    assert titles(now(pages=50, failed=49, errors=49)) == []
    assert titles(now(pages=50, failed=49, errors=49), errors_least=10) == ["shop: 49% errors (49 of 99)"]
    assert titles(now(failed=1000, errors=1000), errors_above=None) == []


def test_nothing_for_ten_minutes_counts_only_while_the_crawl_may_send() -> None:
    silence = Silence()
    assert silence.look(now(pages=1), 100.0) == 0
    assert silence.look(now(pages=1), 700.0) == 600
    assert titles(now(pages=1, queued=4), 600.0) == ["shop: nothing has come for 10 min 0 s"]
    assert titles(now(pages=1), 599.0) == []
    assert silence.look(now("paused", pages=1), 1000.0) == 0
    assert silence.look(now("paused", pages=1), 9000.0) == 0
    assert silence.look(now(pages=1), 9100.0) == 0
    assert silence.look(now(pages=1, items=1), 9200.0) == 0
    assert silence.look(now(pages=1, items=1), 9300.0) == 100


def test_usual_is_the_median_of_three_finished_runs_at_least() -> None:
    def run(items: int, state: str = "finished", spider: str = "shop") -> Run:
        return Run(job="nightly", spider=spider, state=state, items=items)

    runs = [run(100), run(1), run(200), run(9, state="stopped"), run(9, spider="other")]
    assert usual_items(runs, "shop") == 100
    assert usual_items(runs[1:], "shop") is None
    assert too_few_items(49, 100, Rules()) == "49 items, where 100 are usual"
    assert too_few_items(50, 100, Rules()) == ""
    assert too_few_items(0, None, Rules()) == ""
    assert too_few_items(0, 100, rules_of({"items_below": None})) == ""


def test_a_kind_of_error_is_told_with_its_line_and_an_example() -> None:
    kind = ErrorKind(
        kind="ValueError in parse", count=3, url="http://a.example/", where="a.py:1 in parse: x", message="m"
    )
    [told] = new_errors([kind], "shop")
    assert told.title == "shop: first ValueError in parse"
    assert told.lines == ("message: m", "at: a.py:1 in parse: x", "url: http://a.example/")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"items_under": 1}, 'there is no rule "items_under"'),
        ({"errors_above": 5}, "Expected `float` <= 1.0"),
        ({"per_hour": 0}, "Expected `int` >= 1"),
        ({"nothing_seconds": "10m"}, "Expected `float | null`, got `str`"),
    ],
)
def test_a_rule_out_of_bounds_is_refused_by_name(given: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingError, match="NOTICE_RULES: ") as raised:
        rules_of(given)
    assert why in str(raised.value)
