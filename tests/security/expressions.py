"""Every regular expression of the sources, with the ways in which it is used."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# To a regular expression, finding all is one way of working, whatever becomes of the matches.
METHODS = {
    "match": "match",
    "fullmatch": "fullmatch",
    "search": "search",
    **dict.fromkeys(("findall", "finditer", "sub", "subn", "split"), "finditer"),
}


@dataclass(frozen=True, slots=True)
class Expression:
    """One call of ``re``; ``pattern`` is None if it is not known before the program runs."""

    where: str
    line: int
    pattern: re.Pattern[Any] | None
    methods: frozenset[str]

    def __str__(self) -> str:
        return f"{self.where}:{self.line}"


@cache
def sources() -> list[tuple[Path, ast.Module]]:
    """Return each module of the crawler."""
    paths = sorted((ROOT / "crawler").rglob("*.py"))
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def expressions() -> list[Expression]:
    """Return all of them; a new one is found by itself."""
    trees = sources()
    used = _methods_of_names(tree for _, tree in trees)
    found: list[Expression] = []
    for path, tree in trees:
        where = str(path.relative_to(ROOT))
        names: dict[str, Any] | None = None
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and _of_re(node.func)):
                continue
            if names is None:
                names = vars(importlib.import_module(where[:-3].replace("/", ".").removesuffix(".__init__")))
            found.append(Expression(where, node.lineno, _pattern(node, names), _methods(node, parents, used)))
    return found


def _of_re(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in {"compile", *METHODS}
    )


def _pattern(call: ast.Call, names: dict[str, Any]) -> re.Pattern[Any] | None:
    assert isinstance(call.func, ast.Attribute)
    flags = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    flags += [each for each in call.args if isinstance(each, ast.Attribute | ast.BinOp) and "re." in ast.unparse(each)]
    try:
        pattern = _value(call.args[0], names)
        return re.compile(pattern, _value(flags[0], names) if flags and flags[0] is not call.args[0] else 0)
    except NameError:
        return None


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "source", "eval"), dict(names))  # noqa: S307 - of our own sources


def _methods_of_names(trees: Iterator[ast.Module]) -> dict[str, set[str]]:
    """Return which methods are called on a name, anywhere: names of expressions are unlike others."""
    used: dict[str, set[str]] = defaultdict(set)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in METHODS:
                used[node.value.id].add(METHODS[node.attr])
    return used


def _methods(call: ast.Call, parents: dict[ast.AST, ast.AST], used: dict[str, set[str]]) -> frozenset[str]:
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr != "compile":
        return frozenset({METHODS[call.func.attr]})
    parent = parents[call]
    if isinstance(parent, ast.Attribute):
        return frozenset({METHODS[parent.attr]})
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
        return frozenset(used[parent.targets[0].id]) or frozenset(METHODS.values())
    return frozenset(METHODS.values())


def run(expression: Expression, text: str) -> None:
    """Use the expression on a text in each of the ways in which the sources use it."""
    pattern = expression.pattern
    assert pattern is not None
    subject: Any = text.encode("utf-8", "surrogatepass") if isinstance(pattern.pattern, bytes) else text
    for method in expression.methods:
        if method == "finditer":
            deque(pattern.finditer(subject), maxlen=0)
        else:
            getattr(pattern, method)(subject)


def beginnings(pattern: re.Pattern[Any]) -> list[str]:
    """Return texts that match the first 1, 2, … parts of a pattern, and so lead into each of its loops."""
    import re._parser as parser  # type: ignore[import-not-found]  # private, but stable

    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    made, so_far = [], ""
    for part in parser.parse(text, pattern.flags & ~re.UNICODE & ~re.LOCALE):
        so_far += _example(part)
        made.append(so_far)
    return list(dict.fromkeys(each for each in made if each))


def _example(part: tuple[Any, Any]) -> str:
    kind: str = str(part[0])
    value: Any = part[1]
    if kind == "LITERAL":
        return chr(value)
    if kind == "NOT_LITERAL":
        return "a" if chr(value) != "a" else "b"
    if kind == "ANY":
        return "x"
    if kind == "IN":
        return _one_of(value)
    if kind == "BRANCH":
        examples: list[str] = ["".join(map(_example, branch)) for branch in value[1]]
        return max(examples, key=len)
    if kind == "SUBPATTERN":
        return "".join(map(_example, value[-1]))
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least: int = max(int(value[0]), 1)
        return "".join(map(_example, value[2])) * least
    if kind == "ATOMIC_GROUP":
        return "".join(map(_example, value))
    return ""  # positions: lookaheads, ends, groups said before


def _one_of(choices: list[tuple[Any, Any]]) -> str:
    accepts = [choice for choice in choices if str(choice[0]) in ("LITERAL", "RANGE", "CATEGORY")]
    if str(choices[0][0]) == "NEGATE":
        bad = "".join(chr(value) for kind, value in accepts if str(kind) == "LITERAL")
        return str(next((letter for letter in "ax1 -é" if letter not in bad), ""))
    kind, value = accepts[0]
    if str(kind) == "LITERAL":
        return chr(int(value))
    if str(kind) == "RANGE":
        return chr(int(value[0]))
    return {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}.get(str(value), "-")
