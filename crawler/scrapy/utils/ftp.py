"""How does a file get to an FTP server?"""

from __future__ import annotations

import posixpath
from ftplib import FTP, FTP_TLS, error_perm
from ssl import create_default_context
from typing import IO


def ftp_makedirs_cwd(ftp: FTP, path: str, first_call: bool = True) -> None:
    """Go to a folder, and make it and those above it where they are missing."""
    try:
        ftp.cwd(path)
    except error_perm:
        ftp_makedirs_cwd(ftp, posixpath.dirname(path), False)
        ftp.mkd(path)
        if first_call:
            ftp.cwd(path)


def ftp_store_file(
    *,
    path: str,
    file: IO[bytes],
    host: str,
    port: int,
    username: str,
    password: str,
    use_active_mode: bool = False,
    overwrite: bool = True,
    tls: bool = False,
) -> None:
    """Send a file from its beginning, and close it. Blocks. Raises OSError and ftplib.Error."""
    with FTP_TLS(context=create_default_context()) if tls else FTP() as ftp, file:
        ftp.connect(host, port)
        ftp.login(username, password)
        if isinstance(ftp, FTP_TLS):
            ftp.prot_p()
        ftp.set_pasv(not use_active_mode)
        file.seek(0)
        folder, name = posixpath.split(path)
        ftp_makedirs_cwd(ftp, folder)
        ftp.storbinary(f"{'STOR' if overwrite else 'APPE'} {name}", file)
