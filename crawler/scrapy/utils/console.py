"""Which prompt does a user get?"""

from __future__ import annotations

import code
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

Embed = Callable[..., None]


def _ipython(namespace: dict[str, Any] | None = None, banner: str = "") -> Embed:
    from IPython.terminal.embed import InteractiveShellEmbed
    from IPython.terminal.ipapp import load_default_config

    @wraps(_ipython)
    def embed(namespace: dict[str, Any] = namespace or {}, banner: str = "") -> None:
        config = load_default_config()  # type: ignore[no-untyped-call]  # IPython's
        InteractiveShellEmbed.clear_instance()
        InteractiveShellEmbed.instance(banner1=banner, user_ns=namespace, config=config)()

    return embed


def _standard(namespace: dict[str, Any] | None = None, banner: str = "") -> Embed:
    @wraps(_standard)
    def embed(namespace: dict[str, Any] = namespace or {}, banner: str = "") -> None:
        code.interact(banner=banner, local=namespace)

    return embed


DEFAULT_PYTHON_SHELLS: dict[str, Callable[..., Embed]] = {"ipython": _ipython, "python": _standard}
"""What makes each prompt; raises ImportError where it is not installed."""


def get_shell_embed_func(
    shells: Iterable[str] | None = None, known_shells: Mapping[str, Callable[..., Embed]] | None = None
) -> Embed | None:
    """Return what starts the first prompt of a list that is installed."""
    known = DEFAULT_PYTHON_SHELLS if known_shells is None else known_shells
    for name in known if shells is None else shells:
        if name in known:
            try:
                return known[name]()
            except ImportError:
                continue
    return None


def start_python_console(
    namespace: dict[str, Any] | None = None, banner: str = "", shells: Iterable[str] | None = None
) -> None:
    """Start a prompt that knows these names."""
    embed = get_shell_embed_func(shells)
    if embed is not None:
        try:
            embed(namespace=namespace or {}, banner=banner)
        except SystemExit:
            pass  # that is how a prompt is left
