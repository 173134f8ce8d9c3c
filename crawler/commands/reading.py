"""Is a file written for Scrapy, and does it start its crawl itself? Asked of its text, which is not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_STARTERS = frozenset(
    {"CrawlerProcess", "CrawlerRunner", "AsyncCrawlerProcess", "AsyncCrawlerRunner", "cmdline", "execute"}
)


def imports_scrapy(file: Path) -> bool:
    """Tell whether a file, or one beside it that it imports, imports scrapy."""
    return _imports_scrapy(file, set())


def starts_itself(file: Path, *, with_options: bool) -> bool:
    """Tell whether a file is a script that starts its own crawl: it has one of Scrapy's names for that.

    One with a spider of its own that does it below ``if __name__ == "__main__"`` is a spider's file where a crawl is
    run with options, which a script would not take.
    """
    tree = _tree(file)
    if tree is None or not any(
        _STARTERS & set(names) for module, names in _imports(tree) if module.startswith("scrapy")
    ):
        return False
    guarded = any(isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) for node in tree.body)
    spiders = any(isinstance(node, ast.ClassDef) and _is_spider(node) for node in tree.body)
    return not (guarded and spiders and with_options)


def _is_spider(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("Spider") for base in node.bases)


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
