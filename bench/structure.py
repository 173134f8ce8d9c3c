"""How is the program built? Figures of a checkout's structure; nothing is asserted.

    python -m bench.structure                # this checkout
    python -m bench.structure ../before      # another one

- callables handed to constructors: parameters of ``__init__`` (and fields of dataclasses) whose annotation is
  or contains ``Callable``, an alias of one, or a Protocol with one method. Clocks, randomness and the user's
  own functions are counted apart.
- ``Any`` as a whole annotation, and what could stand in for it.
- reaches of tests into private names of the program.
- calls, functions' files and the share of engine/ for one page of a crawl in memory: one item, one link
  followed, in the steady state, by ``sys.setprofile``.
- lines of code without comments, docstrings and blank lines.
"""

from __future__ import annotations

import argparse
import ast
import io
import os
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.layers import cycles, sources

ROOT = Path(__file__).parents[1]

CLOCKS_AND_CHANCE = frozenset({"clock", "random", "wall", "seconds", "now"})
USERS = frozenset(
    {
        "fingerprint",
        "slot_key",
        "filters",
        "redirect_filters",
        "callback",
        "errback",
        "function",
        "method",
        "hook",
        "process_value",
    }
)
"""Names of parameters that hold a function of the user's."""

WITH_SCRAPYS_ARGUMENTS = frozenset({"Request", "Response", "LinkExtractor", "TextResponse", "FormRequest"})


class Module(NamedTuple):
    """One module of the program: its dotted name, path, and syntax tree."""

    name: str
    path: Path
    tree: ast.Module


class Handed(NamedTuple):
    """One parameter of a constructor."""

    place: str
    parameter: str
    annotation: str


def modules(checkout: Path) -> list[Module]:
    """Return the modules of the package."""
    found = []
    for path in sorted((checkout / "crawler").rglob("*.py")):
        name = ".".join(path.relative_to(checkout).with_suffix("").parts)
        found.append(Module(name, path, ast.parse(path.read_text())))
    return found


def classes(found: list[Module]) -> Iterator[tuple[Module, ast.ClassDef]]:
    """Yield each class with its module."""
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                yield module, node


def _bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases}


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def parameters(node: ast.ClassDef) -> list[tuple[str, str]]:
    """Return the name and annotation of each parameter of a class's constructor, without ``self``."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            every = [*part.args.posonlyargs, *part.args.args, *part.args.kwonlyargs][1:]
            return [(each.arg, "" if each.annotation is None else ast.unparse(each.annotation)) for each in every]
    if _is_dataclass(node):
        return [
            (part.target.id, ast.unparse(part.annotation))
            for part in node.body
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
        ]
    return []


def callable_names(found: list[Module]) -> set[str]:
    """Return the names that mean a callable: ``Callable``, aliases of it, and Protocols with one method."""
    names = {"Callable"}
    for module in found:
        for node in module.tree.body:
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            if ast.unparse(node.value).startswith("Callable["):
                names.add(node.targets[0].id)
    for _, node in classes(found):
        methods = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
        attributes = [
            part for part in node.body if isinstance(part, ast.AnnAssign) or getattr(part, "decorator_list", 0)
        ]
        if _bases(node) == {"Protocol"} and len(methods) == 1 and not attributes:
            names.add(node.name)
    return names


def handed_callables(found: list[Module]) -> list[Handed]:
    """Return every callable that a constructor takes."""
    wanted = callable_names(found)
    handed = []
    for module, node in classes(found):
        for name, annotation in parameters(node):
            words = {word.id for word in ast.walk(ast.parse(annotation or "None")) if isinstance(word, ast.Name)}
            if isinstance(quoted := _constant(annotation), str):
                words |= {word.id for word in ast.walk(ast.parse(quoted)) if isinstance(word, ast.Name)}
            if words & wanted:
                handed.append(Handed(f"{module.name}.{node.name}", name, annotation))
    return handed


def _constant(annotation: str) -> object:
    try:
        return ast.literal_eval(annotation)
    except (ValueError, SyntaxError):
        return None


def largest_constructors(found: list[Module], most: int = 5) -> list[tuple[int, str]]:
    """Return the constructors with most parameters, without dataclasses and classes with Scrapy's arguments."""
    sizes = [
        (len(parameters(node)), f"{module.name}.{node.name}")
        for module, node in classes(found)
        if node.name not in WITH_SCRAPYS_ARGUMENTS and not _is_dataclass(node)
    ]
    return sorted(sizes, reverse=True)[:most]


def annotations(found: list[Module]) -> Counter[str]:
    """Count ``Any`` and ``object`` as whole annotations, ``cast`` calls and aliases of Any."""
    counts: Counter[str] = Counter()
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.arg) and node.annotation is not None:
                counts[f"{_word(node.annotation)}, parameters"] += 1
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
                counts[f"{_word(node.returns)}, returns"] += 1
            elif isinstance(node, ast.AnnAssign):
                counts[f"{_word(node.annotation)}, attributes"] += 1
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
                counts["cast"] += 1
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == "Any":
                counts["aliases of Any"] += 1
        counts["type: ignore"] += module.path.read_text().count("# type: " + "ignore")
    return counts


def _word(annotation: ast.expr) -> str:
    text = ast.unparse(annotation)
    return text if text in ("Any", "object") else "other"


def private_reaches(checkout: Path) -> list[str]:
    """Return where tests use a private name of something that is not ``self``, or import one from the program."""
    places = []
    projects = checkout / "tests" / "scrapy_projects" / "projects"  # as the users of Scrapy write them
    for path in sorted((checkout / "tests").rglob("*.py")):
        if path.is_relative_to(projects):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            name = None
            if isinstance(node, ast.Attribute):
                name = node.attr
                if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "sys", "os"):
                    continue
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crawler"):
                name = next((alias.name for alias in node.names if alias.name.startswith("_")), None)
            if name and name.startswith("_") and not name.startswith("__"):
                places.append(f"{path.relative_to(checkout)}:{node.lineno}: {name}")
    return places


def code_lines(found: list[Module]) -> int:
    """Count lines with code: without comments, docstrings and blank lines."""
    return sum(_code_lines(module.path.read_text(), module.tree) for module in found)


def _code_lines(source: str, tree: ast.Module) -> int:
    lines: set[int] = set()
    ignored = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER
    }  # fmt: skip
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in ignored:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for part in body if isinstance(body, list) else []:
            if (
                isinstance(part, ast.Expr)
                and isinstance(part.value, ast.Constant)
                and isinstance(part.value.value, str)
            ):
                lines.difference_update(range(part.lineno, (part.end_lineno or part.lineno) + 1))
    return len(lines)


def calls_per_page(checkout: Path) -> str:
    """Return the profile of a page as JSON: calls in the program, in engine/, and files that take part."""
    ended = subprocess.run(
        [sys.executable, str(ROOT / "bench/page_calls.py")],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return ended.stdout.strip() or f"failed:\n{ended.stderr}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", nargs="?", type=Path, default=ROOT)
    parser.add_argument("--list", action="store_true", help="name each callable and each private reach")
    wanted = parser.parse_args()
    checkout = wanted.checkout.resolve()
    found = modules(checkout)
    handed = handed_callables(found)
    apart = [each for each in handed if each.parameter in CLOCKS_AND_CHANCE | USERS]
    own = [each for each in handed if each not in apart]
    reaches = private_reaches(checkout)
    circles = cycles(sources(checkout / "crawler"))
    print(f"modules: {len(found)}; code lines: {code_lines(found)}; import cycles: {len(circles)}")
    print(f"callables in constructors: {len(handed)}; without clocks, randomness and the user's own: {len(own)}")
    print("  of these in engine/:", sum(each.place.startswith("crawler.engine") for each in own))
    print("largest constructors:", ", ".join(f"{name} {size}" for size, name in largest_constructors(found)))
    counted = annotations(found)
    whole = {name: number for name, number in sorted(counted.items()) if not name.startswith("other")}
    print(f"Any as a whole annotation: {sum(n for name, n in whole.items() if name.startswith('Any'))}")
    print("  ", ", ".join(f"{name} {number}" for name, number in whole.items()))
    print(f"private reaches from tests: {len(reaches)}")
    print(f"a page in memory: {calls_per_page(checkout)}")
    if wanted.list:
        print(*(f"{each.place}({each.parameter}: {each.annotation})" for each in own), sep="\n")
        print(*reaches, sep="\n")


if __name__ == "__main__":
    main()
