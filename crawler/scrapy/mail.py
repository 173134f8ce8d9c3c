"""How does a crawl send a mail?"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from email.utils import formatdate
from ssl import create_default_context
from typing import IO, Any, Self

from crawler.scrapy.utils.asyncio import run_in_thread
from crawler.scrapy.utils.defer import deferred_from_coro
from crawler.scrapy.utils.misc import arg_to_iter

logger = logging.getLogger(__name__)


class MailSender:
    """Sends mails by one server, MAIL_HOST and the other MAIL_ settings, in a thread; with ``debug`` none is sent."""

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
        self.smtphost, self.mailfrom, self.smtpuser, self.smtppass = smtphost, mailfrom, smtpuser, smtppass
        self.smtpport, self.smtptls, self.smtpssl, self.debug = smtpport, smtptls, smtpssl, debug

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """Make one by the settings."""
        texts = [settings[name] for name in ("MAIL_HOST", "MAIL_FROM", "MAIL_USER", "MAIL_PASS")]
        options: list[Any] = [settings.getint("MAIL_PORT"), settings.getbool("MAIL_TLS"), settings.getbool("MAIL_SSL")]
        return cls(*texts, *options)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make one by the settings."""
        return cls.from_settings(crawler.settings)

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
    ) -> Any:
        """Send a mail; ``attachs`` are name, type and file of each. The Deferred fires when it is sent, or fails."""
        to, cc, files, message = [*arg_to_iter(to)], [*arg_to_iter(cc)], [*attachs], EmailMessage()
        headers = {"From": self.mailfrom, "To": ", ".join(to), "Cc": ", ".join(cc), "Subject": subject}
        for name, value in {**headers, "Date": formatdate(localtime=True)}.items():
            if value:
                message[name] = value
        message.set_content(body, mimetype.partition("/")[2], charset or "utf-8")
        for name, kind, file in files:
            data = file.read()
            main, _, sub = kind.partition("/")
            message.add_attachment(
                data.encode() if isinstance(data, str) else data, maintype=main, subtype=sub, filename=name
            )
        if _callback:
            _callback(to=to, subject=subject, body=body, cc=cc, attach=files, msg=message)
        said = f'To={to} Cc={cc} Subject="{subject}" Attachs={len(files)}'
        if self.debug:
            logger.debug("Debug mail sent OK: %s", said)
            return None
        return deferred_from_coro(self._sent(message, said))

    async def _sent(self, message: EmailMessage, said: str) -> None:
        try:
            await run_in_thread(self._send, message)
        except Exception as error:
            logger.error("Unable to send mail: %s: %s", said, error)
            raise
        logger.info("Mail sent OK: %s", said)

    def _send(self, message: EmailMessage) -> None:
        connect = smtplib.SMTP_SSL if self.smtpssl else smtplib.SMTP
        with connect(self.smtphost, self.smtpport) as server:
            if self.smtptls:
                server.starttls(context=create_default_context())
            if self.smtpuser:
                server.login(self.smtpuser, self.smtppass or "")
            server.send_message(message)
