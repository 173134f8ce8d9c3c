"""Does the code keep the habits a reader counts on: short modules, short functions, docstrings, plain words?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.structure import private_reaches

ROOT = Path(__file__).parents[1]
PROGRAM = sorted(
    [*ROOT.glob("crawler/**/*.py"), *ROOT.glob("spiders/*.py"), *ROOT.glob("pipelines/*.py"), ROOT / "settings.py"]
)
TOOLS = sorted(path for path in ROOT.glob("bench/**/*.py") if ".venv" not in path.parts)

MODULE_LINES = 300
FUNCTION_LINES = 50
FORBIDDEN_WORDS = re.compile(r"(Manager|Handler|Processor|Helper|Utils?)$")
# A word per file that Scrapy or the field itself has named so.
ALLOWED_WORDS = {
    "AddonManager",
    "LogCounterHandler",
    "ContractsManager",
    "PostProcessingManager",
    "SignalManager",
}
FORBIDDEN_TEXT = {
    r"#\s*(TODO|FIXME|XXX)\b": "do it or drop it",
    r"except\s*:": "say which exception",
    r"#\s*type:\s*ignore(?!\[)": "say which error is ignored, and why",
    r"\bpickle\.(loads?|Unpickler)\b|\bfrom pickle\b": "what is loaded must not be able to run code",
}


def problems(name: str, source: str) -> Iterator[str]:
    """Yield one sentence for each habit a source breaks."""
    lines = source.splitlines()
    if len(lines) > MODULE_LINES:
        yield f"{name}: {len(lines)} lines; is it answering two questions?"
    for pattern, wanted in FORBIDDEN_TEXT.items():
        for number, line in enumerate(lines, 1):
            if re.search(pattern, line):
                yield f"{name}:{number}: {line.strip()[:60]} – {wanted}"
    tree = ast.parse(source)
    if tree.body and not ast.get_docstring(tree):
        yield f"{name}: the module has no docstring"
    for node, public in _definitions(tree):
        place = f"{name}:{node.lineno}: {node.name}"
        if isinstance(node, ast.ClassDef):
            if FORBIDDEN_WORDS.search(node.name) and node.name not in ALLOWED_WORDS:
                yield f"{place} is named after its role in a framework; name the thing"
        else:
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION_LINES:
                yield f"{place} has {size} lines"
        if public and not ast.get_docstring(node):
            yield f"{place} is public and has no docstring"


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _definitions(tree: ast.AST, *, public: bool = True, derived: bool = False) -> Iterator[tuple[Definition, bool]]:
    """Yield each class and function, and whether it needs a docstring.

    It does if it is public: no part of its path starts with "_" and it lies in no function. Methods of a
    class with bases (``derived``) are documented where the base declares them.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            named = public and not node.name.startswith("_")
            yield node, named and not derived and not _is_known_interface(node)
            inner = named and isinstance(node, ast.ClassDef)
            yield from _definitions(node, public=inner, derived=isinstance(node, ast.ClassDef) and bool(node.bases))
        elif not isinstance(node, ast.expr):
            yield from _definitions(node, public=public, derived=derived)


# Callbacks that httptools looks up by name.
HTTPTOOLS = {
    f"on_{word}" for word in ("message_begin", "status", "header", "headers_complete", "body", "message_complete")
}
HTTPTOOLS |= {"on_chunk_header", "on_chunk_complete", "on_url"}


def _is_known_interface(node: Definition) -> bool:
    decorators = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
    camel = not isinstance(node, ast.ClassDef) and re.fullmatch(r"[a-z]+([A-Z][a-z]*)+", node.name) is not None
    return bool(decorators & {"overload", "setter", "override"}) or camel or node.name in HTTPTOOLS


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_every_module_keeps_the_habits() -> None:
    found = [problem for path in [*PROGRAM, *TOOLS] for problem in problems(_name(path), _text(path))]
    assert not found, "\n".join(found)


def test_the_first_docstring_line_is_the_question_the_module_answers() -> None:
    modules = [path for path in PROGRAM if path.name != "__init__.py"]
    first = {_name(path): (ast.get_docstring(ast.parse(_text(path))) or "").partition("\n\n")[0] for path in modules}
    silent = [f"{name}: {line!r} asks nothing" for name, line in first.items() if "?" not in line]
    assert not silent, "\n".join(silent)


# Where a test looks at what is private all the same, and why.
REACHES = {
    "tests/commands/conftest.py: _internalReaders": "Twisted closes them for a reactor that ran to its own end only",
    "tests/engine/test_waits_kept.py: _crawl": "what the downloader asks before it repeats, in a crawl without one",
    **dict.fromkeys(
        ("tests/scrapy/answers.py: " + name for name in ("_parse", "_parse_sitemap", "_requests_to_follow", "_rules")),
        "what spiders written for Scrapy call or override, though it has no public name",
    ),
    "tests/scrapy/answers.py: _values": "where Scrapy's items keep their values, which pipelines look into",
}


def test_tests_reach_into_nothing_private() -> None:
    found = {re.sub(r":[0-9]+:", ":", place) for place in private_reaches(ROOT)}
    assert found == set(REACHES)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('"""Why?"""\n' + "x = 1\n" * 300, "301 lines"),
        ("x = 1", "no docstring"),
        ('"""Why?"""\ndef f():\n    """F."""\n' + "    x = 1\n" * 50, "has 52 lines"),
        ('"""Why?"""\ndef f(): ...', "f is public"),
        ('"""Why?"""\nif True:\n    class A: ...', "A is public"),
        ('"""Why?"""\nclass A:\n    """A."""\n    async def run(self): ...', "run is public"),
        ('"""Why?"""\nclass A(B):\n    """A."""\n    def run(self): ...', ""),
        ('"""Why?"""\nclass _Thing:\n    def run(self): ...', ""),
        ('"""Why?"""\nclass _ThingManager: ...', "name the thing"),
        ('"""Why?"""\nclass P:\n    """P."""\n    def dataReceived(self, data): ...', ""),
        ('"""Why?"""\ntry:\n    x = 1\nexcept:\n    pass', "say which exception"),
        ('"""Why?"""\nx = 1  # TODO later', "do it or drop it"),
        ('"""Why?"""\nx = 1  # type: ignore', "say which error"),
        ('"""Why?"""\npickle.load(file)', "run code"),
        ('"""Why?"""\nx = 1', ""),
    ],
)
def test_a_broken_habit_is_noticed(source: str, says: str) -> None:
    found = list(problems("made_up", source))
    assert len(found) == (1 if says else 0), found
    assert not says or says in found[0]
