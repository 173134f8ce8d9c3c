"""Do Scrapy's own unit tests pass behind the door?"""

from __future__ import annotations

import pytest

from tests.scrapy.mirror.running import left_out, lines_of, run, table

REASONS = {"private", "message", "deprecation", "pickle", "core", "wire", "differs"}


def test_each_test_that_is_left_out_has_a_reason_and_a_module_that_is_run() -> None:
    reasons = left_out()
    assert set(reasons.values()) <= REASONS
    modules = lines_of("modules.txt")
    assert [name for name in reasons if name.partition("::")[0] not in modules] == []


@pytest.mark.slow
def test_scrapys_own_tests_pass_behind_the_door() -> None:
    outcomes = run(lines_of("modules.txt"))
    reasons, shown = left_out(), table(outcomes)
    print(shown)
    passed = sum(outcome == "passed" for outcome in outcomes.values())
    named = [outcome.partition(": ")[2] for outcome in outcomes.values() if outcome.startswith("left out")]
    differs = sum(reasons[name] == "differs" for name in named)
    assert [name for name, outcome in outcomes.items() if outcome == "failed"] == [], shown
    assert set(reasons) - set(named) == set(), "left out, but not there"
    assert len(named) <= 0.3 * (passed + len(named)), shown
    assert passed >= 0.95 * (passed + differs), shown
