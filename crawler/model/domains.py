"""Which domain do people mean by what they write for one?"""

from __future__ import annotations

from crawler.model.invalid import InvalidRequest
from crawler.model.url import host_of, normalise


def domain_of(text: str) -> str:
    """Return the host name, as URLs have it, of "example.com", ".example.com", "*.example.com", "localhost:8000",
    "münchen.example" or a whole URL. Raises InvalidRequest for what names no host."""
    name = text.strip()
    host = host_of(normalise(name if "://" in name else f"http://{name.removeprefix('*').lstrip('.')}/")).rstrip(".")
    if not host:
        raise InvalidRequest(f"no host name: {text!r}")
    return host
