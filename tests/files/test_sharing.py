"""Is a thing done once for all who ask for it, and by the next one if the first fails?"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from crawler.files.sharing import Batched, Shared
from crawler.threads import InlinePool


def ask(shared: Shared[str], key: str, made: list[Deferred[str]]) -> Deferred[str]:
    async def make() -> str:
        made.append(Deferred())
        return await made[-1]

    return Deferred.fromCoroutine(shared.get(key, make))


def test_all_who_ask_meanwhile_get_what_one_has_made() -> None:
    shared, made = Shared[str](10), list[Deferred[str]]()
    asked = [ask(shared, "a", made) for _ in range(5)]
    assert len(made) == 1
    made[0].callback("done")
    assert [each.result for each in asked] == ["done"] * 5
    assert ask(shared, "a", made).result == "done"
    assert len(made) == 1


def test_the_next_one_makes_it_if_the_first_fails_or_is_cancelled() -> None:
    shared, made = Shared[str](10), list[Deferred[str]]()
    asked = [ask(shared, "a", made) for _ in range(4)]
    asked[0].addErrback(lambda _: "failed")
    made[0].errback(ValueError("no"))
    assert len(made) == 2
    asked[1].addErrback(lambda _: "cancelled")
    asked[1].cancel()
    assert len(made) == 3
    made[2].callback("done")
    assert [each.result for each in asked] == ["failed", "cancelled", "done", "done"]


def test_what_is_asked_for_often_is_forgotten_last() -> None:
    shared, made = Shared[str](2), list[Deferred[str]]()
    for key in ("logo", "a", "logo", "b", "logo", "c", "logo", "a"):
        ask(shared, key, made)
        if not made[-1].called:
            made[-1].callback(key)
    assert len(made) == 5, "logo, a, b, c, and a again"


class Busy:
    """A pool whose calls are carried out when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred[Any], Any, Any]] = []

    def run(self, call: Any, *arguments: Any) -> Deferred[Any]:
        self.waiting.append((Deferred(), call, arguments))
        return self.waiting[-1][0]

    def stop(self) -> Deferred[None]:
        raise NotImplementedError

    def work(self) -> int:
        answered, call, (batch,) = self.waiting.pop(0)
        answered.callback(call(batch))
        return len(batch)


def test_calls_gather_while_all_threads_are_busy() -> None:
    pool = Busy()
    batched: Batched[tuple[int], int] = Batched(pool, 2, lambda number: 2 * number)
    asked = [batched.of((number,)) for number in range(12)]
    sizes = []
    while pool.waiting:
        sizes.append(pool.work())
    assert [each.result for each in asked] == [2 * number for number in range(12)]
    assert sizes == [1, 1, 5, 3, 1, 1]


def test_a_call_that_raises_fails_for_whoever_asked() -> None:
    batched: Batched[tuple[int], float] = Batched(InlinePool("x", 1), 1, lambda number: 1 / number)
    raised: list[Any] = []
    batched.of((0,)).addErrback(lambda failure: raised.append(failure.value))
    assert isinstance(raised[0], ZeroDivisionError)
    assert batched.of((2,)).result == 0.5
