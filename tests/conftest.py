"""Which tests start a process or listen on a port? They are marked ``process``, and no other may do it.

A fixture that does so asks for ``outside``, by which every test that uses it is marked; a test or a module
that does so itself marks itself.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest

PROCESSES = frozenset({"subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec"})
LOOPBACK = frozenset({"", "127.0.0.1", "0.0.0.0", "::1", "::", "localhost"})
started: list[str] = []


def note_start(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what the interpreter says is started: processes, and servers on this machine."""
    if event in PROCESSES:
        started.append(event)
    elif event == "socket.bind":
        address = arguments[1]
        if isinstance(address, tuple) and address[0] in LOOPBACK:
            started.append(event)


sys.addaudithook(note_start)


@pytest.fixture(scope="session")
def outside() -> None:
    """Stands for what a fixture starts outside of Python: a process, a server."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "outside" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.process)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    started.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    result = yield
    if started and not any(item.iter_markers("process")) and not any(item.iter_markers("slow")):
        pytest.fail(f"{started[0]}: a test that starts a process or listens is marked `process`", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write half characters, which a page may hold and a test may log, so that a worker can send its report."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report
