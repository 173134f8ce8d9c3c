"""Which prompt does a user get?"""

from __future__ import annotations

from typing import Any

from crawler.shell import open_prompt


def start_python_console(namespace: dict[str, Any] | None = None, banner: str = "", shells: Any = None) -> None:
    """Open the prompt of `crawler shell`, which knows these names; ``shells`` is passed over."""
    open_prompt(namespace or {}, banner)
