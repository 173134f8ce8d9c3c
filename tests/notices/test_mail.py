"""Is a mail one mail whatever is in it, and what if its server is not as it should be?"""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from twisted.internet.error import ConnectionRefusedError as Refused

from crawler.notices.mail import message_of
from crawler.notices.notice import NotSent, notice
from crawler.notices.places import Place
from tests.notices.support import NAUGHTY, MemoryNetwork, Sending, place, told

HELLO = "220 mail.example\n"
BEFORE_TLS = "250-mail.example\n250-STARTTLS\n250 AUTH PLAIN\n"
AFTER_TLS = "250-mail.example\n250 AUTH PLAIN\n"


def mail(by: str = "smtp://bot:secret@mail.example") -> Place:
    return place({"to": "mailto:ops@example.com,dev@example.com", "by": by})


def begun(by: str = "smtp://bot:secret@mail.example") -> tuple[MemoryNetwork, Sending]:
    network = MemoryNetwork()
    sending = Sending(network, mail(by), told())
    network.hears(HELLO)
    assert network.said().startswith("EHLO ")
    return network, sending


def why(sending: Sending) -> str:
    assert isinstance(sending.outcome, NotSent), sending.outcome
    return str(sending.outcome)


def test_nothing_that_a_page_says_becomes_a_header_a_command_or_markup() -> None:
    made = notice("k", "errors", f"Välue {NAUGHTY}", [NAUGHTY, ".", "QUIT", "x" * 5000])
    raw = message_of(made, mail(), 1.7e9)
    message = message_from_bytes(raw, policy=default)

    assert set(message.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    assert message["To"] == "ops@example.com, dev@example.com"
    assert message["Subject"] == made.title
    assert message.get_content_type() == "text/plain"
    assert message.get_content().splitlines() == made.text.split("\n")
    assert raw.isascii()
    assert all(len(line) <= 78 and not line.startswith(b".") for line in raw.split(b"\n"))
    assert b"\r" not in raw


def test_the_password_is_said_under_tls_alone_and_the_mail_is_sent() -> None:
    network, sending = begun()
    network.hears(BEFORE_TLS)
    assert network.said() == "STARTTLS\r\n"
    network.hears("220 go\n")
    assert network.transport.secure
    assert network.said().startswith("EHLO ")
    network.hears(AFTER_TLS)
    assert network.said() == "AUTH PLAIN Ym90AGJvdABzZWNyZXQ=\r\n"
    for answer, next_command in [
        ("235 in\n", "MAIL FROM:<ops@example.com>\r\n"),
        ("250 ok\n", "RCPT TO:<ops@example.com>\r\n"),
        ("250 ok\n", "RCPT TO:<dev@example.com>\r\n"),
        ("250 ok\n", "DATA\r\n"),
    ]:
        network.hears(answer)
        assert network.said() == next_command
    network.hears("354 go\n")
    network.transport.producer.resumeProducing()
    network.transport.producer.resumeProducing()
    assert network.said().endswith("\r\n.\r\n")
    network.hears("250 taken\n")
    assert sending.outcome == "sent"
    assert network.transport.disconnecting


def test_a_server_without_starttls_hears_no_password() -> None:
    network, sending = begun()
    network.hears("250-mail.example\n250 AUTH PLAIN\n")
    assert "does not support secure" in why(sending)
    assert network.said() == "QUIT\r\n"


def test_what_is_said_before_tls_is_not_taken_for_what_is_said_under_it() -> None:
    network, sending = begun()
    network.hears(BEFORE_TLS)
    network.hears("220 go\n250-mail.example\n250 AUTH PLAIN\n235 in\n")
    assert "said more before TLS than it may" in why(sending)
    assert not network.transport.secure
    assert "AUTH" not in network.said()


def test_no_mail_goes_without_tls_unless_that_is_asked_for() -> None:
    network, sending = begun("smtp+plain://mail.example")
    network.hears("250 mail.example\n")
    assert network.said() == "MAIL FROM:<ops@example.com>\r\n"
    assert sending.outcome is None


def test_a_relay_that_knows_no_ehlo_is_greeted_as_of_old() -> None:
    network, sending = begun("smtp+plain://mail.example")
    network.hears("502 what\n")
    assert network.said().startswith("HELO ")
    network.hears("250 mail.example\n")
    assert network.said() == "MAIL FROM:<ops@example.com>\r\n"
    assert sending.outcome is None


@pytest.mark.parametrize(
    ("talk", "said", "again"),
    [
        (["554 no\n"], "the server says 554 no", False),
        (["421 busy\n"], "the server says 421 busy", True),
        (["what\n"], "Invalid response from SMTP server", True),
        ([HELLO, "500 no\n"], "Server does not support ESMTP", False),
        ([HELLO, BEFORE_TLS, "220 go\n", "250 none\n"], "Authentication schemes", False),
        ([HELLO, BEFORE_TLS, "220 go\n", AFTER_TLS, "334 what\n", "535 wrong\n"], "535 wrong", False),
        ([HELLO, BEFORE_TLS, "454 not now\n"], "Could not complete the SSL/TLS", True),
        ([HELLO, BEFORE_TLS, "220 go\n", AFTER_TLS, "235 in\n", "452 full\n"], "452 full", True),
        ([HELLO, BEFORE_TLS, "220 go\n", AFTER_TLS, "235 in\n", "250 ok\n", *["550 no\n"] * 2], "550 No rec", False),
    ],
)  # fmt: skip
def test_a_refusal_is_named_without_the_password(talk: list[str], said: str, again: bool) -> None:
    network = MemoryNetwork()
    sending = Sending(network, mail(), told())
    for each in talk:
        network.hears(each)
    assert said in why(sending)
    assert sending.outcome.again is again
    assert "Ym90" not in why(sending)
    assert network.transport.disconnecting


def test_a_recipient_who_is_refused_beside_others_is_named() -> None:
    network, sending = begun()
    for each in (BEFORE_TLS, "220 go\n", AFTER_TLS, "235 in\n", "250 ok\n", "250 ok\n", "550 who?\n", "354 go\n"):
        network.hears(each)
    network.transport.producer.resumeProducing()
    network.transport.producer.resumeProducing()
    network.hears("250 taken\n")
    assert why(sending) == "dev@example.com is refused, though not all are: 550 who?"


def test_a_connection_that_is_not_made_or_breaks_is_named_and_may_be_tried_again() -> None:
    network, sending = begun()
    network.transport.loseConnection()
    assert why(sending) == "the server ended the connection"
    assert sending.outcome.again

    nobody = MemoryNetwork()
    nobody.error = Refused(111, "refused")
    sending = Sending(nobody, mail(), told())
    assert "refused" in why(sending)
    assert sending.outcome.again


def test_an_attempt_that_is_given_up_leaves_its_connection() -> None:
    network, sending = begun()
    sending.deferred.cancel()
    assert network.transport.disconnecting
    assert type(sending.outcome).__name__ == "CancelledError"
