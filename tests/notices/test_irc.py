"""Is a notice a few lines of a channel whatever is in it, and what if the server wants otherwise?"""

from __future__ import annotations

import pytest

from crawler.notices.irc import AT_ONCE, MOST_LINES, SECONDS_A_LINE, said
from crawler.notices.notice import NotSent, notice
from crawler.notices.places import Place
from tests.notices.support import NAUGHTY, MemoryNetwork, Sending, place, told

WELCOME = ":irc.example 001 nick :Welcome\n"
JOINED = ":nick!~nick@host JOIN :#crawls\n"


def channel(to: str = "ircs://nick@irc.example/#crawls", **more: str) -> Place:
    return place({"to": to, **more})


def begun(to: Place | None = None, *lines: str) -> tuple[MemoryNetwork, Sending]:
    network = MemoryNetwork()
    return network, Sending(network, to or channel(), told("title", *lines))


def why(sending: Sending) -> str:
    assert isinstance(sending.outcome, NotSent), sending.outcome
    return str(sending.outcome)


def test_no_line_is_another_command_or_longer_than_a_server_passes_on() -> None:
    made = notice("k", "errors", NAUGHTY, [NAUGHTY, "漢" * 390, "ü" * 390])
    lines = said(made, channel(), "nick")
    before = b":nick!~nickname9@" + b"h" * 63 + b" PRIVMSG #crawls :"

    assert len(lines) <= MOST_LINES
    assert "漢" * 100 in lines[2]
    for each in lines:
        assert each.isprintable()
        assert len(before + each.encode()) <= 510
    assert "".join(lines[2:6]).startswith("漢" * 390)


def test_a_notice_of_many_lines_is_cut_and_slow_enough_for_the_server() -> None:
    network, sending = begun(None, *(f"line {number}" for number in range(30)))
    assert network.said() == "NICK nick\r\nUSER nick foo bar :notices of a crawler\r\n"
    network.hears(WELCOME)
    assert network.said() == "JOIN #crawls\r\n"
    network.hears(JOINED)
    assert network.said().count("PRIVMSG #crawls :") == AT_ONCE
    for _ in range(MOST_LINES - AT_ONCE):
        network.clock.advance(SECONDS_A_LINE - 0.1)
        assert network.said() == ""
        network.clock.advance(0.2)
        last = network.said()
        assert last.count("PRIVMSG #crawls :") == 1
    assert last == "PRIVMSG #crawls :… 24 more lines\r\nPING :said\r\n"
    assert sending.outcome is None
    network.hears(":irc.example PONG irc.example :said\n")
    assert sending.outcome == "sent"
    assert network.said() == "QUIT :\r\n"
    assert network.transport.disconnecting


def test_a_nick_that_is_in_use_gets_a_tail_and_a_key_opens_the_channel() -> None:
    network, sending = begun(channel(key="sesame"))
    network.said()
    network.hears(":irc.example 433 * nick :in use\n")
    assert network.said() == "NICK nick_\r\n"
    network.hears(WELCOME.replace("nick", "nick_"))
    assert network.said() == "JOIN #crawls sesame\r\n"

    network, sending = begun()
    for _ in range(4):
        network.hears(":irc.example 433 * nick :in use\n")
    assert why(sending) == "the nick nick and others like it are in use"
    assert sending.outcome.again


def test_the_password_goes_by_sasl_alone() -> None:
    network, sending = begun(channel("ircs://nick:secret@irc.example/#crawls"))
    assert network.said().startswith("CAP REQ :sasl\r\nNICK nick\r\n")
    network.hears(":irc.example CAP * ACK :sasl\n")
    assert network.said() == "AUTHENTICATE PLAIN\r\n"
    network.hears("AUTHENTICATE +\n")
    assert network.said() == "AUTHENTICATE AG5pY2sAc2VjcmV0\r\n"
    network.hears(":irc.example 903 nick :in\n")
    assert network.said() == "CAP END\r\n"
    network.hears(":NickServ!services@evil NOTICE nick :IDENTIFY with your password\n")
    network.hears(WELCOME)
    assert network.said() == "JOIN #crawls\r\n"
    assert sending.outcome is None

    network, sending = begun(channel("ircs://nick:secret@irc.example/#crawls"))
    network.hears(":irc.example CAP * NAK :sasl\n")
    assert why(sending) == "the server has no SASL to take the password by"


@pytest.mark.parametrize(
    ("line", "said", "again"),
    [
        (":irc.example 475 nick #crawls :Cannot join channel (+k)", "the server says #crawls Cannot join", False),
        (":irc.example 473 nick #crawls :Invite only", "Invite only", False),
        (":irc.example 404 nick #crawls :Cannot send", "Cannot send", False),
        (":irc.example 465 nick :You are banned", "You are banned", False),
        (":irc.example 904 nick :SASL authentication failed", "SASL authentication failed", False),
        ("ERROR :Closing link: too many\x03connections", "Closing link: too many", True),
    ],
)
def test_a_refusal_is_named(line: str, said: str, again: bool) -> None:
    network, sending = begun()
    network.hears(WELCOME)
    network.hears(f"{line}\n")
    assert said in why(sending)
    assert sending.outcome.again is again
    assert network.transport.disconnecting


def test_what_others_say_is_nothing_to_us() -> None:
    network, sending = begun()
    network.hears(WELCOME)
    network.said()
    for line in (
        ":a!b@c PRIVMSG nick :\x01PING 1 2\x01", ":a!b@c PRIVMSG nick :\x01DCC SEND file 1 2 3\x01", ":a!b@c JOIN",
        "", ":", "JOIN", ":x 005 nick A=B :are", ":irc.example MODE nick", "\xff\x00\x10",
    ):  # fmt: skip
        network.hears(f"{line}\n")
    network.transport.protocol.dataReceived(b"\xff\xfe\r\n")
    assert network.said() == ""
    network.hears("PING :you\n")
    assert network.said() == "PONG you\r\n"
    assert sending.outcome is None


def test_a_connection_that_breaks_may_be_tried_again_and_says_nothing_more() -> None:
    network, sending = begun(None, *map(str, range(20)))
    network.hears(WELCOME + JOINED)
    network.transport.loseConnection()
    assert why(sending) == "the server ended the connection"
    assert sending.outcome.again
    network.said()
    network.clock.advance(60)
    assert network.said() == ""
