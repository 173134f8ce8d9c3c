"""Do real servers take a notice, whatever is in it, and what do they refuse?"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from email import message_from_string
from email.policy import default
from typing import Any

import pytest

from crawler.notices.notice import notice
from tests.download.http.certificates import Authority
from tests.notices.servers import Running, irc_server, mail_server, xmpp_server
from tests.notices.support import NAUGHTY

pytestmark = [pytest.mark.slow, pytest.mark.process]

TITLE, LINES = f"shop: Välue {NAUGHTY}", [NAUGHTY, ".", "QUIT :now"]
NOTICE = notice("k", "errors", TITLE, LINES)
Send = Callable[..., list[str]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def sent_to(authority: Authority) -> Send:
    """Send a notice to some places; return "sent", or why not, of each."""

    def sent(*places: dict[str, Any], trusted: bool = True) -> list[str]:
        settings = {"TLS_CA_FILE": str(authority.file)} if trusted else {}
        asked = {"settings": settings, "places": places, "title": TITLE, "lines": LINES}
        command = [sys.executable, "-m", "tests.notices.sender"]
        done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, timeout=50, check=True)
        outcomes: list[str] = json.loads(done.stdout)
        assert done.stderr == ""
        return outcomes

    return sent


def test_exim_takes_a_mail_by_starttls_with_a_password(authority: Authority, sent_to: Send) -> None:
    with mail_server(authority) as server:
        by = f"smtp://bot:secret@localhost:{server.port}"
        ops = {"to": "mailto:ops@example.com", "by": by}
        assert sent_to(ops)[0] == "sent"
        mail = message_from_string(server.text().partition("\n")[2], policy=default)
        assert mail["Subject"] == NOTICE.title
        assert mail["To"] == "ops@example.com"
        assert "Bcc" not in mail
        assert "esmtpsa" in mail["Received"]
        assert mail.get_content().rstrip("\n") == NOTICE.text

        assert sent_to(
            {**ops, "by": by.replace("secret", "wrong")},
            {"to": "mailto:ops@example.com,all@elsewhere.example", "by": by},
            {**ops, "by": by.replace("localhost", "other.example")},
            {**ops, "by": f"smtp+plain://localhost:{server.port}"},
        ) == [
            "the server says 535 Incorrect authentication data",
            "all@elsewhere.example is refused, though not all are: 550 relay not permitted",
            "the certificate is not for other.example but for localhost",
            "the server says 550 No recipients accepted",
        ]
        assert sent_to(ops, trusted=False)[0].startswith("the issuer is unknown: untrusted root")


class Listening:
    """Somebody in a channel, who hears what is said there."""

    def __init__(self, server: Running, authority: Authority, channel: str) -> None:
        context = ssl.create_default_context(cafile=str(authority.file))
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=15)
        self._socket = context.wrap_socket(plain, server_hostname="localhost")
        self._file = self._socket.makefile("rb")
        self._socket.sendall(f"NICK crawl\r\nUSER ops x x :ops\r\nJOIN {channel}\r\n".encode())
        self.until(" 366 ")

    def until(self, what: str) -> list[str]:
        lines = []
        for line in self._file:
            lines.append(line.decode().rstrip("\r\n"))
            if what in lines[-1]:
                return lines
        raise AssertionError(lines)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def test_ngircd_passes_a_notice_on_to_its_channel(authority: Authority, sent_to: Send) -> None:
    with irc_server(authority) as server:
        ops = Listening(server, authority, "#crawls")
        to = f"ircs://crawl@localhost:{server.port}/#crawls"
        assert sent_to(
            {"to": to},
            {"to": to.replace("#crawls", "#locked")},
            {"to": to.replace("crawl@", "crawl:pw@")},
            {"to": to.replace("localhost", "other.example")},
        ) == [
            "sent",  # as crawl_, for a crawl is there
            "the server says #locked Cannot join channel (+k) -- Wrong channel key",
            "the server has no SASL to take the password by",
            "the certificate is not for other.example but for localhost",
        ]
        heard = ops.until(" QUIT ")
        ops.close()
        said = [line.partition(" PRIVMSG #crawls :")[2] for line in heard if " PRIVMSG " in line]
        assert all(line.startswith(":crawl_!") for line in heard)
        assert said[0] == NOTICE.title
        assert "".join(said[1:]).startswith(NOTICE.lines[0] + ".QUIT :now")


def test_prosody_takes_a_notice_for_an_address_and_for_a_room(authority: Authority, sent_to: Send) -> None:
    with xmpp_server(authority) as server:
        by = f"xmpp://bot:secret@localhost:{server.port}"
        ops = {"to": "xmpp:ops@localhost", "by": by}
        assert sent_to(
            ops,
            {"to": "xmpp:crawls@rooms.localhost?join", "by": by},
            {"to": "xmpp:nobody@localhost", "by": by},
            {**ops, "by": by.replace("secret", "wrong")},
            {**ops, "by": by.replace("localhost", "other.example")},
        ) == [
            "sent",
            "sent",
            "the server says service-unavailable",
            "the server refuses name or password (not-authorized)",
            "the certificate is not for other.example but for localhost",
        ]
        kept = (server.folder / "data" / "localhost" / "offline" / "ops.list").read_text()
        assert "Bcc: all@example.com" in kept
        assert kept.count('["name"] = "message"') == kept.count('["name"] = "body"') == 1
        assert base64.b64encode(b"\0bot\0secret") not in server.got.read_bytes()
