"""What becomes of worker processes that end, are killed, or die at once?"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

import pytest

from crawler.commands.cluster.child import Child
from crawler.commands.cluster.supervisor import MOST_DEATHS, Supervisor

pytestmark = pytest.mark.process


AT_WORK = "import os; os.write(0, b'o'); input(); input()"
"""A worker that says that it is, and waits until its parent is gone."""


class _Call:
    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when, self.call, self.cancelled = when, call, False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """As much of a reactor as is needed; pauses are as long as they are, but for a factor."""

    hurry = 20.0

    def __init__(self) -> None:
        self.calls: SimpleQueue[tuple[Callable[..., None], tuple[object, ...]]] = SimpleQueue()
        self.later: list[_Call] = []
        self.pauses: list[float] = []

    def seconds(self) -> float:
        return time.monotonic()

    def callFromThread(self, call: Callable[..., None], *arguments: object) -> None:
        self.calls.put((call, arguments))

    def callLater(self, delay: float, call: Callable[..., None], *arguments: object) -> _Call:
        self.pauses.append(delay)
        self.later.append(_Call(self.seconds() + delay / self.hurry, lambda: call(*arguments)))
        return self.later[-1]

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            with suppress(Empty):
                call, arguments = self.calls.get(timeout=0.01)
                call(*arguments)
            for due in [each for each in self.later if each.when <= self.seconds()]:
                self.later.remove(due)
                if not due.cancelled:
                    due.call()


class World:
    """A supervisor of processes that do what a line of Python says, and what it tells of them."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.code = AT_WORK
        self.buried: list[tuple[str, int]] = []
        self.lines: list[tuple[str, str]] = []
        self.given_up: list[str] = []
        self.finished = 0
        self.begun = 0
        self.supervisor: Supervisor

    def start(self, *names: str) -> Supervisor:
        self.supervisor = Supervisor(
            self.loop,  # type: ignore[arg-type]  # as much of it as is needed
            names,
            instructions=b"{}",
            environment=os.environ,
            whose=self,
        )
        self.supervisor.start()
        return self.supervisor

    def command(self, child: Child) -> Sequence[str]:
        self.begun += 1
        return [sys.executable, "-S", "-c", self.code, str(child.blame)]

    def bury(self, identity: str, blamed: int) -> None:
        self.buried.append((identity, blamed))

    def done(self) -> int:
        return self.finished

    def said(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def gave_up(self, problem: str) -> None:
        self.given_up.append(problem)
        self.supervisor.stop(signal.SIGKILL)

    def child(self, name: str) -> Child:
        return self.supervisor.children[name]

    def end(self) -> None:
        self.supervisor.stop(signal.SIGKILL)
        self.loop.until(lambda: self.supervisor.over.called)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.end()


def test_a_worker_that_was_killed_is_buried_with_the_request_it_worked_on_and_another_takes_its_place(
    world: World,
) -> None:
    world.code = "import sys; open(sys.argv[1], 'wb').write((7).to_bytes(8, sys.byteorder)); input(); input()"
    world.start("w1")
    first = world.child("w1")
    world.loop.until(lambda: first.blamed() == 7)
    os.kill(first.pid, signal.SIGKILL)
    world.loop.until(lambda: world.begun == 2)
    assert world.buried == [(first.identity, 7)]
    assert world.child("w1").identity != first.identity


def test_a_worker_that_is_too_late_is_started_again(world: World) -> None:
    world.code = "import os; os._exit(75)"
    world.start("w1")
    world.loop.until(lambda: world.begun == 3)
    assert len(world.buried) >= 2
    assert not world.given_up


def test_five_that_die_at_once_are_enough(world: World) -> None:
    world.code = "import os; os.kill(os.getpid(), 9)"
    supervisor = world.start("w1")
    world.loop.until(lambda: supervisor.over.called)
    assert world.begun == MOST_DEATHS
    assert world.given_up == [
        "5 workers in a row died within 5 seconds of their start, and nothing was done meanwhile; "
        "the last, w1, was killed by SIGKILL"
    ]
    assert world.loop.pauses == sorted(world.loop.pauses)
    assert len(set(world.loop.pauses)) == MOST_DEATHS - 1


def test_workers_that_die_while_work_is_done_are_started_without_end(world: World) -> None:
    world.code = "import os; os.kill(os.getpid(), 9)"

    def done() -> int:
        world.finished += 1
        return world.finished

    world.done = done  # type: ignore[method-assign]
    world.start("w1")
    world.loop.until(lambda: world.begun == MOST_DEATHS + 3)
    assert not world.given_up


def test_a_worker_that_ends_by_itself_is_not_started_again(world: World) -> None:
    world.code = "import os; os.write(0, b'o')"
    supervisor = world.start("w1", "w2")
    world.loop.until(lambda: supervisor.over.called)
    assert (world.begun, supervisor.statuses, world.buried) == (2, [0, 0], [])


def test_one_that_ends_with_an_error_gives_up_the_others(world: World) -> None:
    world.code = "raise SystemExit(2)"
    supervisor = world.start("w1")
    world.loop.until(lambda: supervisor.over.called)
    assert world.given_up == ["worker w1 ended with status 2; its last lines say why"]


def test_the_others_are_started_when_the_first_is_at_work(world: World) -> None:
    world.code = "import os; input(); os.write(2, b'here\\n'); open('/dev/null'); input()"
    world.start("w1", "w2")
    world.loop.until(lambda: world.lines)
    assert world.begun == 1
    world.code = AT_WORK
    os.kill(world.child("w1").pid, signal.SIGKILL)
    world.loop.until(lambda: world.begun == 3)


def test_what_a_worker_writes_is_told_with_its_name_before_its_end(world: World) -> None:
    world.code = r"import os; os.write(2, b'one\ntwo \xff')"
    supervisor = world.start("w1")
    world.loop.until(lambda: supervisor.over.called)
    assert world.lines == [("w1", "one\n"), ("w1", "two \\xff\n")]


def test_a_worker_learns_that_its_parent_is_gone_and_signals_to_the_parents_group_do_not_reach_it(
    world: World,
) -> None:
    world.code = "import os, sys; os.write(2, f'{os.getpgid(0)}\\n'.encode()); os.read(0, 9)"
    world.start("w1")
    world.loop.until(lambda: world.lines)
    assert int(world.lines[0][1]) == world.child("w1").pid != os.getpgid(0)


def test_a_stop_starts_nobody_any_more(world: World) -> None:
    world.code = "import os, time; os.write(0, b'o'); os.write(2, b'here\\n'); time.sleep(60)"
    supervisor = world.start("w1", "w2")
    world.loop.until(lambda: len(world.lines) == 2)
    supervisor.stop()
    world.loop.until(lambda: supervisor.over.called)
    assert world.begun == 2
    assert supervisor.statuses == [-signal.SIGTERM, -signal.SIGTERM]
