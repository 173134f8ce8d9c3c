"""What may a setting hold, beyond what its type says?

The schema names one of these rules beside a setting's type, by ``Holds``. A rule takes the value as the type has it
and returns it, as it is used; it raises ValueError with the reason, which the user reads behind the setting's name.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple, TypeVar, get_args

from crawler.config.kinds import Kind
from crawler.config.nearest import did_you_mean
from crawler.config.parse import WrongValue, check, shorten
from crawler.errors import InvalidRequest
from crawler.model.headers import Headers
from crawler.model.masking import masked
from crawler.model.url import is_http, normalise, origin_of, split
from crawler.policy.scope import POLICIES

T = TypeVar("T")
SERVER_SCHEMES = ("redis", "rediss", "unix")
_is_prefix = re.compile(r"[A-Za-z0-9_.-]{1,50}").fullmatch
_is_scheme = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE | re.ASCII).fullmatch


class Holds(NamedTuple):
    """Part of an annotation: ``Annotated[str, Holds(rule)]``."""

    rule: Callable[[Any], Any]


def held(value: T, kind: Kind) -> T:
    """Return a value of the right type in the form that the rules of its annotation give it. Raises ValueError."""
    if value is not None and hasattr(kind, "__metadata__"):
        for extra in get_args(kind)[1:]:
            if isinstance(extra, Holds):
                value = extra.rule(value)
    return value


def options(kinds: Mapping[str, Any], key: Callable[[str], str]) -> Holds:
    """Each key of a dict passes ``key``; each value is a dict of options of these types, and no others."""

    def rule(value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {key(name): _options(name, given, kinds) for name, given in value.items()}

    return Holds(rule)


def _options(name: str, given: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    checked = {}
    for option, value in given.items():
        if option not in kinds:
            hint = did_you_mean(option, kinds) or f"; there are {', '.join(kinds)}"
            raise WrongValue(f"{name}: there is no option {shorten(option)}{hint}")
        try:
            checked[option] = check(value, kinds[option])
        except WrongValue as error:
            raise WrongValue(f"{name}: {option}: {error}") from error
    return checked


def slot(name: str) -> str:
    """A host name, or any other name of a queue, but no URL."""
    if "://" in name:
        raise WrongValue(f"expected the name of a host, got the URL {shorten(name)}")
    return name


def host(name: str) -> str:
    """A host name or address alone; returned as it stands in URLs."""
    try:
        found = split(normalise(f"http://{name}/"))
    except InvalidRequest:
        found = None
    if found is None or not found.host or found.path != "/" or found.port != 80 or found.username:
        raise WrongValue(f"expected the name of a host without port, got {shorten(name)}")
    return found.host


def origins(value: dict[str, str]) -> dict[str, str]:
    """The keys are origins, the values "user:password"."""
    for name, pair in value.items():
        origin(name)
        if ":" not in pair:
            raise WrongValue(f'{shorten(name)}: expected "user:password" ("user:" where there is no password)')
    return value


def origin(name: str) -> str:
    """Return the origin that a key of HTTP_AUTH names; one without scheme is that of https. Raises WrongValue."""
    try:
        url = normalise(name if "://" in name else f"https://{name}")
    except InvalidRequest as error:
        raise WrongValue(f'{shorten(name)} is no origin such as "https://example.com": {error}') from error
    if not is_http(url) or split(url).path != "/":
        raise WrongValue(f'{shorten(name)} is no origin such as "https://example.com"')
    return origin_of(url)


def address(value: str) -> str:
    """An IP address, perhaps with a zone."""
    try:
        ip_address(value.partition("%")[0])
    except ValueError:
        raise WrongValue(f"expected an IP address of this machine, got {shorten(value)}") from None
    return value


def store(value: Any) -> Any:
    """A URL among the values of JOB_STORE is that of a server."""
    if isinstance(value, str) and "://" in value and value.partition("://")[0] not in SERVER_SCHEMES:
        schemes = ", ".join(f"{scheme}://" for scheme in SERVER_SCHEMES)
        raise WrongValue(f"expected a URL that begins with one of {schemes}, got {shorten(masked(value))}")
    return value


def prefix(value: str) -> str:
    """The beginning of keys on a server, where a colon ends it."""
    if not _is_prefix(value):
        raise WrongValue(f"expected up to 50 letters, digits, '-', '_' and '.', got {shorten(value)}")
    return value


def path(value: str) -> str:
    """The name of a file or folder, there or not."""
    if not value.strip() or "\0" in value:
        raise WrongValue(f"expected the name of a file or folder, got {shorten(value)}")
    return value


def item_key(value: Any) -> Any:
    """A function, the name of a field, or the names of several: a list, or a text with commas."""
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
        value = value[0] if len(value) == 1 else value
    names = value if isinstance(value, list) else [value]
    if callable(value) or (names and all(isinstance(name, str) and name for name in names)):
        return value
    raise WrongValue(f"expected the name of a field, a list of names, or a function, got {shorten(value)}")


def encoding(value: str) -> str:
    """The name of an encoding of texts that Python knows."""
    try:
        "[".encode(value)
        codecs.lookup(value)
    except (LookupError, UnicodeError, TypeError, ValueError):
        raise WrongValue(f"expected the name of an encoding such as utf-8, got {shorten(value)}") from None
    return value


def header(value: str) -> str:
    """The value of a header field."""
    Headers({"User-Agent": value})
    return value


def headers(value: dict[str, str | int | None]) -> dict[str, str | int | None]:
    """Header fields; None sends none."""
    Headers({name: given for name, given in value.items() if given not in (None, "")})
    return value


def header_sets(value: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Several sets of header fields."""
    for fields in value:
        Headers(fields)
    return list(value)


def statuses(value: list[int]) -> list[int]:
    """HTTP statuses: three digits, for servers send others than RFC 9110 knows."""
    for status in value:
        if not 100 <= status <= 999:
            raise WrongValue(f"expected statuses from 100 to 999, got {status}")
    return value


def schemes(value: dict[str, Any]) -> dict[str, Any]:
    """The keys are schemes of URLs."""
    for name in value:
        if not _is_scheme(name):
            raise WrongValue(f'expected a scheme such as "ftp", got {shorten(name)}')
    return value


def referrer_policy(value: str) -> str:
    """A policy, or a list of them at commas, of which the last counts (Referrer Policy §8.1)."""
    words = [word.strip() for word in value.lower().split(",")]
    for word in words:
        if word not in POLICIES:
            hint = did_you_mean(word, POLICIES)
            raise WrongValue(f"expected one of {', '.join(POLICIES)}, got {shorten(word)}{hint}")
    return words[-1]
