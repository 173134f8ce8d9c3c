"""Does a mail get to its server?"""

from __future__ import annotations

import asyncio
import threading
from email import message_from_bytes
from io import BytesIO
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

from crawler.scrapy.mail import MailSender

MAILS: list[tuple[list[str], bytes]] = []


class Server(StreamRequestHandler):
    """Takes one mail (RFC 5321)."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        told: list[str] = []
        for line in iter(self.rfile.readline, b""):
            word = line[:4].upper()
            if word == b"RCPT":
                told.append(line.decode().strip().partition("<")[2].rstrip(">"))
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                MAILS.append((told, text))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 good\r\n")
            if word == b"QUIT":
                return


@pytest.mark.process
def test_a_mail_with_a_file_gets_to_all_it_is_for() -> None:
    MAILS.clear()
    with ThreadingTCPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sender = MailSender("127.0.0.1", mailfrom="me@shop.example", smtpport=server.server_address[1])

        async def send() -> None:
            sent: Any = sender.send(
                ["a@shop.example"], "Tee für dich", "Assam, 3 €", cc="b@shop.example",
                attachs=[("teas.csv", "text/csv", BytesIO(b"name\r\n"))],
            )  # fmt: skip
            await sent.asFuture(asyncio.get_running_loop())

        asyncio.run(send())
        server.shutdown()
    [(told, text)] = MAILS
    mail = message_from_bytes(text)
    assert told == ["a@shop.example", "b@shop.example"]
    assert (mail["From"], mail["To"], mail["Cc"]) == ("me@shop.example", "a@shop.example", "b@shop.example")
    body, file = mail.get_payload()
    assert body.get_payload(decode=True).decode().strip() == "Assam, 3 €"
    assert (file.get_filename(), file.get_content_type()) == ("teas.csv", "text/csv")


def test_a_server_that_is_not_there_is_an_error_of_the_mail() -> None:
    async def send() -> None:
        sent: Any = MailSender("127.0.0.1", smtpport=1).send("a@shop.example", "x", "y")
        await sent.asFuture(asyncio.get_running_loop())

    with pytest.raises(ConnectionRefusedError):
        asyncio.run(send())


def test_nothing_is_sent_for_a_trial() -> None:
    assert MailSender(debug=True).send("a@shop.example", "x", "y") is None
