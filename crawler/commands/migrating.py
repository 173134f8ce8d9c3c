"""What in a project of Scrapy's will differ here, or not work, as far as its text tells?

Nothing of the project is run: its files are parsed. What only a run shows (a name made up at run time, a value that is
computed) is not among it.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from configparser import Error as ConfigError
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from crawler.commands.plugins import PLUGINS
from crawler.errors import SettingError
from crawler.scrapy.adapters.finder import BEHIND
from crawler.scrapy.adapters.keys import READ_TOO
from crawler.scrapy.names.elsewhere import META_KEYS
from crawler.scrapy.names.gone import LEFT_OUT, LENT, NAMES, gone_module
from crawler.scrapy.names.layers import FromScrapy
from crawler.scrapy.settings import Settings

_COMPONENTS = ("DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "ITEM_PIPELINES", "EXTENSIONS", "ADDONS")
_UNREAD = META_KEYS.keys() - set(READ_TOO)
_ENGINE_PARTS = frozenset({"slot", "scheduler", "downloader", "scraper", "_slot", "spider_is_idle"})


class Finding(NamedTuple):
    """Something at a line of a file. ``stops``: it will not work, and is no mere difference."""

    file: Path
    line: int
    text: str
    stops: bool


def files_of(root: Path) -> list[Path]:
    """Return the Python files of a folder, not those of hidden folders and of virtual environments."""
    if root.is_file():
        return [root]
    found: list[Path] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [] if "pyvenv.cfg" in files else sorted(name for name in folders if _is_looked_into(name))
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".py")]
    return found


def _is_looked_into(folder: str) -> bool:
    return not folder.startswith(".") and folder not in ("node_modules", "site-packages", "__pycache__")


def findings(root: Path, settings: Iterable[Path]) -> Iterator[Finding]:
    """Yield what is found in a project, file by file; ``settings`` are the files of its settings module."""
    names: dict[str, tuple[Path, int]] = {}
    settings = {file.resolve() for file in settings}
    tops = {path.stem for path in (root.iterdir() if root.is_dir() else [])}
    for file in files_of(root):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8", errors="replace"))
        except (SyntaxError, ValueError) as error:
            yield Finding(file, getattr(error, "lineno", 1) or 1, f"this Python does not read it: {error}", True)
            continue
        found = list(_in_tree(tree))
        if file.resolve() in settings:
            found += _in_settings(_assigned(tree.body), tops)
        found += _twice(tree, file, names)
        for line, text, stops in sorted(set(found)):
            yield Finding(file, line, text, stops)


_Found = tuple[int, str, bool]


def _in_tree(tree: ast.AST) -> Iterator[_Found]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _of_module(node.lineno, alias.name, ())
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from _of_module(node.lineno, node.module, [alias.name for alias in node.names])
        elif isinstance(node, ast.ClassDef):
            for name, value in _assigned(node.body):
                if name == "custom_settings" and isinstance(value, ast.Dict):
                    pairs = [(key.value, item) for key, item in zip(value.keys, value.values, strict=True)
                             if isinstance(key, ast.Constant) and isinstance(key.value, str)]  # fmt: skip
                    yield from _in_settings(pairs, set())
        elif isinstance(node, ast.Attribute):
            yield from _of_attribute(node)
        for key in _meta_keys(node):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in _UNREAD:
                yield key.lineno, f'meta "{key.value}" is not read: {META_KEYS[key.value]}', False


def _meta_keys(node: ast.AST) -> list[ast.expr | None]:
    """Return the keys of ``meta={…}``, ``meta = {…}`` and ``….meta[…]``."""
    value: ast.AST | None = None
    targets = [ast.unparse(target) for target in node.targets] if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.keyword | ast.Assign) and (getattr(node, "arg", None) == "meta" or "meta" in targets):
        value = node.value
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "meta":
        return [node.slice]
    return list(value.keys) if isinstance(value, ast.Dict) else []


def _of_module(line: int, module: str, names: Iterable[str]) -> Iterator[_Found]:
    """Judge an import, ``from MODULE import NAMES``."""
    top, _, rest = module.partition(".")
    if top in PLUGINS:
        plugin = PLUGINS[top]
        missing = "" if _is_there(top) else "; it is not installed in this environment"
        yield line, f"{top}: {plugin.note}{missing}", bool(missing) or not plugin.works
    if top != "scrapy":
        return
    lent = LENT.get(module, {})
    names = [name for name in names if name not in lent]
    if not names and (module in LEFT_OUT or lent):
        return
    if rest.partition(".")[0] in BEHIND or not _is_there(f"crawler.{module}"):
        yield line, gone_module(module), True
        return
    ours = import_module(f"crawler.{module}") if names else None
    for name in names:
        if hint := NAMES.get(module, {}).get(name):
            yield line, f"{module} has no {name} any more: {hint}", True
        elif name != "*" and not (_has(ours, name) or _can_be_imported(f"{module}.{name}")):
            yield line, gone_module(f"{module}.{name}"), True


def _can_be_imported(module: str) -> bool:
    return module in LEFT_OUT or _is_there(f"crawler.{module}")


def _has(module: Any, name: str) -> bool:
    try:
        return hasattr(module, name)
    except ImportError:
        return False


def _of_attribute(node: ast.Attribute) -> Iterator[_Found]:
    owner = node.value
    if isinstance(owner, ast.Attribute) and owner.attr == "engine" and node.attr in _ENGINE_PARTS:
        yield node.lineno, f"crawler.engine has no {node.attr} here: {gone_module('scrapy.core.engine')}", True
    elif isinstance(owner, ast.Name) and owner.id == "signals" and _is_no_signal(node.attr):
        yield node.lineno, f"there is no signal {node.attr}", True


def _is_no_signal(name: str) -> bool:
    return not (name in ("connect", "disconnect") or _has(import_module("crawler.scrapy.signals"), name))


def _in_settings(pairs: Iterable[tuple[str, ast.expr]], tops: set[str]) -> Iterator[_Found]:
    """Judge settings as a crawl reads them, as far as their values stand there."""
    lines = {name: value.lineno for name, value in pairs}
    for name, value in pairs:
        if name in _COMPONENTS:
            yield from _of_paths(value, tops)
    layer = {name: literal for name, value in pairs if name.isupper() and (literal := _literal(value)) is not None}
    for name, given in _apart(layer):
        try:
            for warning in FromScrapy.made_of(Settings(given)).warnings:
                said = next((each for each in given if each in warning), name)
                yield lines[said], warning.replace(" (project)", ""), False
        except SettingError as error:
            yield lines[name], str(error).replace(" (project)", ""), True
    if tops and "ROBOTSTXT_OBEY" not in layer:
        yield 1, "robots.txt is obeyed unless ROBOTSTXT_OBEY = False is set", False


def _apart(layer: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return settings together, or one by one where one of them is an error that would hide the others."""
    try:
        FromScrapy.made_of(Settings(layer))
    except SettingError:
        return [(name, {name: value}) for name, value in layer.items()]
    return [("", layer)] if layer else []


def _of_paths(value: ast.expr, tops: set[str]) -> Iterator[_Found]:
    """Judge the classes that a setting names."""
    for key in value.keys if isinstance(value, ast.Dict) else getattr(value, "elts", []):
        if not isinstance(key, ast.Constant) or "." not in str(key.value):
            continue
        path = str(key.value)
        module, _, name = path.rpartition(".")
        top = module.partition(".")[0]
        if top == "scrapy" or top in PLUGINS:
            yield from _of_module(key.lineno, module, [name] if top == "scrapy" else ())
        elif top not in tops and not _is_there(top):
            yield key.lineno, f"{path}: there is no {top}, in the project or installed", True


def settings_files(root: Path, cfg: Path | None) -> list[Path]:
    """Return the files of the settings module that scrapy.cfg names; without one, those named settings.py."""
    if cfg is None:
        return [file for file in files_of(root) if file.name == "settings.py"]
    read = ConfigParser(interpolation=None)
    with suppress(ConfigError):
        read.read(cfg, encoding="utf-8")
    names = read["settings"].values() if read.has_section("settings") else []
    places = [root.joinpath(*name.split(".")) for name in names]
    files = [file for place in places for file in (place.with_suffix(".py"), *place.glob("*.py"))]
    return [file for file in files if file.is_file()]


def _twice(tree: ast.Module, file: Path, names: dict[str, tuple[Path, int]]) -> Iterator[_Found]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any("Spider" in ast.unparse(base) for base in node.bases):
            name = _literal(dict(_assigned(node.body)).get("name"))
            if not isinstance(name, str) or not name:
                continue
            other, line = names.setdefault(name, (file, node.lineno))
            if (other, line) != (file, node.lineno):
                yield (
                    node.lineno,
                    f'a spider named "{name}" is in {other}:{line}, too; one of them needs another name',
                    True,
                )


def _assigned(body: Iterable[ast.stmt]) -> list[tuple[str, ast.expr]]:
    """Return the names that statements give values, and the values."""
    found = []
    for node in body:
        if isinstance(node, ast.Assign):
            found += [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found.append((node.target.id, node.value))
        elif isinstance(node, ast.If | ast.Try | ast.With):
            found += _assigned([*node.body, *getattr(node, "orelse", [])])
    return found


def _literal(value: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(value) if value is not None else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, AttributeError, ValueError):
        return False
