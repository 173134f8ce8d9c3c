"""What is a file called in its store?

By the hash of its URL, as Scrapy has it, so that a store of Scrapy's is gone on with; by what the server calls it, in a
folder named by that hash; or by a function of the user's. Names from the net and from items are data: they never lead
out of the store, are no device of Windows (naming.microsoft.com, "Naming Files"), and turn no text around.
"""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from email.message import Message
from email.utils import collapse_rfc2231_value
from hashlib import sha1
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from crawler.config.components import load_object
from crawler.errors import SettingError

LONGEST_NAME = 150
"""Bytes of a name that a server gives; file systems take 255, of which temporary names need some."""

_LONGEST_SUFFIX = 16
_LONGEST_HEADER = 4096
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)


class BadName(ValueError):
    """A function of the user's has made a name that cannot be one in the store."""


def digest(url: str) -> str:
    """Return the hash of a URL by which its file is found again: SHA-1, as in Scrapy."""
    return sha1(url.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def suffix_of(url: str) -> str:
    """Return the extension that a URL's path has, if it is one that is known: ".pdf"; or "" """
    path = urlsplit(url).path
    suffix = PurePosixPath(path).suffix
    if suffix.lower() in mimetypes.types_map:
        return suffix
    kind, _ = mimetypes.guess_type(path)
    return (kind and mimetypes.guess_extension(kind)) or ""


def offered_name(disposition: str | None, url: str) -> str:
    """Return a safe name from a Content-Disposition (RFC 6266), or without one from the end of the URL's path."""
    name = _file_name(disposition) if disposition else ""
    return safe_name(name) or safe_name(unquote(urlsplit(url).path)) or "file"


def _file_name(disposition: str) -> str:
    message = Message()
    message["Content-Disposition"] = disposition[:_LONGEST_HEADER]
    parameters = message.get_params(header="Content-Disposition") or []
    names = [value for name, value in parameters if name.lower() == "filename"]
    # The coded form (filename*) comes last here, and counts more (RFC 6266 §4.3).
    return collapse_rfc2231_value(names[-1]) if names else ""


def safe_name(text: str) -> str:
    """Return the last part of a path as a name that every system takes; "" if nothing is left of it."""
    name = unicodedata.normalize("NFC", text.replace("\\", "/").rpartition("/")[2])
    name = "".join(character for character in name if character.isprintable() and character not in '<>:"|?*')
    name = name.strip(" .")
    if _DEVICE.match(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = LONGEST_NAME - len(f"{dot}{suffix}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + dot + suffix


def checked_path(path: object) -> str:
    """Return a path within the store that a function of the user's made. Raises BadName for one that is none."""
    if not isinstance(path, str):
        raise BadName(f"a file's name must be a str, not {path!r:.100}")
    parts = path.removesuffix("/").split("/")
    if path.startswith("/") or ".." in parts:
        raise BadName(f"the name {path!r:.200} leads out of the store")
    for part in parts:
        fits = part and part.isprintable() and part[0] != "." and "\\" not in part and len(part.encode()) <= 250
        if not fits or _DEVICE.match(part):
            raise BadName(f"the name {path!r:.200} is none that every system takes")
    return path


def way_of_naming(given: Any, setting: str) -> Any:
    """Return how files are named: "hash", "offered", or a function (request, item) -> str. Raises SettingError."""
    if given in ("hash", "offered") or callable(given):
        return given
    if isinstance(given, str) and "." in given and callable(loaded := load_object(given, setting=setting)):
        return loaded
    raise SettingError(f'{setting}: expected "hash", "offered" or a function (request, item) -> str, got {given!r}')
