"""What request does a command of curl describe?"""

from __future__ import annotations

from typing import Any

from crawler.model.curl import arguments_of


def curl_to_request_kwargs(curl_command: str, ignore_unknown_options: bool = True) -> dict[str, Any]:
    """Return the arguments of a Request. Raises ValueError for what is no command of curl."""
    return arguments_of(curl_command, ignore_unknown=ignore_unknown_options)
