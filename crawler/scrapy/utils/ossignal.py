"""Who hears of Ctrl-C and SIGTERM?"""

from __future__ import annotations

import signal
from typing import Any

signal_names: dict[int, str] = {each.value: each.name for each in signal.Signals}
"""The name of each signal's number."""


def install_shutdown_handlers(function: Any, override_sigint: bool = True) -> None:
    """Call ``function(number, frame)`` for the signals that end a process."""
    signal.signal(signal.SIGTERM, function)
    if override_sigint or signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, function)
