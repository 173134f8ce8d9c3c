"""What request does a command of curl describe, as Scrapy reads it?

It knows the options that browsers copy, and adds nothing of what curl would send by itself; the native
``Request.from_curl`` knows more of curl.
"""

from __future__ import annotations

import warnings
from argparse import ArgumentParser
from http.cookies import SimpleCookie
from shlex import split
from typing import Any, NoReturn
from urllib.parse import urlparse

from w3lib.http import basic_auth_header


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"There was an error parsing the curl command: {message}")


def _parser() -> _Parser:
    parser = _Parser(add_help=False)
    parser.add_argument("url")
    for names, where in ((("-H", "--header"), "headers"), (("-b", "--cookie"), "cookies")):
        parser.add_argument(*names, dest=where, action="append", default=[])
    parser.add_argument("-d", "--data", "--data-raw", dest="data", action="append", default=[])
    parser.add_argument("-X", "--request", dest="method")
    parser.add_argument("-u", "--user", dest="auth")
    for ignored in (["--compressed"], ["-s", "--silent"], ["-v", "--verbose"], ["-#", "--progress-bar"]):
        parser.add_argument(*ignored, action="store_true")
    return parser


def curl_to_request_kwargs(curl_command: str, ignore_unknown_options: bool = True) -> dict[str, Any]:
    """Return the arguments of a Request. Raises ValueError for what is no command of curl."""
    name, *words = split(curl_command) or [""]
    if name != "curl":
        raise ValueError('A curl command must start with "curl"')
    given, unknown = _parser().parse_known_args(words)
    if unknown and not ignore_unknown_options:
        raise ValueError(f"Unrecognized options: {', '.join(unknown)}")
    if unknown:
        warnings.warn(f"Unrecognized options: {', '.join(unknown)}", stacklevel=2)
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in given.headers)]
    cookie_lines = [value for name, value in headers if name.title() == "Cookie"]
    cookie_lines += [line for line in given.cookies if "=" in line]  # any other names a file
    headers = [pair for pair in headers if pair[0].title() != "Cookie"]
    if given.auth:
        headers.append(("Authorization", basic_auth_header(*given.auth.split(":", 1))))
    url = given.url if urlparse(given.url).scheme else f"http://{given.url}"
    body = "&".join(text.removeprefix("$") for text in given.data)  # what is left of the shell's $'…'
    found: dict[str, Any] = {"headers": headers, "body": body}
    found["cookies"] = {name: each.value for line in cookie_lines for name, each in SimpleCookie(line).items()}
    method = (given.method or ("POST" if body else "GET")).upper()
    return {"method": method, "url": url, **{name: value for name, value in found.items() if value}}
