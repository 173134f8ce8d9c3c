"""Servers of HTTP/2: nginx and nghttpd."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.servers.process import folder, free_port, program, running

PAGE = b"<title>hello</title>" + b"<p>some text\n" * 400
LARGE = bytes(range(256)) * 4096

_NGINX = """\
daemon off;
{user}
worker_processes 1;
pid {private}/pid;
error_log {private}/error.log;
events {{ worker_connections 256; }}
http {{
    types {{ text/html html; }}
    access_log {private}/access.log;
    client_body_temp_path {private}/body;
    proxy_temp_path {private}/proxy;
    fastcgi_temp_path {private}/fastcgi;
    uwsgi_temp_path {private}/uwsgi;
    scgi_temp_path {private}/scgi;
    gzip on;
    gzip_min_length 100;
    keepalive_requests {requests};
    server {{
        listen 127.0.0.1:{secure} ssl {http2};
        listen 127.0.0.1:{plain};
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        root {root};
        location /moved {{ return 302 /page.html; }}
        location /upload {{ client_max_body_size 10m; return 200 "$request_method $content_length"; }}
    }}
}}
"""


class Origin(NamedTuple):
    """Where a server is; "" if it does not speak that."""

    secure: str
    plain: str
    private: Path


def _site(private: Path) -> Path:
    root = private / "site"
    root.mkdir()
    (root / "page.html").write_bytes(PAGE)
    (root / "large.bin").write_bytes(LARGE)
    for number in range(60):
        (root / f"{number}.html").write_text(f"<title>{number}</title>")
    return root


@contextmanager
def nginx(certificate: Path, *, http2: bool = True, requests: int = 1000) -> Iterator[Origin]:
    """Run nginx; ``certificate`` is a PEM file with its key. A connection ends after so many ``requests``."""
    path = program("nginx")
    with folder("nginx") as private:
        secure, plain = free_port(), free_port()
        configuration = private / "nginx.conf"
        configuration.write_text(
            _NGINX.format(
                user=f"user {getpass.getuser()};" if getpass.getuser() == "root" else "",
                private=private,
                secure=secure,
                plain=plain,
                http2="http2" if http2 else "",
                certificate=certificate,
                root=_site(private),
                requests=requests,
            )
        )
        with running([path, "-e", private / "error.log", "-p", private, "-c", configuration], secure, private):
            yield Origin(f"https://127.0.0.1:{secure}", f"http://127.0.0.1:{plain}", private)


@contextmanager
def nghttpd(certificate: Path) -> Iterator[Origin]:
    """Run the server of nghttp2, which speaks HTTP/2 alone."""
    path = program("nghttpd")
    with folder("nghttpd") as private:
        port = free_port()
        arguments = ["--address=127.0.0.1", f"--htdocs={_site(private)}", "--echo-upload"]
        with running([path, *arguments, str(port), certificate, certificate], port, private):
            yield Origin(f"https://127.0.0.1:{port}", "", private)
