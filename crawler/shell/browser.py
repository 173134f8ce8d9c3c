"""How is a page, as the spider has it, looked at in a browser?"""

from __future__ import annotations

import mimetypes
import re
import tempfile
import webbrowser
from html import escape
from pathlib import Path

from crawler.model.response import Response
from crawler.model.url import without_credentials

_DOCTYPE = re.compile(r"\s*<!doctype[^<>]*>", re.IGNORECASE)
_SUFFIXES = {"html": ".html", "xml": ".xml", "json": ".json", "text": ".txt"}


def open_in_browser(response: Response) -> Path:
    """Write a page to a temporary file, open that in the browser and return its path; print it if there is none.

    A ``<base>`` lets the links of a page of HTML, its images and styles lead to where they come from.
    Raises TypeError for what is no response, as the prompt's is when no page came.
    """
    if not isinstance(response, Response):
        raise TypeError(f"expected a response, got {response!r}")
    path = written(response)
    if not webbrowser.open(path.as_uri()):
        print(path)
    return path


def written(response: Response) -> Path:
    """Write a page to a temporary file; return its path."""
    content_type = (response.headers.text("Content-Type") or "").partition(";")[0].strip().lower()
    suffix = _SUFFIXES.get(response.kind) or mimetypes.guess_extension(content_type) or ".bin"
    with tempfile.NamedTemporaryFile(prefix="crawler-", suffix=suffix, delete=False) as file:
        file.write(_with_base(response) if response.is_html else response.body)
    return Path(file.name)


def _with_base(response: Response) -> bytes:
    """Return a page of HTML in UTF-8, whose byte order mark is above whatever the page says of its encoding."""
    text = response.text
    doctype = _DOCTYPE.match(text)  # what stands before it would make the browser think of a page of the nineties
    at = doctype.end() if doctype else 0
    base = f'<base href="{escape(without_credentials(response.base.href))}">'
    return (text[:at] + base + text[at:]).encode("utf-8-sig", "replace")
