"""Real servers that notices go to, on high ports of loopback, each ended by whoever started it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.download.http.certificates import Authority


class Running(NamedTuple):
    """A server: its port, its folder, and the file of what it was sent, where it keeps that in one."""

    port: int
    folder: Path
    got: Path

    def text(self) -> str:
        """Return what it was sent, once there is something."""
        until = time.monotonic() + 10
        while not (self.got.exists() and self.got.stat().st_size) and time.monotonic() < until:
            time.sleep(0.01)
        return self.got.read_text()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that a server may read which gives up being root: pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="crawler-notices-") as name:
        folder = Path(name)
        yield folder


def _own(folder: Path, user: str) -> None:
    """Give all that is in the folder to the user that the server becomes."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)


@contextmanager
def _started(command: Sequence[str], folder: Path, port: int, user: str | None = None) -> Iterator[None]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (.ci/system)")
    user = user if os.geteuid() == 0 else None
    with (
        (folder / "out").open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, cwd=folder, user=user) as process,
    ):
        try:
            until = time.monotonic() + 20
            while not _listens(port):
                assert process.poll() is None, (folder / "out").read_text()
                assert time.monotonic() < until, (folder / "out").read_text()
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def mail_server(authority: Authority) -> Iterator[Running]:
    """Exim: STARTTLS is offered, a password over TLS alone; bot:secret may send to example.com."""
    port = free_port()
    with _folder() as folder:
        certificate = shutil.copy(authority.server("localhost"), folder / "certificate.pem")
        config = folder / "config"
        config.write_text(f"""
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
pid_file_path = {folder}/pid
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {certificate}
acl_smtp_rcpt = rcpt
host_lookup =
rfc1413_query_timeout = 0s
deliver_drop_privilege = true
begin acl
rcpt:
  accept authenticated = *
         domains = example.com
  deny message = relay not permitted
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  file = {folder}/got
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{bot}}}}{{eq{{$auth3}}{{secret}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
""")
        _own(folder, "Debian-exim")
        config.chmod(0o644)
        if os.geteuid() == 0:
            shutil.chown(config, "root")
        with _started(["exim4", "-C", str(config), "-bdf"], folder, port):
            yield Running(port, folder, folder / "got")


@contextmanager
def irc_server(authority: Authority) -> Iterator[Running]:
    """ngIRCd, with TLS from the first byte."""
    port, open_port = free_port(), free_port()
    with _folder() as folder:
        certificate = shutil.copy(authority.server("localhost", with_rsa=True), folder / "certificate.pem")
        config = folder / "ngircd.conf"
        config.write_text(f"""
[Global]
Name = irc.example
Info = a test
Listen = 127.0.0.1
Ports = {open_port}
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
[SSL]
CertFile = {certificate}
KeyFile = {certificate}
Ports = {port}
[Channel]
Name = #locked
Modes = +k opensesame
""")
        _own(folder, "irc")
        with _started(["ngircd", "-n", "-f", str(config)], folder, port):
            yield Running(port, folder, folder / "out")


@contextmanager
def xmpp_server(authority: Authority) -> Iterator[Running]:
    """Prosody, for the domain localhost with bot:secret and ops:secret, and rooms at rooms.localhost."""
    port = free_port()
    with _folder() as folder:
        shutil.copy(authority.server("localhost"), folder / "localhost.crt")
        shutil.copy(folder / "localhost.crt", folder / "localhost.key")
        accounts = folder / "data" / "localhost" / "accounts"
        accounts.mkdir(parents=True)
        for name in ("bot", "ops"):
            (accounts / f"{name}.dat").write_text('return { ["password"] = "secret" };\n')
        config = folder / "prosody.cfg.lua"
        config.write_text(f"""
daemonize = false
pidfile = "{folder}/pid"
data_path = "{folder}/data"
certificates = "{folder}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{}}
modules_enabled = {{ "tls", "saslauth", "ping", "disco", "offline" }}
modules_disabled = {{ "s2s", "http" }}
authentication = "internal_plain"
c2s_require_encryption = true
allow_registration = false
log = {{ info = "*console" }}
VirtualHost "localhost"
VirtualHost "other.example"
  ssl = {{ certificate = "{folder}/localhost.crt"; key = "{folder}/localhost.key" }}
Component "rooms.localhost" "muc"
  modules_enabled = {{ "muc_mam" }}
  muc_log_by_default = true
""")
        _own(folder, "prosody")
        with _started(["prosody", "-F", "--config", str(config)], folder, port, "prosody"):
            yield Running(port, folder, folder / "out")
