"""A server for the store that can be killed, started again with its data, and cut off from workers."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

from crawler.storage.cluster.private import find_server
from tests.cluster.servers import free_port


class Server:
    """A server on a port of loopback with its data in ``folder``, as an administrator would run it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._sizes: list[tuple[float, Path, int]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start it, with the data that is there, and wait until it answers."""
        options = f"--port {self.port} --bind 127.0.0.1 --appendonly yes --appendfsync everysec --daemonize no"
        arguments = [find_server(), *options.split(), "--save", "", "--dir", str(self.folder)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log)
        until = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < until, (self.folder / "server.log").read_text()[-2000:]
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a power cut does, but for what the system has in its buffers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def note_size(self) -> None:
        """Note how long its log is now, for ``forget``."""
        for path in self.folder.glob("appendonlydir/*.incr.aof"):
            self._sizes.append((time.monotonic(), path, path.stat().st_size))

    def forget(self, seconds: float) -> int:
        """Cut its log back to what it was so long ago, as far as it was noted; return how many bytes were lost."""
        now = time.monotonic()
        _, path, size = max((noted for noted in self._sizes if noted[0] <= now - seconds), key=lambda noted: noted[0])
        lost = path.stat().st_size - size
        with path.open("r+b") as file:
            file.truncate(size)
        return lost

    def end(self) -> None:
        """End it, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self.kill()


class Proxy:
    """Stands between workers and the server; use it as a context manager.

    Each call is cut with probability ``cuts``: half of them before the server has it, half after it has
    answered, and then the answer is lost. ``silent``: everything stays open and nothing gets through.
    """

    def __init__(self, server: Server, *, seed: int = 1, cuts: float = 0.0) -> None:
        self.port = free_port()
        self.cuts = cuts
        self.silent = False
        self.count = {"before": 0, "after": 0}
        self._server = server
        self._rng = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)

    @property
    def url(self) -> str:
        """Where workers are to find the server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        listening = await asyncio.start_server(self._connection, "127.0.0.1", self.port)
        self._ready.set()
        await self._stop.wait()
        listening.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._server.port)
        except OSError:
            writer.transport.abort()
            return
        lose_answer = asyncio.Event()
        pumps = [
            asyncio.ensure_future(self._calls(reader, ours, lose_answer)),
            asyncio.ensure_future(self._answers(theirs, writer, lose_answer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            writer.transport.abort()
            ours.transport.abort()

    async def _calls(self, reader: asyncio.StreamReader, ours: asyncio.StreamWriter, lose: asyncio.Event) -> None:
        while data := await reader.read(1 << 16):
            await self._while_silent()
            if self._rng.random() < self.cuts:
                if self._rng.random() < 0.5:
                    self.count["before"] += 1
                    return
                lose.set()
            ours.write(data)
            await ours.drain()

    async def _answers(self, theirs: asyncio.StreamReader, writer: asyncio.StreamWriter, lose: asyncio.Event) -> None:
        while data := await theirs.read(1 << 16):
            await self._while_silent()
            if lose.is_set():
                self.count["after"] += 1
                return
            writer.write(data)
            await writer.drain()

    async def _while_silent(self) -> None:
        while self.silent:  # noqa: ASYNC110 – it is set from another thread
            await asyncio.sleep(0.02)
