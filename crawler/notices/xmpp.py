"""How is a notice sent over XMPP?

By Twisted's client (RFC 6120, RFC 6121, XEP-0045 for rooms). STARTTLS is required, and the certificate is verified for
the domain of our address, wherever its server is; the password goes over TLS alone.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.words.protocols.jabber import xmlstream
from twisted.words.protocols.jabber.client import XMPPAuthenticator
from twisted.words.protocols.jabber.error import StanzaError, StreamError, exceptionFromStanza
from twisted.words.protocols.jabber.jid import JID, InvalidFormat
from twisted.words.protocols.jabber.sasl import SASLAuthError
from twisted.words.protocols.jabber.xmlstream import FeatureNotAdvertized, XmlStream, XmlStreamFactory
from twisted.words.xish.domish import Element
from twisted.words.xish.xmlstream import STREAM_END_EVENT

from crawler.notices.network import Network
from crawler.notices.notice import Notice, NotSent
from crawler.notices.places import Place, Server

PORT = 5222
MUC = "http://jabber.org/protocol/muc"
PING = "urn:xmpp:ping"
_MOST_NICKS = 4
_PASSING = frozenset(
    ("remote-server-timeout", "remote-server-not-found", "resource-constraint", "recipient-unavailable")
)
"""Errors of stanzas after which another attempt may go better (RFC 6120 §8.3.3)."""


async def send_xmpp(place: Place, notice: Notice, network: Network, tls: Any) -> None:
    """Send a notice to an address or into a room. Raises NotSent."""
    server = place.server
    where = [(server.host, server.port)] if server.port else await network.services(server.host)
    host, port = where[0] if where else (server.host, PORT)
    try:
        jid, to = JID(f"{server.user}@{server.host}"), JID(place.to[0])
    except InvalidFormat as error:
        raise NotSent(f"no address of XMPP: {error}") from error
    factory = XmlStreamFactory(XMPPAuthenticator(jid, server.password, configurationForTLS=tls))
    sending = _Sending(place, notice, to)
    factory.addBootstrap(xmlstream.STREAM_CONNECTED_EVENT, sending.connected)
    factory.addBootstrap(xmlstream.STREAM_AUTHD_EVENT, sending.begin)
    for event in (xmlstream.INIT_FAILED_EVENT, xmlstream.STREAM_ERROR_EVENT, STREAM_END_EVENT):
        factory.addBootstrap(event, sending.fail)
    protocol = await network.connect(Server(host, port), factory, tls)
    try:
        await sending.done
    except (StreamError, StanzaError, SASLAuthError, FeatureNotAdvertized) as error:
        raise _refused(error) from error
    finally:
        if protocol.connected:
            protocol.send("</stream:stream>")
            protocol.transport.loseConnection()


class _Sending:
    """What is done on one stream. ``done`` fires when the server has taken the notice, or fails."""

    def __init__(self, place: Place, notice: Notice, to: JID) -> None:
        self.done: Deferred[None] = Deferred()
        self._place = place
        self._notice = notice
        self._to = to
        self._nick = place.sender
        self._nicks = 1
        self._stream: XmlStream

    def connected(self, stream: XmlStream) -> None:
        """There is a stream."""
        self._stream = stream

    def begin(self, _: object) -> None:
        """We are logged in."""
        stream = self._stream
        stream.addObserver("/message[@type='error']", self._stanza_failed)
        if self._place.room:
            stream.addObserver("/presence", self._presence)
            self._enter()
        else:
            self._say("chat")

    def _enter(self) -> None:
        presence = Element((None, "presence"))
        presence["to"] = JID(tuple=(self._to.user, self._to.host, self._nick)).full()
        room = presence.addElement((MUC, "x"))
        room.addElement("history")["maxstanzas"] = "0"
        self._stream.send(presence)

    def _presence(self, presence: Element) -> None:
        if JID(presence.getAttribute("from", "")).userhostJID() != self._to or self.done.called:
            return
        if presence.getAttribute("type") == "error":
            error = exceptionFromStanza(presence)
            self._nicks += 1
            if error.condition == "conflict" and self._nicks <= _MOST_NICKS:  # XEP-0045 §7.2.8
                self._nick += "_"
                self._enter()
            else:
                self.fail(Failure(error))
        elif any(status.getAttribute("code") == "110" for status in _statuses(presence)):  # §7.2.2: that is us
            self._stream.removeObserver("/presence", self._presence)
            self._say("groupchat")

    def _say(self, kind: str) -> None:
        message = Element((None, "message"))
        message["to"], message["type"], message["id"] = self._to.full(), kind, "notice"
        message.addElement("body", content=self._notice.text)
        self._stream.send(message)
        # The server acts on stanzas in their order (RFC 6120 §10.1): what is wrong with the message comes before the
        # answer, of whatever kind, to what follows it. In a room that answers for itself the message comes back.
        if kind == "groupchat":
            self._stream.addOnetimeObserver("/message[@type='groupchat'][@id='notice']", self._taken)
            return
        ping = xmlstream.IQ(self._stream, "get")
        ping.addElement((PING, "ping"))
        ping.send(self._place.server.host).addBoth(self._taken)

    def _taken(self, answer: Any) -> None:
        if isinstance(answer, Failure) and not answer.check(StanzaError):
            self.fail(answer)
        elif not self.done.called:
            self.done.callback(None)

    def _stanza_failed(self, stanza: Element) -> None:
        self.fail(Failure(exceptionFromStanza(stanza)))

    def fail(self, failure: Any) -> None:
        """Nothing more can be sent."""
        if not self.done.called:
            self.done.errback(failure if isinstance(failure, Failure) else NotSent("the stream ended", again=True))


def _statuses(presence: Element) -> list[Element]:
    return [child for x in presence.elements() if x.name == "x" for child in x.elements() if child.name == "status"]


def _refused(error: Exception) -> NotSent:
    if isinstance(error, FeatureNotAdvertized):
        return NotSent("the server has no TLS, or no way to log in, for our address")
    if isinstance(error, SASLAuthError):
        return NotSent(f"the server refuses name or password ({error.condition or 'without saying why'})")
    assert isinstance(error, StreamError | StanzaError)
    text = f": {error.text}" if error.text else ""
    return NotSent(f"the server says {error.condition}{text}", again=error.condition in _PASSING)
