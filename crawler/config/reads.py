"""How is a setting read as a value of a type, whatever it was given as? (Scrapy's getbool, getint …)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crawler.config.kinds import Kind
from crawler.config.parse import parse_text


class TypedReads:
    """Methods that read a setting as a value of a type, for a class that has ``get(name)``."""

    get: Callable[..., Any]

    def getbool(self, name: str, default: bool = False) -> bool:
        """Return the value as a truth value (Scrapy's name)."""
        return bool(self._read(name, default, bool))

    def getint(self, name: str, default: int = 0) -> int:
        """Return the value as a whole number (Scrapy's name)."""
        return int(self._read(name, default, int))

    def getfloat(self, name: str, default: float = 0.0) -> float:
        """Return the value as a number (Scrapy's name)."""
        return float(self._read(name, default, float))

    def getlist(self, name: str, default: list[Any] | None = None) -> list[Any]:
        """Return a copy of the value as a list; a text is split at commas (Scrapy's name)."""
        return list(self._read(name, default, list[str]) or [])

    def getdict(self, name: str, default: dict[Any, Any] | None = None) -> dict[Any, Any]:
        """Return a copy of the value as a dict (Scrapy's name)."""
        return dict(self._read(name, default, dict[str, Any]) or {})

    def _read(self, name: str, default: Any, kind: Kind) -> Any:
        value = self.get(name)
        value = default if value is None else value
        return parse_text(value, kind) if isinstance(value, str) else (value or 0)
