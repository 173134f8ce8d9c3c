"""How is a private nginx run on loopback?

    with Nginx(folder) as server:
        fetch(server.url)

Its configuration, logs and pid lie in a temporary folder; it listens on a free port of 127.0.0.1 and is
ended with the block. Nothing of the system's own nginx is touched.
"""

from __future__ import annotations

import contextlib
import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

_CONFIG = """\
daemon off;
{user}
worker_processes 1;
pid {private}/pid;
error_log {private}/error.log;
events {{ worker_connections 1024; }}
http {{
    types {{
        text/html html htm;
        text/plain txt;
        text/css css;
        application/javascript js;
        image/svg+xml svg;
        image/png png;
        application/pdf pdf;
    }}
    default_type application/octet-stream;
    {charset}
    log_format paths '$status $request_method $request_uri';
    log_format moments '$msec';
    access_log {access};
    sendfile on;
    keepalive_timeout 75s;
    keepalive_requests 1000000;
    open_file_cache max=8000;  # below the limit of open files
    client_body_temp_path {private}/body;
    proxy_temp_path {private}/proxy;
    fastcgi_temp_path {private}/fastcgi;
    uwsgi_temp_path {private}/uwsgi;
    scgi_temp_path {private}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        {extra}
    }}
}}
"""


def program() -> str | None:
    """Return the path of nginx, None if it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


class Nginx:
    """One nginx that serves ``root``; ``extra`` is put into its server block, ``charset`` names one."""

    def __init__(self, root: Path, *, log: bool = False, extra: str = "", charset: str = "") -> None:
        self._private = Path(tempfile.mkdtemp(prefix="nginx-"))
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._log = self._private / "access.log"
        config = _CONFIG.format(
            user=f"user {getpass.getuser()};" if getpass.getuser() == "root" else "",
            private=self._private,
            access=f"{self._log} paths buffer=64k flush=100ms" if log else "off",
            charset=f"charset {charset};" if charset else "",
            port=self.port,
            root=root.resolve(),
            extra=extra,
        )
        self._config = self._private / "nginx.conf"
        self._config.write_text(config)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        nginx = program()
        if nginx is None:
            raise FileNotFoundError("nginx is not installed")
        command = [nginx, "-e", str(self._private / "error.log"), "-p", str(self._private), "-c", str(self._config)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                errors = (self._private / "error.log").read_text()
                self.stop()
                raise RuntimeError(f"nginx did not start: {errors}")
            time.sleep(0.02)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End it and remove its folder."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None
        shutil.rmtree(self._private, ignore_errors=True)

    def requests(self) -> Counter[str]:
        """Return how often each "status METHOD path" was answered; the log is flushed every tenth of a second."""
        assert self._process is not None
        before = -1
        while before != (now := self._log.stat().st_size):
            before = now
            time.sleep(0.3)
        return Counter(self._log.read_text().splitlines())

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
