"""Which request does a curl command send?

Browsers write such commands ("copy as cURL"). Options are curl's (https://curl.se/docs/manpage.html); those
that say how curl is to work, and not what is sent, are passed over. What would be sent and cannot be, or
lies in a file, is an error: a command is understood as a whole or not at all.
"""

from __future__ import annotations

import re
import warnings
from base64 import b64encode
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from crawler.model.curl_options import BODIES, FORMS, Given
from crawler.model.formdata import Typed, multipart_encoded
from crawler.model.invalid import InvalidRequest
from crawler.model.shellwords import words_of

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://").match
_IPV6 = re.compile(r"^[^/]*//(?:[^/?#]*@)?\[[0-9a-fA-F:.%]+\]")
# A text in quotes or up to a ";", and what curl may be told of it but for the type is not done.
_FORM_VALUE = re.compile(r'[ \t]*(?:"((?:[^"\\]|\\.)*)"|((?!["(])[^;]*))(?:;type=([^;]+))?', re.DOTALL).fullmatch
_RAW_BYTES = re.compile("[\udc80-\udcff]+")
_OF_CLIENT = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "referer", "user-agent"})
"""Fields that are sent when nothing is said of them: "-H 'Accept:'" sends none."""


def arguments_of(command: str, *, ignore_unknown: bool = True) -> dict[str, Any]:
    """Return the arguments of a Request that sends what the command sends.

    The command is written for a POSIX shell, bash's $'…' included, or for Windows' cmd. An option that curl
    has not is a UserWarning, or else InvalidRequest, which all that cannot be sent so is, too.
    """
    words = words_of(command)
    if words[:1] not in (["curl"], ["curl.exe"]):
        raise InvalidRequest(f"a curl command starts with curl, got {command[:80]!r}")
    given = Given(words[1:])
    if given.unknown:
        said = f"curl options that are not known here: {' '.join(given.unknown)}"
        if not ignore_unknown:
            raise InvalidRequest(said)
        warnings.warn(said, stacklevel=3)
    arguments: dict[str, Any] = {"url": _url(given)}
    headers, cookies = _fields(given)
    _set_body(arguments, headers, given)
    more = {
        "method": given.last("--request"),
        "headers": headers,
        "cookies": cookies,
        "proxy": _proxy(given),
        "timeout": given.seconds(),
    }
    return arguments | {name: value for name, value in more.items() if value}


def _url(given: Given) -> str:
    if not given.urls:
        raise InvalidRequest("the curl command has no URL")
    if len(given.urls) > 1:
        raise InvalidRequest(f"the curl command has {len(given.urls)} URLs, and a request has one: {given.urls!r}")
    url = given.urls[0]
    if not _SCHEME(url):
        url = f"ftp://{url}" if url.lower().startswith("ftp.") else f"http://{url}"
    if not given.has("--globoff") and re.search(r"[\[\]{}]", _IPV6.sub("", url)):
        raise InvalidRequest(f"curl makes several URLs of the brackets in {url!r}; if they are part of it say -g")
    return _RAW_BYTES.sub(lambda found: quote(found[0].encode("utf-8", "surrogateescape")), url)


def _proxy(given: Given) -> str | None:
    proxy, user = given.last("--proxy"), given.last("--proxy-user")
    if not proxy or not user:
        return proxy
    scheme, mark, rest = proxy.rpartition("://")
    name, colon, password = user.partition(":")
    return f"{scheme or 'http'}{mark or '://'}{quote(name, '')}{colon}{quote(password, '')}@{rest.rpartition('@')[2]}"


def _fields(given: Given) -> tuple[list[tuple[str, str | None]], dict[str, str]]:
    headers: list[tuple[str, str | None]] = []
    lines = []
    for line in given.every("--header"):
        if line.startswith("@"):
            raise InvalidRequest(f"curl -H {line}: the fields are in a file; write them out")
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if name.lower() == "cookie":
            lines.append(value)
        elif value:
            headers.append((name, value))
        elif line.rstrip().endswith(";") and not colon:
            headers.append((line.rstrip()[:-1], ""))
        elif colon and name.lower() in _OF_CLIENT:
            headers.append((name, None))
    for line in given.every("--cookie"):
        if line and "=" not in line:
            raise InvalidRequest(f"curl -b {line}: the cookies are in a file; give them as NAME=VALUE")
        lines.append(line)
    there = {name.lower() for name, _ in headers}
    more = [("User-Agent", given.last("--user-agent")), ("Referer", (given.last("--referer") or "").split(";auto")[0])]
    span = given.last("--range")
    more += [("Authorization", _authorization(given)), ("Range", f"bytes={span}" if span else None)]
    headers += [(name, value) for name, value in more if value and name.lower() not in there]
    if given.last("--user-agent") == "" and "user-agent" not in there:
        headers.append(("User-Agent", None))
    return headers, _cookies(lines, headers)


def _cookies(lines: Iterable[str], headers: list[tuple[str, str | None]]) -> dict[str, str]:
    """Return cookies by name; a name that comes twice goes into a header, for a jar has one of each."""
    pairs = [pair.strip().partition("=") for line in lines for pair in line.split(";") if pair.strip()]
    cookies = {name.strip() if equals else "": value.strip() if equals else name for name, equals, value in pairs}
    if len(cookies) == len(pairs):
        return cookies
    headers.append(("Cookie", "; ".join("".join(pair) for pair in pairs)))
    return {}


def _authorization(given: Given) -> str | None:
    if (token := given.last("--oauth2-bearer")) is not None:
        return f"Bearer {token}"
    user = given.last("--user")
    if not user:
        return None
    if ":" not in user:
        raise InvalidRequest("curl -u without a password, which curl would ask for; give -u NAME:PASSWORD")
    return "Basic " + b64encode(user.encode("utf-8", "surrogateescape")).decode()


def _set_body(arguments: dict[str, Any], headers: list[tuple[str, str | None]], given: Given) -> None:
    parts = [(name, value) for name, value in given.options if name in BODIES]
    forms = [(name, value) for name, value in given.options if name in FORMS]
    kinds = [name for name, there in (("-d", parts and not given.has("--get")), ("-F", forms)) if there]
    kinds += ["-I"] if given.has("--head") else []
    if len(kinds) > 1 or (forms and given.has("--get")):
        raise InvalidRequest(f"curl sends one kind of request, and this command has {' and '.join(kinds or ['-G'])}")
    if given.has("--head"):
        arguments["method"] = "HEAD"
    if forms:
        _set_form(arguments, headers, forms)
    if not parts:
        return
    json = any(name == "--json" for name, _ in parts)
    body = ("" if json else "&").join(_part(name, value) for name, value in parts)
    if given.has("--get"):
        url, mark, fragment = arguments["url"].partition("#")
        between = "" if url.endswith("?") or not body else "&" if "?" in url else "?"
        arguments["url"] = f"{url}{between}{body}{mark}{fragment}"
        return
    arguments |= {"method": "POST", "body": body.encode("utf-8", "surrogateescape")}
    there = {name.lower() for name, _ in headers}
    added = {"Content-Type": "application/json", "Accept": "application/json"} if json else {}
    for name, value in (added or {"Content-Type": "application/x-www-form-urlencoded"}).items():
        if name.lower() not in there:
            headers.append((name, value))


def _part(option: str, value: str) -> str:
    name, equals, content = value.partition("=")
    encoded = option == "--data-urlencode"
    if option != "--data-raw" and ("@" in name and not equals if encoded else value.startswith("@")):
        raise InvalidRequest(f"curl {option} {value}: the body is in a file; give its text")
    if not encoded:
        return value
    octets = (content if equals else value).encode("utf-8", "surrogateescape")
    return f"{name}={quote_plus(octets)}" if equals and name else quote_plus(octets)


def _form_value(name: str, value: str) -> bytes:
    """Return the value of a part, which may stand in quotes, with its type where it says one."""
    found = _FORM_VALUE(value)
    if found is None or not name:
        raise InvalidRequest(f"curl -F {name}={value}: parts with options; --form-string takes a text as it is")
    quoted, plain, content_type = found.groups()
    text = plain if quoted is None else re.sub(r"\\([\\\"])", r"\1", quoted)
    octets = text.encode("utf-8", "surrogateescape")
    if content_type is None:
        return octets
    typed = Typed(octets)
    typed.content_type = content_type.encode("utf-8", "surrogateescape")
    return typed


def _set_form(arguments: dict[str, Any], headers: list[tuple[str, str | None]], forms: list[tuple[str, str]]) -> None:
    pairs: list[tuple[str | bytes, str | bytes]] = []
    for option, field in forms:
        name, equals, value = field.partition("=")
        if not equals:
            raise InvalidRequest(f"curl {option} {field}: not NAME=VALUE")
        if option == "--form" and value[:1] in ("@", "<"):
            raise InvalidRequest(f"curl {option} {field}: the value is in a file; use Request(files=…) for it")
        octets = _form_value(name, value) if option == "--form" else value.encode("utf-8", "surrogateescape")
        pairs.append((name.encode("utf-8", "surrogateescape"), octets))
    body, content_type = multipart_encoded(pairs, "utf-8")
    arguments |= {"method": "POST", "body": body}
    # curl writes the boundary, whatever a copied field says of it.
    headers[:] = [field for field in headers if field[0].lower() != "content-type"]
    headers.append(("Content-Type", content_type.decode()))
