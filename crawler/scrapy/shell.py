"""How does a callback open a prompt?"""

from __future__ import annotations

from crawler.shell import inspect_response

__all__ = ["inspect_response"]
