"""Servers that store files, each on a port of loopback: S3 (moto), FTP (pyftpdlib), SFTP (OpenSSH)."""

from __future__ import annotations

import getpass
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.servers.process import folder, free_port, program, running


@dataclass
class S3:
    """A server that speaks S3, which asks nobody for rights. ``settings``: how it is reached."""

    endpoint: str
    settings: dict[str, Any]

    def make_bucket(self, name: str) -> None:
        self._ask("PUT", name)

    def read(self, key: str) -> bytes:
        return self._ask("GET", key)

    @contextmanager
    def without_rights(self) -> Iterator[None]:
        """Refuse every request meanwhile, for there is no user with these keys."""
        self._ask("POST", "moto-api/reset-auth", b"0")
        try:
            yield
        finally:
            self._ask("POST", "moto-api/reset-auth", b"inf")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request"}
        headers["Content-Type"] = "text/plain"
        with urlopen(Request(f"{self.endpoint}/{path}", body, headers, method=method), timeout=10) as answer:
            data: bytes = answer.read()
            return data


@contextmanager
def s3() -> Iterator[S3]:
    """moto's server."""
    port = free_port()
    with folder("s3") as private, running([sys.executable, "-m", "moto.server", "-p", str(port)], port, private):
        endpoint = f"http://127.0.0.1:{port}"
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION_NAME": "us-east-1"}
        yield S3(endpoint, {"AWS_ENDPOINT_URL": endpoint, **keys})


@dataclass
class Place:
    """A server of files: the URL of its root, with password where it has one, and the folder that it shows."""

    url: str
    root: Path
    port: int
    options: dict[str, Any]


@contextmanager
def ftp(limit: int = 0, root: Path | None = None) -> Iterator[Place]:
    """pyftpdlib, with the user ``ann`` and the password ``se/cret``; ``limit``: after so many bytes it hangs up.

    ``root``: the folder that it shows; None: one of its own.
    """
    port = free_port()
    with folder("ftp") as own, folder("ftp-log") as private:
        root = root or own
        server = [sys.executable, str(Path(__file__).with_name("ftp_server.py")), str(port), str(root), str(limit)]
        with running(server, port, private):
            yield Place(f"ftp://ann:se%2Fcret@127.0.0.1:{port}", root, port, {})


@contextmanager
def sftp() -> Iterator[Place]:
    """OpenSSH's sshd, for whoever runs the tests, with a key of its own."""
    port = free_port()
    sshd, keygen = program("sshd"), program("ssh-keygen")
    with folder("sftp") as root, folder("sftp-keys") as keys:
        for name in ("host", "user"):
            command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)]
            subprocess.run(command, check=True, timeout=20)
        (keys / "authorized").write_text((keys / "user.pub").read_text())
        (keys / "known").write_text(f"[127.0.0.1]:{port} {(keys / 'host.pub').read_text()}")
        config = keys / "config"
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys}/host\nAuthorizedKeysFile {keys}/authorized\n"
            f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
            "Subsystem sftp internal-sftp\n"
        )
        Path("/run/sshd").mkdir(exist_ok=True)  # where it gives up its rights; there already for others than root
        with running([sshd, "-D", "-e", "-f", config], port, keys):
            options = {"known_hosts": str(keys / "known"), "key_filename": str(keys / "user")}
            options |= {"allow_agent": False, "look_for_keys": False}
            yield Place(f"sftp://{getpass.getuser()}@127.0.0.1:{port}{root}", root, port, options)
