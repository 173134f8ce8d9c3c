"""Which keys let somebody in, and what is said of a line that cannot be kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from crawler.console.ssh.keys import authorized, fingerprint, host_key
from crawler.errors import SettingError, UsageError

SECRET = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))  # the same for each process: it names tests
LINE = SECRET.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
CURVE = (
    ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
)
SHORT = rsa.generate_private_key(65537, 1024).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def test_a_key_is_who_its_line_says(tmp_path: Path) -> None:
    file = tmp_path / "keys of the team"
    file.write_text(f"# the team\n\n{CURVE} bob on call\n")
    assert sorted(authorized([f"{LINE} alice@laptop", str(file)]).values()) == ["alice@laptop", "bob on call"]


def test_a_key_without_a_name_is_its_fingerprint(tmp_path: Path) -> None:
    (who,) = authorized([LINE]).values()
    assert who.startswith("SHA256:")


def test_options_that_hold_anyway_may_stand_there() -> None:
    assert list(authorized([f"no-agent-forwarding,no-port-forwarding {LINE} a"]).values()) == ["a"]


Entry = Callable[[Path], str]


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ('from="10.0.0.1"', "from"),
        ('no-port-forwarding,command="echo hi, \\"you\\"",no-agent-forwarding', "command"),
        ("FROM=x", "FROM"),
        ("cert-authority", "cert-authority"),
        ('expiry-time="20200101"', "expiry-time"),
        ("no-pty", "no-pty"),
    ],
)
def test_an_option_that_would_not_be_kept_is_refused_by_name(option: str, name: str) -> None:
    with pytest.raises(SettingError, match=rf"CONSOLE_KEYS\[0\]: the option {name} is not kept here"):
        authorized([f"{option} {LINE} a"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (f"{SHORT} old", r"RSA of 1024 bits can be broken: at least 2048, or ssh-ed25519"),
        (f"{LINE[:40]} cut", r"CONSOLE_KEYS\[0\]: the key cannot be read"),
        (
            "/nowhere/keys",
            r"neither a public key, as `ssh-ed25519 AAAA… name`, nor a file of them: /nowhere/keys: No such",
        ),
    ],
)
def test_what_is_no_key_is_refused_by_name(entry: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        authorized([entry])


def test_nobody_is_no_answer() -> None:
    with pytest.raises(SettingError, match="CONSOLE_KEYS says nobody"):
        authorized([])


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"ssh-dss AAAAB3NzaC1kc3MAAACB old", 0o644, r":1: expected a public key of ssh-ed25519"),
        (b"hello\n", 0o600, r":1: expected a public key"),
        (f"{LINE} a".encode(), 0o666, r"others may write to .*: `chmod go-w .*`"),
        (b"\xff\xfe", 0o600, "it is no text"),
        (
            SECRET.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
            0o600,
            "that of a private key with .pub is meant",
        ),
    ],
)
def test_a_file_that_has_no_keys_is_refused_by_name(tmp_path: Path, content: bytes, mode: int, message: str) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(SettingError, match=message):
        authorized([str(file)])


def test_the_consoles_own_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.write_text("kept")
    (tmp_path / f"key.{os.getpid()}").symlink_to(others)
    host_key(tmp_path / "key")
    assert others.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "others"]


def test_the_consoles_own_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "console_host_key"
    first = host_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert fingerprint(host_key(path)) == fingerprint(first)


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (None, 0o640, r"can be read by others, and is secret: `chmod 600 .*`"),
        (b"nonsense", 0o600, "is no key of SSH: remove it"),
        (LINE.encode(), 0o600, r"is to be a private key of Ed25519: `ssh-keygen -t ed25519 -N '' -f .*` makes one"),
        (b"", 0o600, "is no key of SSH: remove it"),
    ],
)
def test_an_own_key_that_will_not_do_is_refused(tmp_path: Path, content: bytes | None, mode: int, message: str) -> None:
    path = tmp_path / "key"
    if content is None:
        host_key(path)
    else:
        path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(UsageError, match=message):
        host_key(path)
