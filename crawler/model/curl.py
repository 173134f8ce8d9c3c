"""Which request does a curl command send?

Browsers write such commands ("copy as cURL"). Options are curl's (https://curl.se/docs/manpage.html); those
that say how curl is to work, and not what is sent, are passed over.
"""

from __future__ import annotations

import argparse
import re
import shlex
import warnings
from base64 import b64encode
from typing import Any, NoReturn
from urllib.parse import quote_plus

from crawler.errors import InvalidRequest

_BODIES = ("--data", "--data-ascii", "--data-raw", "--data-binary", "--data-urlencode", "--json")
_PASSED_OVER = (
    ("--compressed", "-s --silent", "-S --show-error", "-v --verbose", "-# --progress-bar", "-i --include"),
    ("-L --location", "-N --no-buffer", "-g --globoff", "-f --fail", "--http1.1", "--http2", "-4 --ipv4", "-6 --ipv6"),
)
_PASSED_OVER_WITH_VALUE = ("-o --output", "-w --write-out", "-c --cookie-jar", "--connect-timeout", "--max-redirs")
# Bash's $'…', which browsers write where a text has a quote or a "!".
_ANSI_QUOTED = re.compile(r"(?<!\S)\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


class _Body(argparse.Action):
    """Keep each part of the body with the option that gave it: they differ in how they read it."""

    def __call__(self, _parser: Any, namespace: Any, value: Any, option_string: str | None = None) -> None:
        namespace.body.append((option_string, value))


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidRequest(f"not a curl command that can be read: {message}")


def _options() -> _Options:
    options = _Options(add_help=False, allow_abbrev=False)
    options.add_argument("urls", nargs="*")
    options.add_argument("--url")
    options.add_argument("-H", "--header", dest="headers", action="append", default=[])
    options.add_argument("-b", "--cookie", dest="cookies", action="append", default=[])
    options.add_argument("-d", *_BODIES, dest="body", action=_Body, default=[])
    for names in ("-X --request", "-u --user", "-A --user-agent", "-e --referer", "-x --proxy"):
        options.add_argument(*names.split())
    options.add_argument("-m", "--max-time", type=float)
    for names in ("-G --get", "-I --head", *(name for row in _PASSED_OVER for name in row)):
        options.add_argument(*names.split(), action="store_true")
    for names in _PASSED_OVER_WITH_VALUE:
        options.add_argument(*names.split())
    return options


def arguments_of(command: str, *, ignore_unknown: bool = True) -> dict[str, Any]:
    """Return the arguments of a Request that sends what the command sends.

    An unknown option is a UserWarning, or else InvalidRequest, which anything that cannot be read is, too.
    """
    try:
        words = shlex.split(_ANSI_QUOTED.sub(_plain_quoted, command.replace("\\\r\n", "\\\n")))
    except ValueError as error:
        raise InvalidRequest(f"not a curl command that can be read: {error}") from error
    if words[:1] != ["curl"]:
        raise InvalidRequest(f"a curl command starts with curl, got {command[:80]!r}")
    given, unknown = _options().parse_known_intermixed_args(words[1:], argparse.Namespace(body=[]))
    if unknown:
        said = f"curl options that are not known here: {' '.join(unknown)}"
        if not ignore_unknown:
            raise InvalidRequest(said)
        warnings.warn(said, stacklevel=3)
    url = given.url or next(iter(given.urls), "")
    if not url:
        raise InvalidRequest("the curl command has no URL")
    arguments: dict[str, Any] = {"url": url if "://" in url else f"http://{url}"}
    headers, cookies = _fields(given)
    _set_body(arguments, headers, given)
    more = {
        "method": given.request,
        "headers": headers,
        "cookies": cookies,
        "proxy": given.proxy,
        "timeout": given.max_time,
    }
    return arguments | {name: value for name, value in more.items() if value}


def _plain_quoted(quoted: re.Match[str]) -> str:
    return shlex.quote(_ESCAPE.sub(_unescaped, quoted[1]))


def _unescaped(escape: re.Match[str]) -> str:
    if code := escape[1] or escape[2] or escape[3]:
        return chr(int(code, 16))
    if escape[4]:
        return chr(int(escape[4], 8) & 0xFF)
    return _LETTERS.get(escape[5], escape[5])


def _fields(given: Any) -> tuple[list[tuple[str, str]], dict[str, str]]:
    headers: list[tuple[str, str]] = []
    cookies: dict[str, str] = {}
    lines = list(given.cookies)
    for line in given.headers:
        name, colon, value = line.partition(":")
        if name.strip().lower() == "cookie":
            lines.append(value)
        elif colon and value.strip():
            headers.append((name.strip(), value.strip()))
    for line in lines:
        pairs = (pair.partition("=") for pair in line.split(";"))
        cookies |= {name.strip(): value.strip() for name, equals, value in pairs if equals}
    named = {"User-Agent": given.user_agent, "Referer": given.referer}
    headers += [(name, value) for name, value in named.items() if value]
    if given.user:
        headers.append(("Authorization", "Basic " + b64encode(given.user.encode()).decode()))
    return headers, cookies


def _set_body(arguments: dict[str, Any], headers: list[tuple[str, str]], given: Any) -> None:
    if given.head:
        arguments["method"] = "HEAD"
    if not given.body:
        return
    json = any(option == "--json" for option, _ in given.body)
    parts = [_part(option, value) for option, value in given.body]
    body = "".join(parts) if json else "&".join(parts)
    if given.get:
        url, mark, fragment = arguments["url"].partition("#")
        arguments["url"] = f"{url}{'&' if '?' in url else '?'}{body}{mark}{fragment}"
        return
    arguments |= {"method": "POST", "body": body}
    there = {name.lower() for name, _ in headers}
    added = {"Content-Type": "application/json", "Accept": "application/json"} if json else {}
    for name, value in (added or {"Content-Type": "application/x-www-form-urlencoded"}).items():
        if name.lower() not in there:
            headers.append((name, value))


def _part(option: str, value: str) -> str:
    if value.startswith("@") and option != "--data-raw":
        raise InvalidRequest(f"{option} {value}: the body is in a file; give its text")
    if option != "--data-urlencode":
        return value
    name, equals, content = value.partition("=")
    return f"{name}={quote_plus(content)}" if equals and name else quote_plus(content or name)
