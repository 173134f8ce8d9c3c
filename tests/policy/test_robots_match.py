"""That the quick table finds what going through all rules would find."""

from __future__ import annotations

import random
import re

import pytest

from crawler.policy.robots_match import Rule, RuleTable, comparable_pattern, targets


def slow_answer(rules: list[Rule], path: str) -> tuple[int, bool] | None:
    """The definition: of the rules that match, most octets, then allow."""
    found = []
    for rule in rules:
        pattern = comparable_pattern(rule.path)
        body = pattern.removesuffix("$")
        expression = ".*".join(map(re.escape, body.split("*"))) + ("$" if pattern.endswith("$") else "")
        if re.match(expression, path):
            found.append((len(pattern), rule.allow))
    return max(found, default=None)


@pytest.mark.parametrize("most", [3, 12, 300])
def test_the_table_is_the_definition(most: int) -> None:
    world = random.Random(most)
    for _ in range(30):
        rules = []
        for number in range(world.randint(0, most)):
            path = "/" + "".join(world.choices("ab/*", k=world.randint(0, 6))) + world.choice(["", "", "$"])
            rules.append(Rule(world.random() < 0.5, path, number))
        table = RuleTable(rules)
        for _ in range(30):
            path = "/" + "".join(world.choices("ab/", k=world.randint(0, 8)))
            found = table.find(path)
            assert (found and (found[0], found[1].allow)) == slow_answer(rules, path), (rules, path)


def test_a_rule_is_kept_once() -> None:
    table = RuleTable([Rule(False, "/a*", 1), Rule(False, "/a*", 2), Rule(True, "/b", 3), Rule(False, "/b", 4)])
    assert len(table) == 2
    assert table.find("/b") == (2, Rule(True, "/b", 3))


@pytest.mark.parametrize(
    ("url", "spellings"),
    [
        ("http://h/", ("/",)),
        ("http://h/a%7eb%2fc#f", ("/a~b%2Fc",)),
        ("http://h/a?", ("/a?",)),
        ("http://h/a?b=c", ("/a?b=c",)),
        ("http://h/a?b=/", ("/a?b=/", "/a?b=%2F")),
        ("http://h/a?b=%2f:", ("/a?b=%2F:", "/a?b=/:", "/a?b=%2F%3A")),
    ],
)
def test_spellings_of_a_url(url: str, spellings: tuple[str, ...]) -> None:
    assert targets(url) == spellings
