"""How is a notice mailed?

By Twisted's SMTP client (RFC 5321): STARTTLS (RFC 3207) is required and its certificate verified, unless the server
speaks TLS first; names and passwords are sent over TLS alone. A mail is plain text, and its body is in base64: no line
of it is a command, begins with a dot, or is too long.
"""

# ruff: noqa: N802 - the names are those of Twisted's classes

from __future__ import annotations

from email.message import EmailMessage
from email.policy import default
from email.utils import formatdate, make_msgid
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.mail.smtp import ESMTPSender, ESMTPSenderFactory, SMTPClientError
from twisted.python.failure import Failure

from crawler.notices.network import Network
from crawler.notices.notice import Notice, NotSent
from crawler.notices.places import Place


def message_of(notice: Notice, place: Place, when: float) -> bytes:
    """Return a mail, with LF as its line end. ``when``: seconds since the epoch."""
    message = EmailMessage(policy=default)
    message["From"] = place.sender
    message["To"] = ", ".join(place.to)
    message["Subject"] = notice.title  # RFC 2047 words, if need be; folded within 78 characters
    message["Date"] = formatdate(when, localtime=True)
    message["Message-ID"] = make_msgid(domain=place.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody's absence is answered
    message.set_content(f"{notice.text}\n", cte="base64")
    return message.as_bytes()


async def send_mail(place: Place, notice: Notice, network: Network, tls: Any, when: float) -> None:
    """Hand a mail to its server. Raises NotSent."""
    server = place.server
    done: Deferred[Any] = Deferred()
    factory = ESMTPSenderFactory(
        None if server.user is None else server.user.encode(),
        None if server.password is None else server.password.encode(),
        place.sender.encode(),
        [address.encode() for address in place.to],
        BytesIO(message_of(notice, place, when)),
        done,
        retries=0,
        heloFallback=True,  # RFC 5321 §3.2; not where a password or TLS is asked for, for then it knows EHLO
        contextFactory=tls,
        requireAuthentication=server.user is not None,
        requireTransportSecurity=server.encrypted,
    )
    factory.protocol = _Sender
    protocol = await network.connect(server, factory, tls)
    try:
        _, answers = await done
    except SMTPClientError as error:
        if error.code < 0 and error.__cause__ is not None:  # it is the connection
            raise error.__cause__ from error
        raise _refused(error.code, error.resp) from error
    finally:
        factory.sendFinished = True
        protocol.leave()
    for address, code, answer in answers:
        if not 200 <= code < 300:
            raise NotSent(f"{address.decode()} is refused, though not all are: {code} {_text(answer)}")


_Client: Any = ESMTPSender  # its methods have no annotations


class _Sender(_Client):  # type: ignore[misc]  # for that reason
    """One mail. What its server says before TLS is not taken for what it says under TLS; nothing is recorded."""

    debug = False  # its record would have the password

    def esmtpState_starttls(self, code: int, resp: bytes) -> None:
        """TLS begins. (Twisted's.)"""
        if self.clearLineBuffer():
            self.sendError(SMTPClientError(-1, b"the server said more before TLS than it may", isFatal=True))
        else:
            super().esmtpState_starttls(code, resp)

    def sendError(self, exc: Exception) -> None:
        """Nothing more is sent; once, whatever else is said. (Twisted's.)"""
        if not self.factory.sendFinished:
            self.factory.sendFinished = True
            self.factory.result.errback(exc)

    def lineReceived(self, line: bytes) -> None:
        """Hear the server out. (Twisted's.)"""
        if not self.factory.sendFinished:
            super().lineReceived(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone. (Twisted's.)"""
        super().connectionLost(reason)
        self.factory.clientConnectionLost(None, reason)

    def leave(self) -> None:
        """Say that nothing follows."""
        if self.connected:
            self.sendLine(b"QUIT")
            self.transport.loseConnection()


def _refused(code: int, answer: bytes) -> NotSent:
    # RFC 5321 §4.2.1: 4yz may go better later; without a code it is the connection.
    said = f"the server says {code} {_text(answer)}" if code > 0 else _text(answer)
    return NotSent(said, again=code < 500)


def _text(answer: bytes | str) -> str:
    return answer if isinstance(answer, str) else answer.decode("utf-8", "replace")
