"""How is a value shown on a terminal?"""

from __future__ import annotations

import sys
from pprint import pformat as plain
from typing import Any


def _colorize(text: str, colorize: bool = True) -> str:
    if not colorize or not sys.stdout.isatty():
        return text
    try:
        from pygments import highlight
        from pygments.formatters import TerminalFormatter
        from pygments.lexers import PythonLexer
    except ImportError:
        return text
    coloured: str = highlight(text, PythonLexer(), TerminalFormatter())
    return coloured


def pformat(obj: Any, *args: Any, colorize: bool = True, **kwargs: Any) -> str:
    """Return a value as text, in colours on a terminal."""
    return _colorize(plain(obj), colorize)


def pprint(obj: Any, *args: Any, **kwargs: Any) -> None:
    """Print a value, in colours on a terminal."""
    print(pformat(obj, *args, **kwargs))
