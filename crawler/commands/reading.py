"""Is a file written for Scrapy, and does it start its crawl itself? Asked of its text, which is not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_STARTERS = frozenset({"CrawlerProcess", "CrawlerRunner", "AsyncCrawlerProcess", "AsyncCrawlerRunner", "execute"})
"""What a script calls that starts its crawl itself."""


def imports_scrapy(file: Path) -> bool:
    """Tell whether a file, or one beside it that it imports, imports scrapy."""
    return _imports_scrapy(file, set())


def starts_itself(file: Path, *, with_options: bool) -> bool:
    """Tell whether a file that imports scrapy is a script that starts its own crawl when it is run.

    So is one that calls something and has no class. One with a spider of its own that does it below
    ``if __name__ == "__main__"`` is a spider's file where a crawl is run with options, which a script would not take.
    """
    tree = _tree(file)
    if tree is None or not imports_scrapy(file):
        return False
    own = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
    run = [node for node in tree.body if node not in own]
    if not any(isinstance(node, ast.ClassDef) for node in own):
        return any(isinstance(each, ast.Call) for node in run for each in ast.walk(node))
    starting = _STARTERS | {node.name for node in own if _STARTERS & _named_in(node)}
    started = [node for node in run if starting & _named_in(node)]
    guarded = [node for node in started if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
    spiders = any(ast.unparse(base).endswith("Spider") for node in own for base in getattr(node, "bases", ()))
    return started != guarded or bool(guarded and not (spiders and with_options))


def _named_in(node: ast.AST) -> set[str]:
    """Return the names that are used in it."""
    return {each.id if isinstance(each, ast.Name) else each.attr for each in ast.walk(node)
            if isinstance(each, ast.Name | ast.Attribute)}  # fmt: skip


def _imports_scrapy(file: Path, seen: set[Path]) -> bool:
    seen.add(file)
    tree = _tree(file)
    for module, names in _imports(tree) if tree is not None else ():
        if module.partition(".")[0] == "scrapy":
            return True
        place = file.parent.joinpath(*module.split("."))
        near = [place.with_suffix(".py"), place / "__init__.py", *(place / f"{name}.py" for name in names)]
        if any(path.is_file() and path not in seen and _imports_scrapy(path, seen) for path in near):
            return True
    return False


def _imports(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Yield the modules that are imported anywhere in it, and the names that are of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, [alias.name.rpartition(".")[2]]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, [alias.name for alias in node.names]


def _tree(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):  # it is imported next, and told of then
        return None
