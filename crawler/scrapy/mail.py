"""How does a crawl send a mail?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from email import encoders
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.utils import formatdate
from io import BytesIO
from typing import IO, Any, Self

from twisted.internet import ssl
from twisted.internet.defer import Deferred

from crawler.scrapy.utils.misc import arg_to_iter
from crawler.scrapy.utils.python import to_bytes

logger = logging.getLogger(__name__)


class MailSender:
    """Sends mails by one server, MAIL_HOST and the other MAIL_ settings; with ``debug`` none is sent."""

    def __init__(
        self,
        smtphost: str = "localhost",
        mailfrom: str = "scrapy@localhost",
        smtpuser: str | None = None,
        smtppass: str | None = None,
        smtpport: int = 25,
        smtptls: bool = False,
        smtpssl: bool = False,
        debug: bool = False,
    ) -> None:
        self.smtphost, self.smtpport, self.mailfrom = smtphost, smtpport, mailfrom
        self.smtpuser, self.smtppass = (None if text is None else to_bytes(text) for text in (smtpuser, smtppass))
        self.smtptls, self.smtpssl, self.debug = smtptls, smtpssl, debug

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make one by the settings."""
        return cls.from_settings(crawler.settings)

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """Make one by the settings."""
        texts = [settings[name] for name in ("MAIL_HOST", "MAIL_FROM", "MAIL_USER", "MAIL_PASS")]
        options: list[Any] = [settings.getint("MAIL_PORT"), settings.getbool("MAIL_TLS"), settings.getbool("MAIL_SSL")]
        return cls(*texts, *options)

    def send(
        self,
        to: Any,
        subject: str,
        body: str,
        cc: Any = None,
        attachs: Iterable[tuple[str, str, IO[Any]]] = (),
        mimetype: str = "text/plain",
        charset: str | None = None,
        _callback: Callable[..., None] | None = None,
    ) -> Deferred[Any] | None:
        """Send a mail; ``attachs`` are name, type and file of each. The Deferred fires when it is sent, or fails."""
        to, cc, files = list(arg_to_iter(to)), list(arg_to_iter(cc)), list(attachs)
        message = self._message(body, files, mimetype, charset)
        headers = {"From": self.mailfrom, "To": ", ".join(to), "Date": formatdate(localtime=True), "Subject": subject}
        for name, value in {**headers, **({"Cc": ", ".join(cc)} if cc else {})}.items():
            message[name] = value
        if _callback:
            _callback(to=to, subject=subject, body=body, cc=cc, attach=attachs, msg=message)
        said = f'To={to} Cc={cc} Subject="{subject}" Attachs={len(files)}'
        if self.debug:
            logger.debug("Debug mail sent OK: %s", said)
            return None
        return self._sent(self._sendmail([*to, *cc], message.as_string().encode(charset or "utf-8")), said)

    def _message(self, body: str, files: list[Any], mimetype: str, charset: str | None) -> MIMEBase:
        if not files:
            plain = MIMENonMultipart(*mimetype.split("/", 1))
            plain.set_payload(body, charset)
            return plain
        message = MIMEMultipart()
        if charset:
            message.set_charset(charset)
        message.attach(MIMEText(body, "plain", charset or "us-ascii"))
        for name, kind, file in files:
            part = MIMEBase(*kind.split("/"))
            part.set_payload(file.read())
            encoders.encode_base64(part)
            part.add_header("Content-Disposition", "attachment", filename=name)
            message.attach(part)
        return message

    def _sent(self, sending: Deferred[Any], said: str) -> Deferred[Any]:
        from twisted.internet import reactor

        def good(_: Any) -> None:
            logger.info("Mail sent OK: %s", said)

        def bad(failure: Any) -> Any:
            logger.error("Unable to send mail: %s: %s", said, failure.value)
            return failure

        sending.addCallbacks(good, bad)
        triggers: Any = reactor
        triggers.addSystemEventTrigger("before", "shutdown", lambda: sending)
        return sending

    def _sendmail(self, to_addrs: list[str], msg: bytes) -> Deferred[Any]:
        from twisted.internet import reactor

        sending: Deferred[Any] = Deferred()
        factory = self._create_sender_factory(to_addrs, BytesIO(msg), sending)
        connect: Any = reactor
        if self.smtpssl:
            connect.connectSSL(self.smtphost, self.smtpport, factory, ssl.optionsForClientTLS(self.smtphost))
        else:
            connect.connectTCP(self.smtphost, self.smtpport, factory)
        return sending

    def _create_sender_factory(self, to_addrs: list[str], msg: IO[bytes], d: Deferred[Any]) -> Any:
        from twisted.mail.smtp import ESMTPSenderFactory

        options = {"heloFallback": True, "requireAuthentication": False, "requireTransportSecurity": self.smtptls}
        factory = ESMTPSenderFactory(
            self.smtpuser, self.smtppass, self.mailfrom, to_addrs, msg, d, hostname=self.smtphost, **options
        )
        factory.noisy = False
        return factory
