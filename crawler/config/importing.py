"""How is the user's own code imported, and what is said when it does not import?

The message is the traceback shortened to the user's frames: neither importlib's nor ours.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from crawler.errors import CrawlerError, SpiderImportError

TO_IMPORT = (
    'write "import crawler as scrapy", or "from crawler import …", for its imports: the names are the same '
    "(docs/from_scrapy.md)"
)
"""What turns a spider of Scrapy's into one of ours."""

_OURS = str(Path(__file__).parents[1])

_NEEDED = frozenset(
    {"OpenSSL", "ada_url", "attr", "attrs", "automat", "brotli", "cffi", "chardetng_py", "click"}
    | {"constantly", "crawler", "cryptography", "cssselect", "h2", "hpack", "httptools", "hyperframe"}
    | {"hyperlink", "idna", "incremental", "itemadapter", "itemloaders", "jmespath", "lxml", "markdown_it"}
    | {"mdurl", "msgspec", "multipart", "packaging", "parsel", "psycopg", "publicsuffixlist"}
    | {
        "pyarrow",
        "pydantic",
        "pygments",
        "rich",
        "scrapy",
        "service_identity",
        "six",
        "treq",
        "twisted",
        "typing_extensions",
        "w3lib",
    }
    | {"warcio", "zope", "zstandard"}
)
"""Packages whose names a file of the user's may not take: what crawls would import that file in their place."""


def import_user_module(name: str) -> ModuleType:
    """Import a module of the user's by name.

    Raises SpiderImportError with the shortened traceback, whatever the module raised.
    """
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may even exit; the user wants to know where
        raise SpiderImportError(explain_import(error, file_of(name))) from error


def file_of(name: str) -> str:
    """Return the file of a module that does not import, or the module's name where it has none."""
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # it is its parent that does not import
        spec = None
    return near(spec.origin) if spec is not None and spec.origin is not None else f"module {name}"


def import_user_file(path: Path) -> ModuleType:
    """Import a Python file that belongs to no project, its folder first on sys.path.

    Raises SpiderImportError: no such file, not a Python file, or it does not import.
    """
    if path.is_dir():
        raise SpiderImportError(f"{near(path)} is a folder; a file with a spider is expected")
    if not path.is_file():
        hint = f"; a spider of a project is run by `crawler crawl {path.name}`" if path.name.isidentifier() else ""
        raise SpiderImportError(f"no such file: {near(path)}{hint}")
    if path.suffix != ".py":
        raise SpiderImportError(f"{near(path)} is not a Python file (*.py)")
    put_first(path.parent)
    name = f"{path.stem}_spider" if is_taken(path.stem) else path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SpiderImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    # Typing, pickling and stage names look the module up by its name while it runs.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        del sys.modules[name]
        raise SpiderImportError(explain_import(error, near(path))) from error
    return module


def is_taken(name: str) -> bool:
    """Tell whether a top-level name is one of Python's own modules, or of a package that crawling needs."""
    return name in sys.stdlib_module_names or name in _NEEDED


def put_first(folder: Path) -> None:
    """Make ``folder`` the first place where modules are looked for.

    A file there cannot hide a module whose name is taken: that module is imported first.
    """
    place = str(folder.resolve())
    if place in sys.path:
        sys.path.remove(place)
    names = {path.stem for path in folder.iterdir() if path.suffix in ("", ".py")} if folder.is_dir() else ()
    taken = list(filter(is_taken, names))
    # itemadapter is the one that asks whether Scrapy and pydantic are there.
    for name in ["itemadapter", *taken] if taken else ():
        with suppress(ImportError):
            importlib.import_module(name)
    sys.path.insert(0, place)


def explain_import(error: BaseException, what: str) -> str:
    """Return "WHAT does not import:" with the user's frames and the error."""
    if isinstance(error, CrawlerError):
        return f"{what} does not import: {error}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_OURS, "<frozen ")) and "importlib" not in Path(frame.filename).parts
    ]
    for frame in frames:
        frame.filename = near(frame.filename)
    if isinstance(error, SyntaxError) and error.filename:
        error.filename = near(error.filename)
    shown = traceback.format_list(frames) + traceback.format_exception_only(type(error), error)
    if hint := _hidden(error):
        shown.append(hint)
    if hint := not_installed(error):
        shown.append(hint)
    return f"{what} does not import:\n{''.join(shown).rstrip()}"


def not_installed(error: BaseException) -> str | None:
    """Return what to do about a missing Scrapy, or package that extends it; None for any other error."""
    name = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
    if name.partition(".")[0] == "scrapy":
        return f"for a spider of Scrapy's, {TO_IMPORT}" if str(error).startswith("No module named") else None
    if name.startswith("scrapy"):
        return f"{name} is not installed in this environment; `crawler migrate` says what stands in for it here"
    return None


def _hidden(error: BaseException) -> str | None:
    """Return a sentence that says which file to rename, if the error comes of a name that is taken; else None."""
    if isinstance(error, AttributeError):
        name = getattr(error.obj, "__name__", None) if isinstance(error.obj, ModuleType) else None
    else:
        name = error.name if isinstance(error, ImportError) else None
    top = (name or "").partition(".")[0]
    if not is_taken(top) or not sys.path:
        return None
    for path in (Path(sys.path[0]) / f"{top}.py", Path(sys.path[0]) / top):
        if path.exists() and str(path) != str(Path(_OURS)):
            by = "a module of Python's own" if top in sys.stdlib_module_names else "an installed package"
            return f'the name "{top}" is taken by {by}: rename {near(path)}'
    return None


def near(filename: str | Path) -> str:
    """Return the file name relative to where the user is, if it lies below."""
    try:
        return str(Path(filename).relative_to(Path.cwd()))
    except (ValueError, OSError):  # OSError: the folder where the user is has gone
        return str(filename)


def classes_in(module: ModuleType) -> list[type]:
    """Return the classes that a module defines, in the order of the file.

    Its other objects are left alone: a proxy (``flask.current_app``) may raise when its class is looked at.
    """
    classes = [member for member in list(vars(module).values()) if issubclass(type(member), type)]
    return [member for member in classes if member.__module__ == module.__name__]
