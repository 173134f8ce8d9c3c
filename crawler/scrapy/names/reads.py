"""What does each method of Scrapy's settings that reads a value make of it?"""

from __future__ import annotations

import copy
import json
from collections.abc import MutableMapping
from typing import Any


class Reads(MutableMapping[Any, Any]):
    """Methods that read a value as one of a type, for a mapping in which what is not there reads as None."""

    def get(self, name: Any, default: Any = None) -> Any:
        """Return a value as it is, ``default`` for one that is None or not there."""
        value = self[name]
        return default if value is None else value

    def getbool(self, name: Any, default: bool = False) -> bool:
        """Return a value as a truth value: 0, 1, "0", "1", "True", "true", "False", "false".

        Raises ValueError for any other.
        """
        value = self.get(name, default)
        try:
            return bool(int(value))
        except ValueError:
            if value not in ("True", "true", "False", "false"):
                raise ValueError(
                    f"Supported values for boolean settings are 0/1, True/False, '0'/'1', 'True'/'False' and "
                    f"'true'/'false'; {name} is {value!r}"
                ) from None
            return value in ("True", "true")

    def getint(self, name: Any, default: int = 0) -> int:
        """Return a value as an int; raises ValueError or TypeError."""
        return int(self.get(name, default))

    def getfloat(self, name: Any, default: float = 0.0) -> float:
        """Return a value as a float; raises ValueError or TypeError."""
        return float(self.get(name, default))

    def getlist(self, name: Any, default: list[Any] | None = None) -> list[Any]:
        """Return a copy of a value as a list; a text is split at commas."""
        value = self.get(name, default or [])
        return list((value.split(",") if isinstance(value, str) else value) if value else ())

    def getdict(self, name: Any, default: dict[Any, Any] | None = None) -> dict[Any, Any]:
        """Return a copy of a value as a dict; a text is JSON. Raises ValueError or TypeError."""
        value = self.get(name, default or {})
        return dict(json.loads(value) if isinstance(value, str) else value)

    def getdictorlist(
        self, name: Any, default: dict[Any, Any] | list[Any] | tuple[Any] | None = None
    ) -> dict[Any, Any] | list[Any]:
        """Return a copy of a value as a dict or list; a text is JSON of one, or split at commas. Raises ValueError."""
        value = self.get(name, default)
        if isinstance(value, str):
            try:
                read = json.loads(value)
            except ValueError:
                read = None
            return read if isinstance(read, dict | list) else value.split(",")
        if not isinstance(value, dict | list | tuple | None):
            raise ValueError(
                f"Setting '{name}' must be a dict, list, tuple, or string, got {type(value).__name__}: {value!r}"
            )
        return copy.deepcopy(list(value) if isinstance(value, tuple) else value) if value is not None else {}
