"""How are files sent over SSH to a server that is the one it should be?

fsspec's own file system takes every host key it has not seen. Here a server has to be known: in ~/.ssh/known_hosts, or
in the file that the option ``known_hosts`` names.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem


class UnknownHost(OSError):
    """The key of the server is not in known_hosts."""


class _Refuse:
    """See paramiko.MissingHostKeyPolicy."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raise UnknownHost, which says what makes it known."""
        host, _, port = hostname.strip("[").partition("]:")
        scan = f"ssh-keyscan {f'-p {port} ' if port else ''}{host} >> ~/.ssh/known_hosts"
        raise UnknownHost(
            f"the key of {hostname} ({key.get_name()}, {key.fingerprint}) is not in known_hosts; if it is the right "
            f"one, `{scan}` adds it"
        )


class Sftp(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
    """SFTP by fsspec; options: those of paramiko's connect, and ``known_hosts``, a file.

    ``patience``: so many seconds may the server be silent.
    """

    def __init__(self, host: str, *, patience: float, known_hosts: str | None = None, **options: Any) -> None:
        self._known_hosts = known_hosts
        self._patience = patience
        super().__init__(host, **options)

    def _connect(self) -> None:
        self.client = client = paramiko.SSHClient()
        try:
            client.load_system_host_keys()
            if self._known_hosts is not None:
                client.load_host_keys(self._known_hosts)
            client.set_missing_host_key_policy(_Refuse())
            patience = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), self._patience)
            client.connect(self.host, **{**patience, **self.ssh_kwargs})
            self.ftp = client.open_sftp()
        except BaseException:
            client.close()
            raise
        channel = self.ftp.get_channel()
        if channel is not None:
            channel.settimeout(self._patience)

    def mv(self, old: str, new: str, **options: Any) -> None:
        """Rename a file, in place of another one."""
        try:
            self.ftp.posix_rename(old, new)
        except OSError:  # a server without OpenSSH's extension, whose rename takes no name that is there
            with suppress(FileNotFoundError):
                self.ftp.remove(new)
            self.ftp.rename(old, new)
