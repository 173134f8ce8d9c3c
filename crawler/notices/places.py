"""Where do notices go, and what is wrong with how that was said?

An entry of the setting NOTICES is a table: ``to`` names who is told, ``by`` the account or server that takes it there.
Passwords stand in the URL of ``by``, or are found as those of stores are: in STORE_CREDENTIALS, a setting or a variable
of the environment. Any text may be ``$NAME``: what that variable of the environment holds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args
from urllib.parse import unquote, urlsplit

from msgspec import Struct, ValidationError, convert, field

from crawler.config.credentials import user_of, with_password
from crawler.config.schema import CoreSettings
from crawler.errors import SettingError, UsageError
from crawler.model.masking import without_secrets
from crawler.notices.notice import Occasion

Kind = Literal["mail", "irc", "xmpp", "hook"]

OCCASIONS: tuple[Occasion, ...] = get_args(Occasion)

_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25, "ircs": 6697, "irc+plain": 6667, "xmpp": 0}
_UNENCRYPTED = frozenset({"smtp+plain", "irc+plain"})
_SHAPES = "mailto:ADDRESS, ircs://… or irc+plain://…, xmpp:ADDRESS, https://…"

# RFC 5321 §4.1.2 without quoted local parts and address literals; ASCII alone, as many servers know no SMTPUTF8.
_is_address = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*").fullmatch
# RFC 2812 §2.3.1 and §1.3, where a channel is at most 50 characters.
_is_nick = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,29}").fullmatch
_is_channel = re.compile(r"[#&][^\x00-\x20,:\x07\x7f-\x9f]{1,49}").fullmatch
_is_key = re.compile(r"[!-+\--9;-~]{1,23}").fullmatch
# RFC 7622 §3, the common part of it.
_is_jid = re.compile(r"[^\s\"&'/:<>@\x00-\x20]{1,500}@[A-Za-z0-9.-]{1,255}").fullmatch
_is_host = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-f:.]+").fullmatch


class Server(Struct, frozen=True):
    """Who takes a notice. ``port`` 0: the one that the domain names; ``encrypted``: nothing is sent in the open."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    encrypted: bool = True
    tls_first: bool = False


class Place(Struct, frozen=True):
    """Where notices go. ``name`` is what log lines call it: no password in it, nor a path that is as good as one.

    ``to`` are the addresses of a mail, the channel, the address in XMPP (of a room, if ``room``), or the hook's URL.
    """

    kind: Kind
    name: str
    to: tuple[str, ...]
    occasions: frozenset[Occasion]
    server: Server = Server("", 0)
    sender: str = ""
    key: str | None = None
    room: bool = False


class _Entry(Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    to: str
    by: str | None = None
    from_: str | None = None
    on: list[str] = field(default_factory=lambda: [*OCCASIONS])
    key: str | None = None


def places_of(
    entries: Iterable[Mapping[str, Any]], core: CoreSettings, environment: Mapping[str, str] = os.environ
) -> list[Place]:
    """Return the places that the entries of NOTICES name. Raises SettingError, which says which entry is wrong."""
    places = []
    for number, given in enumerate(entries, 1):
        try:
            entry = convert({name: _from(value, environment) for name, value in given.items()}, _Entry)
            places.append(_place(entry, core))
        except (SettingError, UsageError, ValidationError, ValueError) as error:
            raise SettingError(f"NOTICES, entry {number}: {without_secrets(str(error))}") from error
    return places


def _from(value: Any, environment: Mapping[str, str]) -> Any:
    if not isinstance(value, str) or value[:1] != "$":
        return value
    if value[1:] not in environment:
        raise SettingError(f"{value} is not set in the environment")
    return environment[value[1:]]


def _place(entry: _Entry, core: CoreSettings) -> Place:
    scheme = entry.to.partition(":")[0].lower()
    make = {"mailto": _mail, "ircs": _irc, "irc+plain": _irc, "xmpp": _xmpp, "https": _hook, "http": _hook}.get(scheme)
    if make is None:
        hint = " (without TLS it is irc+plain://)" if scheme == "irc" else ""
        raise SettingError(f'"to" is {entry.to!r}, and none of {_SHAPES}{hint}')
    for name in ("by", "from_", "key"):
        if getattr(entry, name) is not None and name not in _TAKEN[scheme]:
            raise SettingError(f'{scheme}: has no "{name.rstrip("_")}"')
    _all(OCCASIONS.__contains__, entry.on, f'none of what "on" may have: {", ".join(OCCASIONS)}')
    return make(entry, core, frozenset(each for each in OCCASIONS if each in entry.on))


_TAKEN: dict[str, tuple[str, ...]] = {
    "mailto": ("by", "from_"), "ircs": ("key",), "irc+plain": ("key",), "xmpp": ("by",), "https": (), "http": (),
}  # fmt: skip


def _mail(entry: _Entry, core: CoreSettings, on: frozenset[Occasion]) -> Place:
    addresses = tuple(unquote(address) for address in entry.to.partition(":")[2].split(","))
    sender = entry.from_ or addresses[0]
    _all(_is_address, (*addresses, sender), "no address of mail such as ops@example.com")
    server = _server(entry.by, core, ("smtp", "smtps", "smtp+plain"))
    return Place("mail", f"mailto:{','.join(addresses)}", addresses, on, server, sender)


def _irc(entry: _Entry, core: CoreSettings, on: frozenset[Occasion]) -> Place:
    address, _, channel = entry.to.partition("//")[2].partition("/")
    scheme = entry.to.partition(":")[0].lower()
    server = _server(f"{scheme}://{address}", core, ("ircs", "irc+plain"))
    channel = unquote(channel)
    if channel[:1] not in ("#", "&"):
        channel = f"#{channel}"
    _all(_is_nick, [server.user or ""], "no nick: it stands before the @ of ircs://")
    _all(_is_channel, [channel], "no channel")
    if entry.key is not None and not _is_key(entry.key):
        raise SettingError('"key", of a channel, is up to 23 characters without spaces, commas and colons')
    return Place("irc", f"{scheme}://{server.host}/{channel}", (channel,), on, server, server.user or "", entry.key)


def _xmpp(entry: _Entry, core: CoreSettings, on: frozenset[Occasion]) -> Place:
    # RFC 5122 §2.8.1: what is to be done stands behind a question mark; XEP-0045 §16.2.1: "join" enters a room.
    address, question, action = entry.to.partition(":")[2].partition("?")
    address = unquote(address.lstrip("/"))
    if question and action != "join":
        raise SettingError(f'expected xmpp:ROOM@HOST?join or xmpp:USER@HOST, got "?{action}"')
    server = _server(entry.by, core, ("xmpp",))
    _all(_is_jid, [address, f"{server.user}@{server.host}"], "no address such as user@example.com")
    if server.password is None:
        raise SettingError(f'"by" has no password: give one in STORE_CREDENTIALS as xmpp://{server.user}:***@HOST')
    return Place("xmpp", f"xmpp:{address}", (address,), on, server, str(server.user), room=bool(question))


def _hook(entry: _Entry, core: CoreSettings, on: frozenset[Occasion]) -> Place:
    parts = urlsplit(entry.to)
    if not parts.hostname:
        raise SettingError("a hook is https://HOST/…")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise SettingError("a hook on another machine is https://, as its URL is a secret")
    port = f":{parts.port}" if parts.port else ""
    return Place("hook", f"{parts.scheme}://{parts.hostname}{port}/…", (entry.to,), on)


def _server(by: str | None, core: CoreSettings, schemes: tuple[str, ...]) -> Server:
    scheme, _, rest = (by or "").partition("://")
    if scheme not in schemes:
        raise SettingError(f'"by" is missing or wrong: expected {schemes[0]}://USER:PASSWORD@HOST')
    parts = urlsplit(f"//{rest}")
    host = parts.hostname or ""
    if not _is_host(host) or parts.path.strip("/") or parts.query:
        raise SettingError(f"{by!r} names no server such as {schemes[0]}://HOST:PORT")
    user, password = user_of(with_password(by or "", core))
    if password is not None and scheme in _UNENCRYPTED:
        raise SettingError(f"{scheme}:// has no TLS, and no password is sent without: say {schemes[0]}://")
    if scheme in ("smtp", "smtps") and user is not None and password is None:
        raise SettingError(f'"by" has no password: give one in STORE_CREDENTIALS as {scheme}://{user}:***@{host}')
    port = parts.port or _PORTS[scheme]
    return Server(host, port, user, password, scheme not in _UNENCRYPTED, scheme in ("smtps", "ircs"))


def _all(passes: Any, texts: Iterable[str], otherwise: str) -> None:
    for text in texts:
        if not passes(text):
            raise SettingError(f"{text!r} is {otherwise}")
