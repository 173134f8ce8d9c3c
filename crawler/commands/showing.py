"""How is text shown on the user's terminal?

Without passwords, and without what a page may have put into it to move the cursor or to turn the text around.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click
import msgspec

from crawler.config.kinds import Value
from crawler.model.masking import (
    HIDDEN,
    escape,
    harmless,
    is_secret_name,
    masked,
    without_secret_entries,
    without_secrets,
)


def shown(text: str) -> str:
    """Return a text of several lines, perhaps, as it may be printed."""
    return "\n".join(map(escape, masked(text).split("\n")))


def say(text: str, *, err: bool = False) -> None:
    """Print a text for people."""
    click.echo(shown(text), err=err)


def say_json(encoded: bytes) -> None:
    """Print JSON, which may hold any character as an escape."""
    click.echo(harmless(encoded.decode()))


_SECRETS = frozenset({"JOB_STORE_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "STATUS_TOKEN"})


def without_passwords(name: str, value: Value) -> Value:
    """Return the value of a setting as it is shown: plain values, what is not plain as it is."""
    if name in _SECRETS and value is not None:
        return HIDDEN
    if name == "HTTP_AUTH" and isinstance(value, Mapping):
        return {masked(str(origin)): f"{str(user).rpartition(':')[0]}:***" for origin, user in value.items()}
    if name == "HTTP_AUTH" and isinstance(value, str):
        return "***"
    if name == "PROXIES" and isinstance(value, str):
        return ",".join(map(_proxy, value.split(",")))
    if name == "PROXIES" and isinstance(value, (list, tuple)):
        return [_proxy(str(proxy)) for proxy in value]
    if name == "NOTICES" and isinstance(value, (list, tuple)):
        return [_notice(table) if isinstance(table, Mapping) else HIDDEN for table in value]
    return _plain(value)


def _plain(value: Value) -> Value:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(each) for key, each in without_secrets(value).items()}
    return [_plain(each) for each in value] if type(value) is list or type(value) is tuple else value


def _proxy(url: str) -> str:
    return masked(url) if "//" in url else masked(f"//{url.strip()}")[2:]


def _notice(table: Mapping[str, Value]) -> Value:
    """Whoever knows the URL of a hook may write to its channel; the name of a variable ("$NAME") says nothing."""
    hidden = {**table}
    if not str(table.get("key", "$")).startswith("$"):
        hidden["key"] = HIDDEN
    to = table.get("to")
    if isinstance(to, str) and to.startswith(("http://", "https://")):
        hidden["to"] = "/".join([*masked(to).split("/")[:3], "…"])
    return _plain(hidden)


def on_terminal() -> bool:
    """Tell whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def setting_text(name: str, value: Value) -> str:
    """Return a setting as typed, with ``***`` for what its name, or that of an entry of it, calls a secret."""
    if value and is_secret_name(name):
        return HIDDEN
    return as_typed(without_passwords(name, without_secret_entries(value) if isinstance(value, Mapping) else value))


def as_typed(value: Value) -> str:
    """Return a value as one writes it after ``-s NAME=``, where that is possible."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value, enc_hook=_named).decode()
    except (TypeError, ValueError):
        return repr(value)


def _named(value: Value) -> str:
    module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    return f"{module}.{name}" if name else str(value)
