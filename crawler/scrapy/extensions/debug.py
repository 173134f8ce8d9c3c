"""What does a program tell that hangs? Scrapy's module of that name: what a program that hangs tells by itself."""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import ByItself


class StackTraceDump(ByItself):
    """Dumps stacks at a signal of the system: faulthandler of Python does it, and the log names code that blocks."""


class Debugger(ByItself):
    """Opens a debugger at a signal of the system: ``breakpoint()`` does where it stands."""
