"""What does each of Scrapy's settings read as where a project does not set it?

The values of Scrapy 2.19 (docs.scrapy.org, "Settings"), one attribute each; they stand in the JSON file of this name.
That a few of them mean something else here, robots.txt above all, is said in docs/settings.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_values: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
# The one default that is a class, not the path of one.
_values["RETRY_EXCEPTIONS"] = [OSError if each == "builtins.OSError" else each for each in _values["RETRY_EXCEPTIONS"]]

__all__ = sorted(_values.keys() - {"DNS_RESOLVER"})  # names made from the table
globals().update(_values)


def __getattr__(name: str) -> Any:
    """Return a default that is read by its name only; for type checkers, all of them are."""
    if name == "CONCURRENT_REQUESTS_PER_IP":
        return 0
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
