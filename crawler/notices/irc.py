"""How is a notice said in a channel of IRC?

By Twisted's IRC client (RFC 1459, RFC 2812): it comes, says a few lines, and leaves. A password is the one of SASL
PLAIN (IRCv3), over TLS alone; none is ever told to a nick that calls itself a service. Lines fit into 512 bytes with
what the server sets before them, and come no faster than RFC 1459 §8.10 lets them.
"""

# ruff: noqa: N802, N803, N815 - the names are those of Twisted's classes

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure
from twisted.words.protocols.irc import IRCClient

from crawler.notices.network import Network
from crawler.notices.notice import Notice, NotSent
from crawler.notices.places import Place

MOST_LINES = 8
AT_ONCE = 5
SECONDS_A_LINE = 2.0
"""RFC 1459 §8.10: each message costs two seconds, and a client may be ten seconds ahead."""

_LONGEST = 510
_LONGEST_HOST = 63
_LONGEST_USER = 10
_MOST_NICKS = 4
_SASL_CHUNK = 400

_KNOWN = frozenset(
    ("CAP", "AUTHENTICATE", "903", "PING", "PONG", "JOIN", "ERROR", "RPL_WELCOME", "ERR_NICKNAMEINUSE")
)  # what others say to us is nothing to us: no CTCP is answered
_REFUSALS = frozenset(
    (
        "ERR_NOSUCHCHANNEL", "ERR_CANNOTSENDTOCHAN", "ERR_TOOMANYCHANNELS", "ERR_CHANNELISFULL", "ERR_INVITEONLYCHAN",
        "ERR_BANNEDFROMCHAN", "ERR_BADCHANNELKEY", "ERR_BADCHANMASK", "ERR_PASSWDMISMATCH", "ERR_YOUREBANNEDCREEP",
        "ERR_ERRONEUSNICKNAME", "437", "477", "489", "902", "904", "905", "906",
    )
)  # fmt: skip
"""Answers after which nothing is said: of RFC 2812 by Twisted's names, later ones by number."""


def pieces(text: str, size: int) -> Iterator[str]:
    """Cut a text into pieces of at most so many bytes of UTF-8, at the bounds of characters."""
    data = text.encode()
    while data:
        piece = data[:size].decode("utf-8", "ignore")
        yield piece
        data = data[len(piece.encode()) :]


def said(notice: Notice, place: Place, nick: str) -> list[str]:
    """Return the lines of a notice as they are sent, MOST_LINES at most."""
    before = len(f":{nick}!@ PRIVMSG {place.to[0]} :".encode()) + _LONGEST_USER + _LONGEST_HOST
    lines = [piece for text in (notice.title, *notice.lines) for piece in pieces(text, _LONGEST - before)]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = [f"… {len(lines) - MOST_LINES + 1} more lines"]
    return lines


async def send_irc(place: Place, notice: Notice, network: Network, tls: Any) -> None:
    """Say a notice in its channel. Raises NotSent."""
    client = _Visit(place, notice, network)
    await network.connect(place.server, _Comes(client), tls)
    try:
        await client.done
    finally:
        client.leave()


_Client: Any = IRCClient  # its methods have no annotations


class _Comes(Factory[Any]):
    """Makes the one client that there is."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def buildProtocol(self, addr: object) -> Any:
        """See IProtocolFactory."""
        return self._client


class _Visit(_Client):  # type: ignore[misc]  # for that reason
    """Comes, says a notice, and asks whether it was heard. ``done`` fires then, or fails."""

    performLogin = 0
    realname = "notices of a crawler"

    def __init__(self, place: Place, notice: Notice, network: Network) -> None:
        self.nickname = place.sender
        self.username = place.sender[: _LONGEST_USER - 1]  # a server may set "~" before it
        self.done: Deferred[None] = Deferred()
        self._place = place
        self._notice = notice
        self._network = network
        self._nicks = 1

    def connectionMade(self) -> None:
        """Introduce ourselves. (Twisted's.)"""
        super().connectionMade()
        if self._place.server.password is not None:
            self.sendLine("CAP REQ :sasl")
        self.register(self.nickname)

    # SASL: IRCv3 "sasl" and "capability-negotiation"

    def irc_CAP(self, prefix: str, params: list[str]) -> None:
        """The server can do SASL, or not."""
        if "ACK" in params:
            self.sendLine("AUTHENTICATE PLAIN")
        else:
            self.fail(NotSent("the server has no SASL to take the password by"))

    def irc_AUTHENTICATE(self, prefix: str, params: list[str]) -> None:
        """The server waits for name and password."""
        server = self._place.server
        secret = b64encode(f"\0{server.user}\0{server.password}".encode()).decode()
        chunks = [secret[start : start + _SASL_CHUNK] for start in range(0, len(secret), _SASL_CHUNK)]
        for chunk in [*chunks, *(["+"] if len(chunks[-1]) == _SASL_CHUNK else [])]:
            self.sendLine(f"AUTHENTICATE {chunk}")

    def irc_903(self, prefix: str, params: list[str]) -> None:
        """The password is right."""
        self.sendLine("CAP END")

    # The visit

    def irc_ERR_NICKNAMEINUSE(self, prefix: str, params: list[str]) -> None:
        """Take another nick. (Twisted's.)"""
        self._nicks += 1
        if self._nicks > _MOST_NICKS:
            self.fail(NotSent(f"the nick {self._place.sender} and others like it are in use", again=True))
        else:
            super().irc_ERR_NICKNAMEINUSE(prefix, params)

    def signedOn(self) -> None:
        """We are in. (Twisted's.)"""
        key = f" {self._place.key}" if self._place.key else ""
        self.sendLine(f"JOIN {self._place.to[0]}{key}")

    def joined(self, channel: str) -> None:
        """We are in the channel. (Twisted's.)"""
        self._say(said(self._notice, self._place, self.nickname), AT_ONCE)

    def _say(self, lines: list[str], now: int) -> None:
        if self.done.called:
            return
        for text in lines[:now]:
            self.sendLine(f"PRIVMSG {self._place.to[0]} :{text}")
        if rest := lines[now:]:
            self._network.later(SECONDS_A_LINE).addCallback(lambda _: self._say(rest, 1))
        else:
            self.sendLine("PING :said")  # what is answered to it comes behind what is said to the lines

    def irc_PONG(self, prefix: str, params: list[str]) -> None:
        """All was taken. (Twisted's.)"""
        if not self.done.called:
            self.done.callback(None)

    def irc_ERROR(self, prefix: str, params: list[str]) -> None:
        """The server ends the connection. (Twisted's.)"""
        self.fail(NotSent(f"the server says {' '.join(params)}", again=True))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone. (Twisted's.)"""
        super().connectionLost(reason)
        self.fail(reason.value or ConnectionLost())

    def fail(self, error: BaseException) -> None:
        """Nothing more can be said."""
        if not self.done.called:
            self.done.errback(error)

    def leave(self) -> None:
        """Say goodbye."""
        if self.connected:
            self.sendLine("QUIT :")
            self.transport.loseConnection()

    # What others may send

    def lineReceived(self, line: bytes) -> None:
        """Take a line of any bytes. (Twisted's.)"""
        with suppress(ValueError):  # a prefix and nothing else
            super().lineReceived(line.decode("utf-8", "replace"))

    def handleCommand(self, command: str, prefix: str, params: list[str]) -> None:
        """Act on what is known; what is not formed as it should be says nothing. (Twisted's.)"""
        if command in _REFUSALS:
            self.fail(NotSent(f"the server says {' '.join(params[1:])}"))
        elif (act := getattr(self, f"irc_{command}", None)) is not None and command in _KNOWN:
            with suppress(IndexError):
                act(prefix, params)

    def badMessage(self, line: str, excType: type, excValue: BaseException, tb: Any) -> None:
        """Pass over what is no message. (Twisted's, which logs it.)"""

    def startHeartbeat(self) -> None:
        """A visit is short. (Twisted's goes by the global reactor.)"""
