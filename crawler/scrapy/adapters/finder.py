"""What does ``import scrapy`` give behind the door? ``crawler.scrapy``, and its modules for those of Scrapy.

A module is one object under both of its names. A Scrapy that is installed, as plug-ins bring it, is not looked at.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from crawler.config.importing import explain_import, near
from crawler.errors import SpiderImportError
from crawler.scrapy.names.gone import LENT, NAMES, gone_module, is_hollow

PACKAGE = "scrapy"
OURS = "crawler.scrapy"
BEHIND = frozenset({"adapters", "door", "names", "project"})
"""What is in our package and no module of Scrapy's."""


class Door(MetaPathFinder, Loader):
    """Finds Scrapy's modules in ours. A module that is not there is an error which says what is used instead."""

    said = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for scrapy and what is below it (importlib.abc.MetaPathFinder). Raises ModuleNotFoundError."""
        top, _, rest = fullname.partition(".")
        if top != PACKAGE:
            return None
        if is_hollow(fullname):
            return ModuleSpec(fullname, self, is_package=True)
        parent, _, name = f"{OURS}.{rest}".rstrip(".").rpartition(".")
        known = rest.partition(".")[0] not in BEHIND and not is_hollow(fullname.rpartition(".")[0])
        found = PathFinder.find_spec(f"{parent}.{name}", import_module(parent).__path__) if known else None
        if found is None:
            raise ModuleNotFoundError(gone_module(fullname), name=fullname)
        return ModuleSpec(fullname, self, origin=found.origin, is_package=found.submodule_search_locations is not None)

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python: it warns of one whose own spec has another name (importlib.abc.Loader)."""

    def exec_module(self, module: ModuleType) -> None:
        """Put ours in its place, where the import looks for what has come of it (importlib.abc.Loader)."""
        name = module.__name__
        ours = module if is_hollow(name) else import_module(f"crawler.{name}")
        if hasattr(ours, "__path__") or name in NAMES:
            vars(ours)["__getattr__"] = partial(_attribute, name, vars(ours).get("__getattr__"))
        sys.modules[name] = ours


def _attribute(module: str, lazily: Callable[[str], Any] | None, name: str) -> Any:
    """Return what a module has not at once: what it loads lazily, or a module in it, as Scrapy has imported them all.

    Raises ImportError for what is no more: the one error whose text ``from scrapy import …`` shows.
    """
    if name in NAMES.get(module, ()):
        raise ImportError(f"{module} has no {name} any more: {NAMES[module][name]}", name=module)
    with suppress(AttributeError):
        if lazily is not None:
            return lazily(name)
    if name in LENT.get(module, ()):
        ours, given = LENT[module][name]
        return getattr(import_module(ours), given)
    if is_hollow(module) and not name.startswith("__"):
        raise ImportError(gone_module(f"{module}.{name}"), name=module)
    below = f"{module}.{name}"
    if not name.startswith("__") and _is_there(below):
        return import_module(below)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def open_door() -> None:
    """Let ``import scrapy`` give ours in this process, from now on."""
    if is_open():
        return
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    # itemadapter asks once whether Scrapy is there, and takes its items from it; ours it is told of by our Item.
    sys.modules[PACKAGE] = None  # type: ignore[assignment]  # so Python says that there is no such module
    try:
        import_module("crawler.model.item")
    finally:
        del sys.modules[PACKAGE]
    sys.meta_path.insert(0, Door())


def is_open() -> bool:
    """Tell whether ``import scrapy`` gives ours."""
    return any(isinstance(finder, Door) for finder in sys.meta_path)


def line() -> str | None:
    """Return the sentence for the log which says that the door is open; None if it is not, or if that was said."""
    for door in sys.meta_path:
        if isinstance(door, Door) and not door.said:
            door.said = True
            return (
                'The door is open: "import scrapy" gives crawler.scrapy, which runs this project (docs/from_scrapy.md)'
            )
    return None


def join_crawler(root: Path) -> list[str]:
    """Let the modules of a project's package that is named ``crawler`` be found beside ours.

    Return sentences about those that are hidden by one of ours. What its ``__init__`` defines is there, too.
    """
    ours, folder = sys.modules["crawler"], root / "crawler"
    places = [place for place in ours.__path__ if Path(place) != folder]
    if not folder.is_dir() or folder.resolve() == Path(ours.__path__[0]).resolve():
        return []
    if len(places) == len(ours.__path__):
        ours.__path__.append(str(folder))
        _define(ours, folder / "__init__.py")
    hidden = [found.name for found in pkgutil.iter_modules([str(folder)]) if PathFinder.find_spec(found.name, places)]
    return [
        f"{near(folder / name)} is hidden by crawler.{name} of this program; with another name for it, or for the "
        "project's package crawler, it is found"
        for name in hidden
    ]


def _define(ours: ModuleType, init: Path) -> None:
    source = init.read_text(encoding="utf-8") if init.is_file() else ""
    values: dict[str, Any] = {"__name__": "crawler", "__file__": str(init), "__path__": ours.__path__}
    try:
        exec(compile(source, str(init), "exec"), values)  # as Python runs a package of the user's
    except Exception as error:
        raise SpiderImportError(explain_import(error, near(init))) from error
    for name in values.keys() - vars(ours).keys() - set(ours.__all__):
        setattr(ours, name, values[name])
