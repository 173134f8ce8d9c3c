"""Who may come in over SSH, and by which key does a console show that it is itself?

Who may come in is what CONSOLE_KEYS says, and nothing else: no file of the user's own is looked for. Its lines are as
sshd(8) has them, AUTHORIZED_KEYS FILE FORMAT.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.ssh.keys import BadKeyError, EncryptedKeyError, FingerprintFormats, Key

from crawler.errors import SettingError, UsageError
from crawler.storage.private import write_private_file

_LEAST_RSA_BITS = 2048
_KINDS = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
# What these forbid is not to be had here anyway.
_KEPT = frozenset({"restrict", "no-agent-forwarding", "no-port-forwarding", "no-x11-forwarding", "no-user-rc"})
_options = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+')
_option = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')


def authorized(entries: Sequence[str]) -> dict[bytes, str]:
    """Return whose key each is, by its blob (RFC 4253 §6.6). Raises SettingError, naming the line.

    Whose it is, is what the line ends with, or else the key's fingerprint.
    """
    found: dict[bytes, str] = {}
    for where, line in _lines(entries):
        key, comment = _key(where, line)
        found[key.blob()] = comment or fingerprint(key)
    if not found:
        raise SettingError(
            "CONSOLE_KEYS says nobody, so nobody could come in by CONSOLE_PORT: name the lines of authorized_keys, or "
            "files of such lines, as in CONSOLE_KEYS = ['deploy/console_keys']"
        )
    return found


def host_key(path: Path) -> Key:
    """Return the key in a file, which is made, of mode 0600, if there is none. Raises UsageError."""
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise UsageError(
                f"{path} can be read by others, and is secret: `chmod 600 {path}`, or remove it for a new one"
            )
        key: Key = Key.fromString(path.read_bytes())
    except OSError as error:
        raise UsageError(f"the console's key {path}: {error.strerror}") from error
    except EncryptedKeyError as error:
        raise UsageError(f"the console's key {path} has a passphrase, which nobody is there to type") from error
    except (BadKeyError, ValueError) as error:
        raise UsageError(f"{path} is no key of SSH: remove it, and a new one is made") from error
    if key.isPublic() or key.type() != "Ed25519":
        raise UsageError(f"{path} is to be a private key of Ed25519: `ssh-keygen -t ed25519 -N '' -f {path}` makes one")
    return key


def fingerprint(key: Key) -> str:
    """Return how a key is shown to people, as `ssh-keygen -l` does."""
    return f"SHA256:{key.fingerprint(FingerprintFormats.SHA256_BASE64).rstrip('=')}"


def _make(path: Path) -> None:
    """Make a key; of two processes that do so at once both have the one that was there first."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    write_private_file(new, Key(Ed25519PrivateKey.generate()).toString("openssh"))
    try:
        with suppress(FileExistsError):
            path.hardlink_to(new)
    finally:
        new.unlink()


def _lines(entries: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each line that may have a key, with where it is."""
    for number, entry in enumerate(entries):
        if any(word.startswith(_KINDS) for word in entry.split()):
            yield f"CONSOLE_KEYS[{number}]", entry.strip()
            continue
        path = Path(entry).expanduser()
        try:
            if path.stat().st_mode & 0o022:
                raise SettingError(f"CONSOLE_KEYS[{number}]: others may write to {path}: `chmod go-w {path}`")
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SettingError(
                f"CONSOLE_KEYS[{number}] is neither a public key, as `ssh-ed25519 AAAA… name`, nor a file of them: "
                f"{path}: {why}"
            ) from error
        for place, line in enumerate(lines, 1):
            if line.strip() and not line.lstrip().startswith("#"):
                yield f"CONSOLE_KEYS[{number}], {path}:{place}", line.strip()


def _key(where: str, line: str) -> tuple[Key, str]:
    if line.startswith("-----BEGIN"):
        raise SettingError(
            f"{where}: this is no public key, but another file: that of a private key with .pub is meant"
        )
    if not line.startswith(_KINDS) and (options := _options.match(line)):
        line = line[options.end() :].strip()
        if line.startswith(_KINDS):
            _check_options(where, options.group())
    if not line.startswith(_KINDS):
        raise SettingError(f"{where}: expected a public key of {', '.join(_KINDS[:3])}…, got {line[:40]!r}")
    try:
        key = Key.fromString(line.encode())
        if not key.isPublic():
            raise BadKeyError("a private key")
    except (BadKeyError, ValueError, IndexError, TypeError) as error:
        raise SettingError(f"{where}: the key cannot be read: {error}") from error
    if key.type() == "RSA" and key.size() < _LEAST_RSA_BITS:
        raise SettingError(
            f"{where}: RSA of {key.size()} bits can be broken: at least {_LEAST_RSA_BITS}, or ssh-ed25519"
        )
    return key, " ".join(line.split()[2:])


def _check_options(where: str, options: str) -> None:
    for option in _option.findall(options):
        name = option.partition("=")[0]
        if name.lower() not in _KEPT:
            raise SettingError(
                f"{where}: the option {name} is not kept here, so this key would be let in without it: remove it"
            )
