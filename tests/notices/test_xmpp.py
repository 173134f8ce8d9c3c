"""Is a notice the text of one stanza whatever is in it, and is nothing said before TLS?"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from crawler.notices.notice import Notice, NotSent, notice
from crawler.notices.places import Place
from tests.notices.support import NAUGHTY, MemoryNetwork, Sending, place, told

STREAM = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "id='1' from='example.com' version='1.0'>"
)
TLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
SASL = (
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism>"
    "<mechanism>PLAIN</mechanism></mechanisms>"
)
BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
SUCCESS = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"


def features(*inside: str) -> str:
    return f"<stream:features>{''.join(inside)}</stream:features>"


def account(to: str = "xmpp:ops@example.com") -> Place:
    return place({"to": to, "by": "xmpp://bot:secret@example.com"})


def begun(to: str = "xmpp:ops@example.com", what: Notice | None = None) -> tuple[MemoryNetwork, Sending]:
    network = MemoryNetwork()
    return network, Sending(network, account(to), what or told())


def logged_in(network: MemoryNetwork) -> None:
    network.hears(STREAM + features(TLS))
    network.hears(PROCEED)
    network.hears(STREAM + features(SASL))
    network.hears(SUCCESS)
    network.hears(STREAM + features(BIND))
    number = re.findall(r"id='([^']+)'", network.said())[-1]
    network.hears(f"<iq type='result' id='{number}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                  "<jid>bot@example.com/1</jid></bind></iq>")  # fmt: skip


def why(sending: Sending) -> str:
    assert isinstance(sending.outcome, NotSent), sending.outcome
    return str(sending.outcome)


def test_nothing_that_a_page_says_becomes_a_stanza() -> None:
    what = notice("k", "errors", NAUGHTY, [NAUGHTY, "'\"<stream:error/></stream:stream>"])
    network, sending = begun(what=what)
    logged_in(network)
    sent = ElementTree.fromstring(f"<all>{network.said()}</all>")

    assert [each.tag for each in sent] == ["message", "iq"]
    message, ping = sent
    assert (message.get("to"), message.get("type")) == ("ops@example.com", "chat")
    assert [child.tag for child in message] == ["body"]
    assert message[0].text == what.text
    assert sending.outcome is None
    network.hears(f"<iq type='error' id='{ping.get('id')}' from='example.com'><error type='cancel'>"
                  "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")  # fmt: skip
    assert sending.outcome == "sent"
    assert network.said() == "</stream:stream>"
    assert network.transport.disconnecting


def test_nothing_of_ours_is_said_before_tls() -> None:
    network, sending = begun()
    network.hears(STREAM + features(SASL, BIND))
    assert why(sending) == "the server has no TLS, or no way to log in, for our address"
    assert "secret" not in network.said()

    network, sending = begun()
    network.hears(STREAM + features(TLS, SASL))
    assert network.said().endswith("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    network.hears(PROCEED + features(SASL))  # what came in the open counts for nothing
    assert network.transport.secure
    assert "auth" not in network.said()
    network.hears(STREAM + features(SASL))
    assert ">AGJvdABzZWNyZXQ=</auth>" in network.said()


def test_a_room_is_entered_and_hears_it_once_we_are_in() -> None:
    network, sending = begun("xmpp:crawls@rooms.example.com?join")
    logged_in(network)
    entering = network.said()
    assert "to='crawls@rooms.example.com/bot'" in entering
    assert "<history maxstanzas='0'/>" in entering
    network.hears("<presence type='error' from='crawls@rooms.example.com/bot'><error type='cancel'>"
                  "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>")  # fmt: skip
    assert "to='crawls@rooms.example.com/bot_'" in network.said()
    network.hears("<presence from='crawls@rooms.example.com/somebody'/>")
    assert network.said() == ""
    network.hears("<presence from='crawls@rooms.example.com/bot_'>"
                  "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>")  # fmt: skip
    assert "type='groupchat'" in network.said()
    assert sending.outcome is None
    network.hears("<message type='groupchat' id='notice' from='crawls@rooms.example.com/bot_'><body>x</body></message>")
    assert sending.outcome == "sent"


@pytest.mark.parametrize(
    ("stanza", "said", "again"),
    [
        ("<message type='error' id='notice' from='ops@example.com'><error type='cancel'>"
         "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
         "the server says service-unavailable", False),
        ("<message type='error' id='notice' from='ops@example.com'><error type='wait'>"
         "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
         "the server says remote-server-timeout", True),
        ("<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
         "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>too\u2028much</text></stream:error>",
         "the server says policy-violation: too\\u2028much", False),
    ],
)  # fmt: skip
def test_a_refusal_is_named(stanza: str, said: str, again: bool) -> None:
    network, sending = begun()
    logged_in(network)
    network.hears(stanza)
    assert why(sending) == said
    assert sending.outcome.again is again


def test_a_wrong_password_is_named_without_it() -> None:
    network, sending = begun()
    network.hears(STREAM + features(TLS))
    network.hears(PROCEED)
    network.hears(STREAM + features(SASL))
    network.hears("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>")
    assert why(sending) == "the server refuses name or password (not-authorized)"
    assert not sending.outcome.again


@pytest.mark.parametrize("garbage", ["what?", "<a><b></a>", "\0", "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;"])
def test_a_server_that_speaks_something_else_is_left(garbage: str) -> None:
    network, sending = begun()
    network.hears(garbage)
    network.transport.loseConnection()
    assert isinstance(sending.outcome, NotSent)
