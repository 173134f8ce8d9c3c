"""Who comes in by the socket beside a job, what they are told, and how those go who harm."""

from __future__ import annotations

import json
import logging
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler.console import local
from crawler.console.local import LocalDoor
from crawler.console.session import Session
from crawler.console.sockets import connected
from crawler.engine.user_code.tasks import driver
from crawler.errors import UsageError
from crawler.storage.jobs import console_socket
from tests.download.http.support import World
from tests.observe.board.made_up import MadeUp
from tests.steering.controls import Remembered

BEGUN = threading.Event()


@pytest.fixture
def world() -> Iterator[World]:
    made = World("asyncio")
    yield made
    made.close()


@pytest.fixture
def control() -> Remembered:
    return Remembered()


NewDoor = Callable[[Path], LocalDoor]


@pytest.fixture
def new_door(world: World, control: Remembered) -> Iterator[NewDoor]:
    doors: list[LocalDoor] = []

    def new_session(who: str) -> Session:
        return Session(
            MadeUp(), control, who=who, names={"never": Deferred(), "begun": BEGUN}, drive=driver(world.loop)
        )

    def make(path: Path) -> LocalDoor:
        doors.append(LocalDoor(path, new_session, world.reactor))
        doors[-1].open()
        return doors[-1]

    yield make
    for door in doors:
        world.wait(Deferred.fromCoroutine(door.close("")))
    world.until(lambda: not any(door.inside for door in doors))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return console_socket(tmp_path, "job")


@pytest.fixture
def door(new_door: NewDoor, path: Path) -> LocalDoor:
    return new_door(path)


class Client:
    """The other side, which says what a test tells it."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.peer = connected(path)
        self.peer.setblocking(False)
        self.heard: list[dict[str, Any]] = []
        self.gone = False
        self.rest = b""

    def say(self, **message: object) -> None:
        self.peer.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def listen(self) -> None:
        try:
            data = self.peer.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        self.gone = self.gone or not data
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.heard += [json.loads(line) for line in lines]

    def until(self, kind: str) -> list[str]:
        """Listen until a message of a kind comes; return the texts that were said before."""

        def come() -> bool:
            self.listen()
            return any(message["type"] == kind for message in self.heard)

        self.world.until(come)
        place = next(number for number, message in enumerate(self.heard) if message["type"] == kind)
        before, self.last, self.heard = self.heard[:place], self.heard[place], self.heard[place + 1 :]
        return [message["text"] for message in before]

    def until_gone(self) -> None:
        self.world.until(lambda: (self.listen(), self.gone)[1])

    def types(self, line: str) -> list[str]:
        self.say(type="line", line=line)
        return self.until("ready")


@pytest.fixture
def attach(world: World) -> Iterator[Callable[[Path], Client]]:
    clients: list[Client] = []

    def connect(path: Path) -> Client:
        clients.append(Client(world, path))
        return clients[-1]

    yield connect
    for client in clients:
        client.peer.close()


Attach = Callable[[Path], Client]


@pytest.fixture
def client(attach: Attach, door: LocalDoor) -> Client:
    made = attach(door.path)
    made.until("ready")
    return made


def me() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def test_a_line_is_done_in_the_name_of_the_user_at_the_other_end(client: Client, control: Remembered) -> None:
    assert client.types("pause example.com") == [f"did pause example.com attach {me()}"]
    assert client.last == {"type": "ready", "prompt": "crawler> ", "well": True, "done": 1}
    client.types("nothing")
    assert client.last["well"] is False


def test_python_has_a_prompt_of_its_own(client: Client) -> None:
    client.types("python")
    assert client.last["prompt"] == ">>> "
    assert client.types("1 + 1") == ["2"]
    client.say(type="leave")
    client.until("ready")
    assert client.last["prompt"] == "crawler> "
    client.say(type="leave")
    client.until("ended")
    assert client.last == {"type": "ended", "why": "", "well": True}
    client.until_gone()


def test_what_python_waits_for_is_interrupted(client: Client) -> None:
    client.say(type="line", line="python await never")
    client.say(type="interrupt")
    assert client.until("ready") == ["interrupted"]
    assert client.last["done"] == 2  # both
    client.say(type="interrupt")
    client.until("ready")
    assert client.last["done"] == 3


def test_an_endless_loop_is_ended_by_an_interrupt_though_it_holds_the_reactor(client: Client) -> None:
    def interrupt() -> None:
        BEGUN.wait(10)
        client.say(type="interrupt")

    BEGUN.clear()
    presses = threading.Thread(target=interrupt)
    presses.start()
    client.types("python")
    client.types("def f():")
    client.types("    begun.set()")
    client.types("    while True: pass")
    client.types("")
    client.say(type="line", line="f()")
    assert client.until("ready")[-1] == "KeyboardInterrupt"
    presses.join()
    client.until("ready")  # of the interrupt
    assert client.types("1") == ["1"]


def test_an_endless_loop_ends_when_nobody_waits_for_it(client: Client, door: LocalDoor, world: World) -> None:
    client.say(type="line", line="python while True: pass")
    client.peer.close()
    world.until(lambda: not door.inside)


def test_completions_come_from_the_crawl(client: Client) -> None:
    client.say(type="complete", line="drop site-0")
    client.until("completions")
    assert client.last == {"type": "completions", "start": 5, "names": ["site-0.example"]}


def test_the_socket_is_its_owners_and_goes_with_the_crawl(world: World, door: LocalDoor, client: Client) -> None:
    assert stat.S_IMODE(door.path.stat().st_mode) == 0o600
    assert list(door.path.parent.iterdir()) == [door.path]
    world.wait(Deferred.fromCoroutine(door.close("the crawl has ended (finished)")))
    client.until("ended")
    assert client.last == {"type": "ended", "why": "the crawl has ended (finished)", "well": True}
    client.until_gone()
    assert list(door.path.parent.iterdir()) == []


def test_a_long_path_is_no_obstacle(attach: Attach, world: World, new_door: NewDoor, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 30)
    folder.mkdir(parents=True)
    door = new_door(console_socket(folder, "j" * 78))
    assert attach(door.path).until("ready") == []


def test_a_name_of_a_job_that_is_too_long_for_a_socket_is_refused_with_how_long_it_may_be(
    attach: Attach, world: World, new_door: NewDoor, tmp_path: Path
) -> None:
    folder = tmp_path / ("d" * 100)
    folder.mkdir()
    with pytest.raises(
        UsageError, match=r"the job's name, j{100}, is too long for a socket beside it: \d+ letters"
    ) as refused:
        new_door(console_socket(folder, "j" * 100))
    most = int(str(refused.value).split()[-5])
    attach(new_door(console_socket(folder, "j" * most)).path).until("ready")


def test_what_a_kill_left_is_replaced(attach: Attach, world: World, new_door: NewDoor, path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    attach(new_door(path).path).until("ready")


def test_a_console_that_another_process_has_open_is_left_alone(
    attach: Attach, world: World, door: LocalDoor, new_door: NewDoor, client: Client
) -> None:
    with pytest.raises(UsageError, match="is in use by another program"):
        new_door(door.path)
    assert client.types("resume")
    attach(door.path).until("ready")


def test_a_folder_that_is_not_there_is_named(new_door: NewDoor, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"CONSOLE_ENABLED: .*/none/job.console is in a folder that is not there"):
        new_door(console_socket(tmp_path / "none", "job"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.process
def test_another_user_is_refused_though_the_file_lets_him_in(
    world: World, door: LocalDoor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    door.path.chmod(0o666)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    code = (
        "import os, socket, sys; os.setuid(65534); peer = socket.socket(socket.AF_UNIX);"
        "peer.connect(sys.argv[1]); sys.exit(len(peer.recv(9)))"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(door.path)], cwd="/")
    world.until(lambda: other.poll() is not None)
    assert other.returncode == 0
    said = f"it is user 65534, and this is for user {os.geteuid()} and root"
    assert [message.endswith(f"is sent away: {said}") for message in caplog.messages] == [True]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x" * 70_000, "it sent a line of more than 65,536 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n", "what it says is not understood: JSON is malformed"),
        (b'{"type":"line"}\n', "what it says is not understood: Object missing required field `line`"),
        (b'{"type":"line","line":"python await never"}\n' * 103, "more than 100 lines wait"),
    ],
)
def test_who_says_what_no_console_says_is_sent_away_by_name(
    attach: Attach,
    client: Client,
    door: LocalDoor,
    data: bytes,
    why: str,
    caplog: pytest.LogCaptureFixture,
    world: World,
) -> None:
    other = attach(door.path)
    other.until("ready")
    client.peer.sendall(data)
    client.until_gone()
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert warnings[0].startswith(f"Console: attach {me()} is sent away: {why}")
    assert other.types("resume") == [f"did resume None attach {me()}"]


def test_who_does_not_read_is_sent_away_by_name(
    client: Client, door: LocalDoor, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client.types("python")
    for _ in range(9):
        client.say(type="line", line="'x' * 900_000")
    world.until(lambda: not door.inside)
    assert f"Console: attach {me()} is sent away: it does not read what it is told" in caplog.messages


def test_who_does_not_read_for_long_is_sent_away(
    client: Client, door: LocalDoor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "UNREAD_SECONDS", 0.01)
    client.say(type="line", line="python 'x' * 900_000")
    world.until(lambda: not door.inside)


def test_there_is_a_most_of_consoles(
    attach: Attach,
    world: World,
    door: LocalDoor,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(local, "MOST_CONSOLES", 1)
    for _ in range(2):
        other = attach(door.path)
        other.until("ended")
        assert other.last == {"type": "ended", "why": "1 consoles are open, which is the most", "well": False}
    assert caplog.text.count("which is the most") == 1
    assert client.types("resume")
