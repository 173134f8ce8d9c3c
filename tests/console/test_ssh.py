"""Who comes in over SSH, as OpenSSH's own client sees it, and who does not."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import socket
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher

from crawler.config.schema import CoreSettings
from crawler.console.session import Session
from crawler.engine.user_code.tasks import driver
from crawler.errors import UsageError
from tests.download.http.support import World
from tests.observe.board.made_up import MadeUp
from tests.steering.controls import Remembered

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed (openssh-client; .ci/system)"),
]


class Done(NamedTuple):
    """How a client ended, and what it said."""

    status: int
    out: str
    err: str


class Place:
    """A console over SSH, and clients of OpenSSH that have keys in a folder."""

    def __init__(self, world: World, folder: Path) -> None:
        from crawler.console.ssh import door  # Twisted's conch imports the global reactor

        self.door_module = door
        self.world = world
        self.folder = folder
        self.control = Remembered()
        self.doors: list[Any] = []
        for name in ("alice@laptop", "mallory"):
            subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True)
        self.door = self.open()

    def open(self, **settings: Any) -> Any:
        core = replace(
            CoreSettings(),
            JOB_DIR=str(self.folder / "jobs"),
            CONSOLE_PORT=0,
            CONSOLE_KEYS=[str(self.folder / "alice@laptop.pub")],
        )
        made = self.door_module.SshDoor(replace(core, **settings), self.new_session, self.world.reactor)
        self.doors.append(made)
        made.open()
        return made

    def new_session(self, who: str) -> Session:
        names = {"never": Deferred()}
        return Session(MadeUp(), self.control, who=who, names=names, drive=driver(self.world.loop))

    def close(self) -> None:
        for door in self.doors:
            self.world.wait(Deferred.fromCoroutine(door.close("the crawl has ended (finished)")))
        self.world.until(lambda: not any(door.inside for door in self.doors))

    def client(self, *arguments: str, key: str = "alice@laptop", check: str = "accept-new") -> list[str]:
        known = self.folder / "known"
        return [
            "ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", str(self.folder / key),
            "-o", f"StrictHostKeyChecking={check}", "-o", f"UserKnownHostsFile={known}", "-o", "LogLevel=INFO",
            "-p", str(self.door.port), *arguments,
        ]  # fmt: skip

    def ssh(self, *arguments: str, typed: bytes = b"", **options: str) -> Done:
        with open(self.folder / "typed", "w+b") as file:  # noqa: PTH123
            file.write(typed)
            file.seek(0)
            client = subprocess.Popen(
                self.client(*arguments, **options), stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            self.world.until(lambda: client.poll() is not None)
        out, err = client.communicate()
        return Done(client.returncode, out.decode(), err.decode())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    world = World("asyncio")
    made = Place(world, tmp_path)
    yield made
    made.close()
    world.close()


HOST = "crawl@127.0.0.1"


def test_a_command_is_done_in_the_name_of_its_key_and_has_a_status(place: Place) -> None:
    assert place.ssh(HOST, "pause example.com")[:2] == (0, "did pause example.com ssh alice@laptop\n")
    wrong = place.ssh(HOST, "pasue")
    assert (wrong.status, wrong.out) == (2, "")
    assert 'there is no "pasue" here; did you mean "pause"?' in wrong.err


def test_lines_are_done_without_a_terminal(place: Place) -> None:
    done = place.ssh("-T", HOST, typed=b"python len(hosts)\nresume\npython\n1 + 1")
    assert done[:2] == (0, "3\ndid resume None ssh alice@laptop\n2\n")
    assert place.ssh("-T", HOST, typed=b"nothing\nresume\n").status == 2


def test_only_the_keys_that_are_named_are_let_in(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    refused = place.ssh(HOST, "stop", key="mallory")
    assert (refused.status, refused.out) == (255, "")
    assert "Permission denied (publickey)" in refused.err
    place.world.until(lambda: "none of the keys that it showed (1) is in CONSOLE_KEYS" in caplog.text)
    assert place.control.calls == []


def test_there_are_no_passwords(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    ways = ("-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive")
    refused = place.ssh(*ways, HOST, "stop")
    assert refused.status == 255
    assert "Permission denied (publickey)" in refused.err  # the only way there is
    place.world.until(lambda: "was not let in: it showed no key" in caplog.text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-s", HOST, "sftp"), "subsystem request failed"),
        (("-W", "127.0.0.1:9", HOST), "stdio forwarding failed"),
        (("-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9", HOST, "resume"), "remote port forwarding failed"),
    ],
)
def test_nothing_is_forwarded_and_no_file_is_served(place: Place, arguments: tuple[str, ...], said: str) -> None:
    done = place.ssh(*arguments)
    assert done.status == 255
    assert said in done.err
    assert place.control.calls == []


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What Twisted logs as errors meanwhile."""
    logged: list[str] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.warn:
            logged.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield logged
    globalLogPublisher.removeObserver(observe)


def test_what_a_client_does_is_no_error_of_the_crawl(
    place: Place, errors: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert place.ssh(HOST, "resume").status == 0
        assert "stdio forwarding failed" in place.ssh("-W", "127.0.0.1:9", HOST).err
    assert caplog.text.count("ssh alice@laptop is refused direct-tcpip") == 1
    assert errors == []


def has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(65536) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_a_stranger_whose_messages_are_malformed_is_sent_away_and_named_once(
    place: Place, errors: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for message in (b"\x14", b"\x1e\0\0\0\x05abc", b"\x15", b"\x01"):  # KEXINIT, KEX_ECDH_INIT, NEWKEYS, DISCONNECT
        padded = bytes([19 - len(message)]) + message + bytes(19 - len(message))
        with socket.create_connection(("127.0.0.1", place.door.port)) as stranger:
            stranger.setblocking(False)
            stranger.sendall(b"SSH-2.0-stranger\r\n" + len(padded).to_bytes(4, "big") + padded)
            place.world.until(partial(has_ended, stranger))
    assert caplog.text.count("127.0.0.1 was not let in: what it sent is malformed") == 1
    assert errors == []


@pytest.mark.parametrize(
    "option",
    ["Ciphers=aes128-cbc,3des-cbc", "MACs=hmac-sha1", "KexAlgorithms=diffie-hellman-group14-sha1"],
)
def test_what_is_old_is_not_spoken(place: Place, option: str) -> None:
    done = place.ssh("-o", option, HOST, "resume")
    assert done.status == 255
    assert "no matching" in done.err


def test_an_agent_is_not_taken_and_the_environment_is_not_heard(place: Place) -> None:
    assert place.ssh("-A", "-o", "SetEnv=LANG=C", HOST, "resume").status == 0


def test_its_own_key_stays_the_same_from_one_crawl_to_the_next(place: Place) -> None:
    assert place.ssh(HOST, "resume").status == 0
    port = place.door.port
    place.close()
    place.doors.clear()
    place.door = place.open(CONSOLE_PORT=port)
    assert place.ssh(HOST, "resume", check="yes").status == 0


def test_a_prompt_edits_completes_interrupts_is_resized_and_ends_with_the_crawl(place: Place) -> None:
    process, descriptor = pty.fork()
    if process == 0:
        arguments = place.client(HOST)
        os.execvp(arguments[0], arguments)
    os.set_blocking(descriptor, False)
    shown = bytearray()

    def see(text: bytes) -> None:
        def read() -> bool:
            try:
                shown.extend(os.read(descriptor, 65536))
            except OSError:  # nothing now, or gone
                pass
            return text in shown

        place.world.until(read)
        del shown[: shown.index(text) + len(text)]

    def types(keys: bytes, answer: bytes) -> None:
        os.write(descriptor, keys)
        see(answer)

    see(b"crawler> ")
    types(b"drop site-0\t\r", b"did drop site-0.example ssh alice@laptop")
    types(b"pa", b"pa")
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    types(b"use al\x7fll\r", b"did pause None")
    types(b"\x1b[A\r", b"did pause None")  # the last line again
    types(b"python\r", b">>> ")
    types(b"await never\r", b"await never\r\n")
    types(b"\x03", b"interrupted")
    types(b"\x04", b"crawler> ")
    place.close()
    see(b"the crawl has ended (finished)")
    place.world.until(lambda: os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    os.close(descriptor)


def test_who_does_not_log_in_is_sent_away_in_time(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(place.door_module, "LOGIN_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", place.door.port)):
        place.world.until(lambda: "was not let in: it showed no key" in caplog.text)


def test_there_is_a_most_of_connections(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(place.door_module, "MOST_CONNECTIONS", 1)
    with socket.create_connection(("127.0.0.1", place.door.port)):
        place.world.until(lambda: bool(place.door.inside))
        assert place.ssh(HOST, "resume").status == 255
        assert "127.0.0.1 is refused: 1 are connected, which is the most" in caplog.text


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (b"x" * 10_000_000, "it sent a line of more than 65,536 bytes"),
        (b"python await never\n" * 200, "more than 100 lines wait"),
    ],
)
def test_who_sends_too_much_is_sent_away_by_name(
    place: Place, typed: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert place.ssh("-T", HOST, typed=typed).status == 255
    assert f"Console: ssh alice@laptop is sent away: {why}" in caplog.text
    assert place.ssh(HOST, "resume").status == 0


def test_a_port_that_is_in_use_is_named(place: Place) -> None:
    with pytest.raises(UsageError, match=rf"CONSOLE_PORT: port {place.door.port} of 127\.0\.0\.1 is in use by another"):
        place.open(CONSOLE_PORT=place.door.port)


def test_other_machines_are_warned_of(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    class Reactor:
        """Listens on loopback whatever it is told."""

        def listenTCP(self, port: int, factory: Any, interface: str) -> Any:
            return place.world.reactor.listenTCP(0, factory, interface="127.0.0.1")  # on loopback alone

    core = replace(CoreSettings(), JOB_DIR=str(place.folder), CONSOLE_PORT=0, CONSOLE_HOST="0.0.0.0")
    core = replace(core, CONSOLE_KEYS=[str(place.folder / "alice@laptop.pub")])
    opened: Callable[..., Any] = place.door_module.SshDoor
    place.doors.append(opened(core, place.new_session, Reactor()))
    place.doors[-1].open()
    assert "Console: CONSOLE_HOST 0.0.0.0 lets other machines try to come in" in caplog.messages
