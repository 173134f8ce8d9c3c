"""rediss: the server's certificate is verified, and what is wrong with it is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crawler.errors import UsageError
from tests.cluster.servers import configured, connection_to, free_port, program_with_tls
from tests.download.http.certificates import Authority

pytestmark = pytest.mark.process


@contextmanager
def over_tls(folder: Path, authority: Authority, certificate: Path, *, clients: bool = False) -> Iterator[int]:
    """Run a server that speaks TLS alone on a port."""
    port = free_port()
    files = ["--tls-cert-file", certificate, "--tls-key-file", certificate, "--tls-ca-cert-file", authority.file]
    options = ["--tls-port", port, "--tls-auth-clients", "yes" if clients else "no", *files]
    with configured(program_with_tls(), folder, *map(str, options)):
        yield port


def refusal(url: str) -> str:
    with pytest.raises(UsageError) as caught:
        connection_to(url).open()
    return str(caught.value)


def test_certificates_are_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with over_tls(tmp_path, authority, authority.server("127.0.0.1")) as port:
        ca = f"ssl_ca_certs={authority.file}"
        connection = connection_to(f"rediss://127.0.0.1:{port}?{ca}")
        connection.open()
        assert connection.command("PING") == b"PONG"
        said = refusal(f"rediss://127.0.0.1:{port}")
        assert "is not to be trusted" in said
        assert said.endswith("name the file of its CA: rediss://…?ssl_ca_certs=FILE")
        said = refusal(f"rediss://localhost:{port}?{ca}")
        assert "is for another name (Hostname mismatch" in said
        assert said.endswith(": use the name that stands in it")
        assert "the URL begins with rediss://" in refusal(f"redis://127.0.0.1:{port}")


def test_a_certificate_that_has_expired_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with over_tls(tmp_path, authority, authority.server("127.0.0.1", since=-9, until=-2)) as port:
        assert "certificate has expired" in refusal(f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority.file}")


def test_a_server_may_ask_for_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.server("client")
    with over_tls(tmp_path, authority, authority.server("127.0.0.1"), clients=True) as port:
        url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority.file}"
        assert "it asks for a certificate: rediss://…?ssl_certfile=FILE&ssl_keyfile=FILE" in refusal(url)
        connection_to(f"{url}&ssl_certfile={ours}&ssl_keyfile={ours}").open()


def test_a_server_without_tls(program: str, tmp_path: Path) -> None:
    port = free_port()
    with configured(program, tmp_path, port=port):
        assert refusal(f"rediss://127.0.0.1:{port}").endswith("(else its URL begins with redis://)")
