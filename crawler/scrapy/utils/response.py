"""What do spiders ask of a response?"""

from __future__ import annotations

import mimetypes
import os
import re
import tempfile
import webbrowser
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

from w3lib import html

from crawler.scrapy.utils.misc import load_object
from crawler.scrapy.utils.python import to_unicode

_HTTP = "crawler.scrapy.http"  # its classes are loaded by their names: they take get_base_url() from here
_DOCTYPE = re.compile(rb"\s*<!doctype[^<>]*>", re.IGNORECASE)
_bases: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
_refreshes: WeakKeyDictionary[Any, tuple[None, None] | tuple[float, str]] = WeakKeyDictionary()


def get_base_url(response: Any) -> str:
    """Return what the links of a page are relative to: its URL, or its <base>."""
    base = _bases.get(response)
    if base is None:
        base = _bases[response] = html.get_base_url(response.text[:4096], response.url, response.encoding)
    return base


def get_meta_refresh(
    response: Any, ignore_tags: Iterable[str] = ("script", "noscript")
) -> tuple[None, None] | tuple[float, str]:
    """Return seconds and URL of a page's <meta http-equiv=refresh>; None and None without one."""
    if response not in _refreshes:
        text, base = response.text[:4096], get_base_url(response)
        _refreshes[response] = html.get_meta_refresh(text, base, response.encoding, ignore_tags=ignore_tags)
    return _refreshes[response]


def response_from_dict(d: dict[str, Any]) -> Any:
    """Return the response of its to_dict()."""
    fields = {**d, "headers": load_object(f"{_HTTP}.Headers")(d.get("headers") or {})}
    if "_class" in d:
        return load_object(d["_class"]).from_dict(fields)
    types = load_object("crawler.scrapy.responsetypes.responsetypes")
    return types.from_args(headers=fields["headers"], url=d["url"], body=d.get("body")).from_dict(fields)


def response_status_message(status: Any) -> str:
    """Return "404 Not Found" for 404."""
    from twisted.web import http  # takes long to import

    number = int(status)
    return f"{number} {to_unicode(http.RESPONSES.get(number, 'Unknown Status'))}"


def open_in_browser(response: Any, _openfunc: Callable[[str], Any] = webbrowser.open) -> Any:
    """Show a page in the browser, from a file of its own. Raises TypeError for what no browser shows."""
    body = response.body
    if isinstance(response, load_object(f"{_HTTP}.HtmlResponse")):
        doctype = _DOCTYPE.match(body)
        at = doctype.end() if doctype else 0
        body = body[:at] + f'<base href="{get_base_url(response)}">'.encode() + body[at:]
        suffix = ".html"
    elif isinstance(response, load_object(f"{_HTTP}.TextResponse")):
        suffix = ".txt"
    else:
        kind = to_unicode(response.headers.get("Content-Type") or b"", "latin-1").split(";")[0].strip().lower()
        suffix = mimetypes.guess_extension(kind) or ""
        if not suffix:
            raise TypeError(f"Unsupported response type: {type(response).__name__}")
    descriptor, name = tempfile.mkstemp(suffix)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
    return _openfunc(f"file://{name}")
