"""A plug-in of pytest for Scrapy's tests: their options and fixtures, an asyncio reactor that they find running.

It is loaded in a process of its own, whose package ``tests`` is Scrapy's; it imports nothing of this one's.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred, ensureDeferred

_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)
asyncioreactor.install(_loop)
_outcomes: dict[str, str] = {}
_look_up = socket.getaddrinfo


def _no_network(host: Any, *arguments: Any, **options: Any) -> Any:
    """Know this machine alone: some of the tests ask for names to see whether there are any."""
    if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", b"127.0.0.1", b"localhost"):
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is not of this machine")
    return _look_up(host, *arguments, **options)


socket.getaddrinfo = _no_network


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the option that Scrapy's tests look at, and ours."""
    parser.addoption("--reactor", default="asyncio")
    parser.addoption("--left-out", type=Path)
    parser.addoption("--outcomes", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Start the reactor, without running it: each test that is asynchronous does, as long as it takes."""
    from twisted.internet import reactor

    for marker in ("only_asyncio", "only_not_asyncio", "requires_reactor", "requires_uvloop", "requires_botocore"):
        config.addinivalue_line("markers", marker)
    for marker in ("requires_boto3", "requires_mitmproxy", "requires_internet", "asyncio", "walltime"):
        config.addinivalue_line("markers", marker)
    if not Path("tests/keys/localhost.crt").exists():
        from tests.keys import generate_keys  # type: ignore[import-not-found]

        generate_keys()
    reactor.startRunning(installSignalHandlers=False)  # type: ignore[attr-defined]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let each module be imported, whatever of Scrapy's it names: what is not here fails where it is used."""
    root = session.config.rootpath
    helpers = [*root.glob("tests/*.py"), *root.glob("tests/utils/**/*.py"), *root.glob("tests/mockserver/*.py")]
    for file in [*helpers, *map(Path, session.config.args)]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "scrapy":
                for alias in node.names:
                    _stand_in(str(node.module), alias.name)

    crawler: Any = import_module("scrapy.crawler").Crawler
    private = "_create_spider"  # but how most tests come to a spider
    if not hasattr(crawler, private):
        setattr(crawler, private, lambda self, *args, **kwargs: self.spidercls.from_crawler(self, *args, **kwargs))


def _module(path: str) -> ModuleType:
    try:
        return import_module(path)
    except ImportError:
        made = module_from_spec(ModuleSpec(path, None, is_package=True))
        parent, _, name = path.rpartition(".")
        setattr(_module(parent), name, made)
        return sys.modules.setdefault(path, made)


def _stand_in(path: str, name: str) -> None:
    module = _module(path)
    try:
        if not hasattr(module, name):
            import_module(f"{path}.{name}")
    except ImportError:
        setattr(module, name, STAND_INS.get(name) or type(name, (NotHere,), {}))


@contextmanager
def set_environ(**variables: str) -> Iterator[None]:
    """Set variables of the environment for a while: what some tests begin with."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


def get_from_asyncio_queue(value: Any) -> Any:
    """Return a coroutine that asyncio alone can wait for."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    queue.put_nowait(value)
    return queue.get()


STAND_INS: dict[str, Any] = {each.__name__: each for each in (set_environ, get_from_asyncio_queue)}
"""Scrapy's own helpers that its tests use, and no project does."""


class NotHere(Exception):
    """What stands for a name of Scrapy's that is not here."""

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        """Raise NotImplementedError."""
        raise NotImplementedError(f"{cls.__name__} is not here")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the reactor's threads, and say what became of the tests."""
    from twisted.internet import reactor

    reactor.fireSystemEvent("shutdown")  # type: ignore[attr-defined]
    config.getoption("--outcomes").write_text(json.dumps(_outcomes), encoding="utf-8")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the list says, what the other reactors are for, and what needs another machine."""
    left_out = config.getoption("--left-out").read_text(encoding="utf-8").split("\n")
    kept = []
    for item in items:
        name = item.nodeid.removeprefix("tests/")
        # A name stands for its class's tests and its parameters, too.
        at = [name, *(name[:end] for end in range(len(name)) if name[end] == "[" or name[end : end + 2] == "::")]
        pattern = next((each for each in at if each in left_out), None)
        if pattern is not None:
            _outcomes[item.nodeid] = f"left out: {pattern}"
        elif any(map(item.get_closest_marker, ("only_not_asyncio", "requires_internet", "requires_mitmproxy"))):
            _outcomes[item.nodeid] = "skipped"
        else:
            kept.append(item)
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Wait for what a test waits for."""
    given = pyfuncitem.funcargs
    takes = inspect.signature(pyfuncitem.obj).parameters
    result = pyfuncitem.obj(**{name: given[name] for name in takes if name in given})
    if inspect.iscoroutine(result):
        result = ensureDeferred(result)
    if isinstance(result, Deferred):
        waited = result.asFuture(_loop)
        _loop.run_until_complete(asyncio.wait_for(waited, 20))
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what became of a test."""
    if report.when == "call" or report.outcome != "passed":
        _outcomes[report.nodeid] = report.outcome if _outcomes.get(report.nodeid) != "failed" else "failed"


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note which modules cannot be imported."""
    if report.failed:
        _outcomes[report.nodeid] = "failed"


@pytest.fixture(scope="session")
def reactor_pytest() -> str:
    """Which reactor runs."""
    return "asyncio"


@pytest.fixture(scope="session")
def mockserver() -> Any:
    """Scrapy's own server of pages."""
    from tests.mockserver.http import MockServer  # type: ignore[attr-defined]

    with MockServer() as server:
        yield server
