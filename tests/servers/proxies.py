"""Proxies: tinyproxy and squid for HTTP and CONNECT, microsocks for SOCKS5."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.servers.process import folder, free_port, program, running

USER, PASSWORD = "reader", "s3cr3t"

_TINYPROXY = """\
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 50
Allow 127.0.0.1
LogLevel Info
{login}
"""
_SQUID = """\
http_port 127.0.0.1:{port}
pid_filename none
access_log none
cache_log stdio:/dev/stderr
logfile_rotate 0
cache deny all
cache_mem 8 MB
coredump_dir none
max_filedescriptors 512
shutdown_lifetime 0 seconds
{login}
http_access deny all
"""
_SQUID_LOGIN = """\
auth_param basic program /bin/sh {helper}
auth_param basic children 1
auth_param basic realm test
acl known proxy_auth REQUIRED
http_access allow known
"""
# squid asks it with "user password" on a line.
_HELPER = """\
while read -r user password; do
    if [ "$user $password" = "{user} {password}" ]; then echo OK; else echo ERR; fi
done
"""


@contextmanager
def tinyproxy(*, login: bool) -> Iterator[str]:
    """Run tinyproxy; yields its host and port."""
    path = program("tinyproxy")
    with folder("tinyproxy") as private:
        port = free_port()
        configuration = private / "tinyproxy.conf"
        who = f"BasicAuth {USER} {PASSWORD}" if login else ""
        configuration.write_text(_TINYPROXY.format(port=port, login=who))
        with running([path, "-d", "-c", configuration], port, private):
            yield f"127.0.0.1:{port}"


@contextmanager
def squid(*, login: bool) -> Iterator[str]:
    """Run squid; yields its host and port."""
    path = program("squid")
    with folder("squid") as private:
        port = free_port()
        helper = private / "helper.sh"
        helper.write_text(_HELPER.format(user=USER, password=PASSWORD))
        who = _SQUID_LOGIN.format(helper=helper) if login else "http_access allow all"
        configuration = private / "squid.conf"
        configuration.write_text(_SQUID.format(port=port, login=who))
        with running([path, "-N", "-f", configuration], port, private):
            yield f"127.0.0.1:{port}"


@contextmanager
def microsocks(*, login: bool) -> Iterator[str]:
    """Run microsocks; yields its host and port."""
    path = program("microsocks")
    with folder("microsocks") as private:
        port = free_port()
        who = ["-u", USER, "-P", PASSWORD] if login else []
        with running([path, "-i", "127.0.0.1", "-p", str(port), *who], port, private):
            yield f"127.0.0.1:{port}"


Proxy = Callable[..., AbstractContextManager[str]]
PROXIES: dict[str, tuple[str, Proxy]] = {
    "tinyproxy": ("http", tinyproxy),
    "squid": ("http", squid),
    "microsocks": ("socks5", microsocks),
}
"""Name to the scheme of its URL and the program."""
