"""Which exceptions does code written for Scrapy raise and catch?

Those that mean the same are the crawler's own. What a download comes to is one of these and one of the crawler's at
once: see ``adapters.errors``.
"""

from __future__ import annotations

from typing import Any

from crawler import errors
from crawler.errors import CloseSpider, DropItem, IgnoreRequest, NotConfigured


class UsageError(errors.UsageError):
    """The command line is wrong; ``print_help`` asks for the help, too."""

    def __init__(self, *message: Any, print_help: bool = True) -> None:
        super().__init__(*message)
        self.print_help = print_help


class NotSupported(Exception):
    """What was asked for does not work with this, such as css() with a picture."""


class ContractFail(AssertionError):
    """A callback did not keep what its docstring promises."""


class DontCloseSpider(Exception):
    """Raised by a receiver of spider_idle: there is more to come."""


class StopDownload(Exception):
    """Raised by a receiver of headers_received or bytes_received: no more of the body is wanted.

    With ``fail`` the errback gets it, with the ``response`` as far as it had come; else the callback gets the response.
    """

    response: Any = None

    def __init__(self, *, fail: bool = True) -> None:
        super().__init__()
        self.fail = fail


class DownloadConnectionRefusedError(Exception):
    """Nobody listens there."""


class CannotResolveHostError(Exception):
    """The host's name has no address."""


class DownloadTimeoutError(Exception):
    """There was no answer in time."""


class DownloadCancelledError(Exception):
    """The download was given up."""


class DownloadFailedError(Exception):
    """The download came to nothing."""


class ResponseDataLossError(Exception):
    """The body ended too early."""


class UnsupportedURLSchemeError(Exception):
    """Nothing fetches such URLs."""


class ScrapyDeprecationWarning(Warning):
    """Tells of what is going to go; shown, unlike Python's own."""


class _InvalidOutput(TypeError):
    """A middleware returned what it may not."""


__all__ = [
    "CannotResolveHostError", "CloseSpider", "ContractFail", "DontCloseSpider", "DownloadCancelledError",
    "DownloadConnectionRefusedError", "DownloadFailedError", "DownloadTimeoutError", "DropItem", "IgnoreRequest",
    "NotConfigured", "NotSupported", "ResponseDataLossError", "ScrapyDeprecationWarning", "StopDownload",
    "UnsupportedURLSchemeError", "UsageError",
]  # fmt: skip
