"""How does somebody come in over SSH? By a key of CONSOLE_KEYS, and to the console alone."""

# ruff: noqa: N802, N815 - the names are those of Twisted's interfaces

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from struct import pack
from typing import Any, cast

from twisted.conch.avatar import ConchUser
from twisted.conch.error import ValidPublicKey
from twisted.conch.interfaces import IConchUser
from twisted.conch.ssh.common import NS, getNS
from twisted.conch.ssh.connection import MSG_CHANNEL_OPEN_FAILURE, OPEN_UNKNOWN_CHANNEL_TYPE, SSHConnection
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.transport import DISCONNECT_BY_APPLICATION, SSHServerTransport
from twisted.conch.ssh.userauth import SSHUserAuthServer
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import ISSHPrivateKey
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.base import ReactorBase
from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure
from zope.interface import implementer

from crawler.config.schema import CoreSettings
from crawler.console.session import Session
from crawler.console.ssh.channel import ConsoleChannel
from crawler.console.ssh.keys import authorized, fingerprint, host_key
from crawler.local_socket import listen_on
from crawler.model.masking import escape
from crawler.storage.jobs import make_folder

LOGIN_SECONDS = 30.0
MOST_TRIES = 6
MOST_CONNECTIONS = 10
MOST_TOLD = 100
"""So many kinds of refusals are logged, each once for an address."""

logger = logging.getLogger(__name__)


class SshDoor:
    """The port that consoles come in by, and those that are in."""

    def __init__(self, core: CoreSettings, new_session: Callable[[str], Session], reactor: ReactorBase) -> None:
        self._core = core
        self._reactor: Any = reactor
        keys = authorized(core.CONSOLE_KEYS)
        own = Path(core.CONSOLE_HOST_KEY) if core.CONSOLE_HOST_KEY else make_folder(core.JOB_DIR) / "console_host_key"
        self._own = host_key(own)
        self._factory = _Factory(self._own, keys, new_session, reactor)
        self._port: Any = None

    def open(self) -> None:
        """Listen. Raises UsageError."""
        host, port = self._core.CONSOLE_HOST, self._core.CONSOLE_PORT or 0
        self._port = listen_on(self._reactor, host, port, self._factory, name="CONSOLE_PORT")
        logger.info("Console: `ssh -p %d %s`; its key is %s", self.port, host, fingerprint(self._own))
        if not ip_address(host).is_loopback:
            logger.warning("Console: CONSOLE_HOST %s lets other machines try to come in", host)

    @property
    def inside(self) -> set[_Connection]:
        """Who is in, or tries to be."""
        return self._factory.inside

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._port.getHost().port)

    async def close(self, why: str) -> None:
        """Let nobody in any more, and tell those who are in why."""
        for connection in list(self.inside):
            connection.end(why)
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)


class _Connection(SSHServerTransport):
    """One connection. It ends if nobody is let in soon."""

    # What OpenSSH still offers of what Twisted has: no CBC, no SHA-1, no groups of a fixed prime (RFC 9142).
    supportedCiphers = [b"aes256-ctr", b"aes192-ctr", b"aes128-ctr"]
    supportedMACs = [b"hmac-sha2-512", b"hmac-sha2-256"]
    supportedKeyExchanges = [b"curve25519-sha256", b"curve25519-sha256@libssh.org", b"ecdh-sha2-nistp256"]
    supportedCompressions = [b"none"]  # nothing is inflated of somebody who is not known yet
    ourVersionString = b"SSH-2.0-crawler"

    factory: _Factory
    transport: Any
    tried = 0
    malformed = False

    @property
    def person(self) -> _Person | None:
        """Who was let in; None until then."""
        return getattr(self, "avatar", None)  # as Twisted leaves it

    def connectionMade(self) -> None:
        """See IProtocol."""
        super().connectionMade()
        self.factory.inside.add(self)
        self._late = self.factory.reactor.callLater(LOGIN_SECONDS, self._time_out)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """See IProtocol."""
        super().connectionLost(reason)
        self.factory.inside.discard(self)
        if self._late.active():
            self._late.cancel()
        if self.person is not None:
            logger.debug("Console: %s has left", self.person.who)
            return
        why = f"none of the keys that it showed ({self.tried}) is in CONSOLE_KEYS" if self.tried else "it showed no key"
        if self.malformed:
            why = "what it sent is malformed"
        self.factory.tell(f"{self.transport.getPeer().host} was not let in: {why}")

    def dataReceived(self, data: bytes) -> None:
        """See IProtocol. What a stranger sends that cannot be read ends it, and is no error of the crawl."""
        try:
            super().dataReceived(data)
        except Exception:
            if self.person is not None:
                raise
            self.malformed = True
            self.transport.abortConnection()

    def receiveError(self, reasonCode: int, description: bytes) -> None:  # noqa: N803 (Twisted's name)
        """Hear why the other side ends the connection, as each does."""
        logger.debug("Console: it ends: %s", escape(description.decode(errors="replace")))

    def end(self, why: str) -> None:
        """Say why it ends, and end it."""
        channels = list(self.person.conn.channels.values()) if self.person is not None else []
        for channel in channels:
            channel.end(why)
        if not channels:
            self.sendDisconnect(DISCONNECT_BY_APPLICATION, why.encode())

    def _time_out(self) -> None:
        if self.person is None:
            self.transport.abortConnection()


class _Authentication(SSHUserAuthServer):
    """Keys alone (RFC 4252 §7); the time for it is the connection's."""

    transport: Any
    loginTimeout = int(LOGIN_SECONDS)
    attemptsBeforeDisconnect = MOST_TRIES

    def serviceStarted(self) -> None:
        """See SSHService."""
        self.clock = self.transport.factory.reactor  # in the place of the global one
        super().serviceStarted()

    def auth_publickey(self, packet: bytes) -> Any:
        """Count the keys that are shown."""
        self.transport.tried += 1
        return super().auth_publickey(packet)


class _Channels(SSHConnection):
    """The channels of a connection: sessions, and nothing forwarded (RFC 4254 §7)."""

    transport: Any  # a _Connection of somebody who was let in

    def ssh_CHANNEL_OPEN(self, packet: bytes) -> None:
        """Refuse all others here: Twisted would log an error with its stack."""
        kind, rest = getNS(packet)
        if kind in self.transport.person.channelLookup:
            super().ssh_CHANNEL_OPEN(packet)
            return
        self.transport.factory.tell(
            f"{self.transport.person.who} is refused {escape(kind[:60].decode(errors='replace'))}"
        )
        why = pack(">L", OPEN_UNKNOWN_CHANNEL_TYPE) + NS(b"nothing is forwarded here") + NS(b"")
        self.transport.sendPacket(MSG_CHANNEL_OPEN_FAILURE, rest[:4] + why)


class _Factory(SSHFactory):
    """What all connections share."""

    protocol = _Connection
    services: dict[bytes, Any] = {b"ssh-userauth": _Authentication, b"ssh-connection": _Channels}
    noisy = False
    primes = None

    def __init__(
        self, own: Key, keys: Mapping[bytes, str], new_session: Callable[[str], Session], reactor: ReactorBase
    ) -> None:
        self.publicKeys = {b"ssh-ed25519": own.public()}
        self.privateKeys = {b"ssh-ed25519": own}
        people: Any = _People(new_session)
        self.portal = Portal(people, [cast(Any, _Keys(keys))])
        self.reactor: Any = reactor
        self.inside: set[_Connection] = set()
        self._told: set[str] = set()

    def tell(self, refusal: str) -> None:
        """Log a refusal, the first of its kind: anybody could fill the log otherwise."""
        if refusal not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(refusal)
            logger.warning("Console: %s; no more of the kind are logged", refusal)

    def buildProtocol(self, addr: Any) -> Any:
        """Make a connection, unless there are too many (see IProtocolFactory)."""
        if len(self.inside) >= MOST_CONNECTIONS:
            self.tell(f"{addr.host} is refused: {MOST_CONNECTIONS} are connected, which is the most")
            return None
        return super().buildProtocol(addr)


@implementer(ICredentialsChecker)
class _Keys:
    """Who may come in: those whose keys the settings name."""

    credentialInterfaces = (ISSHPrivateKey,)

    def __init__(self, keys: Mapping[bytes, str]) -> None:
        self._keys = keys

    def requestAvatarId(self, credentials: Any) -> str:
        """Return whose key it is (ICredentialsChecker); the user name that the client gives says nothing."""
        who = self._keys.get(credentials.blob)
        if who is None:
            raise UnauthorizedLogin("CONSOLE_KEYS has no such key")
        if credentials.signature is None:
            raise ValidPublicKey
        algorithm, _ = getNS(credentials.signature)
        signed = algorithm != b"ssh-rsa"  # which is SHA-1 (RFC 8332)
        if not signed or not Key.fromString(credentials.blob).verify(credentials.signature, credentials.sigData):
            raise UnauthorizedLogin("the signature is not right")
        return who


@implementer(IRealm)
class _People:
    """Everybody who was let in."""

    def __init__(self, new_session: Callable[[str], Session]) -> None:
        self._new_session = new_session

    def requestAvatar(self, who: str, mind: object, *interfaces: Any) -> tuple[Any, _Person, Callable[[], None]]:
        """Return who is there (see IRealm)."""
        return IConchUser, _Person(f"ssh {who}", self._new_session), lambda: None


class _Person(ConchUser):
    """Somebody who was let in: to sessions (RFC 4254 §6), and no forwarding, no subsystem, no agent."""

    def __init__(self, who: str, new_session: Callable[[str], Session]) -> None:
        super().__init__()
        self.who = who
        self.new_session = new_session
        self.channelLookup = {b"session": ConsoleChannel}
        logger.info("Console: %s is here", who)
