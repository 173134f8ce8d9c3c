"""How does a file get to another machine, whole, by the URL of a place there?"""

from __future__ import annotations

from crawler.remote.place import Remote, SendError, open_remote

__all__ = ["Remote", "SendError", "open_remote"]
