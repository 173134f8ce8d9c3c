"""Whom do we trust on the other end of a TLS connection?

Verified by default and failing closed: the chain by OpenSSL against the system's roots, the name by
service-identity (RFC 6125: subjectAltName only). What is refused says why. Weaker settings exist per host
only, and a connection made under them serves that host alone.
"""

# ruff: noqa: N802, N803 - the names are those of Twisted's interfaces

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import extract_patterns, verify_hostname, verify_ip_address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from crawler.errors import SettingError, TLSError
from crawler.model.url import is_address, shortened

_VERSIONS = {"1.0": SSL.TLS1_VERSION, "1.1": SSL.TLS1_1_VERSION, "1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_OPTIONS = frozenset(("verify", "ca_file", "cert_file", "key_file", "min_version"))
_SESSIONS = 1000

# OpenSSL's X509_V_ERR_* numbers, in words for people.
_PROBLEMS = {
    2: "the certificate of an issuer is missing",
    7: "the signature of the certificate is wrong",
    9: "the certificate is not yet valid",
    10: "the certificate has expired",
    18: "the certificate is self-signed and not trusted",
    19: "the chain ends in a root that is not trusted",
    20: "the issuer is unknown: untrusted root, or the server does not send its whole chain",
    21: "the issuer is unknown: untrusted root, or the server does not send its whole chain",
    22: "the chain of certificates is too long",
    23: "the certificate was revoked",
    24: "an issuer in the chain may not sign certificates",
    26: "the certificate is not meant for servers",
    66: "the key in the certificate is too weak",
    68: "the certificate is signed with a digest that is too weak",
}


class TLSRules(NamedTuple):
    """How connections to one host are made."""

    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    min_version: str = "1.2"


_Key = tuple[TLSRules, tuple[bytes, ...], str, int]


@implementer(IOpenSSLClientConnectionCreator)
class Handshake:
    """One TLS connection being made; ``problem`` is why its certificate was refused."""

    def __init__(self, trust: Trust, rules: TLSRules, host: str, key: _Key) -> None:
        self._trust = trust
        self._rules = rules
        self._host = host
        self._key = key
        self.problem: str | None = None
        self.connection: SSL.Connection

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Make the OpenSSL side of the connection (IOpenSSLClientConnectionCreator)."""
        self.connection = connection = SSL.Connection(self._trust.context(*self._key[:2]), None)
        if self._rules.verify:
            connection.set_verify(SSL.VERIFY_PEER, self.judge)
        if not is_address(self._host):
            # RFC 6066 section 3: a name, never an address.
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        session = self._trust.session(self._key)
        if session is not None:
            connection.set_session(session)
        return connection

    def judge(self, connection: SSL.Connection, certificate: X509, number: int, depth: int, accepted: int) -> bool:
        """Note why OpenSSL refuses a certificate; never accept what it refuses."""
        if not accepted:
            what = _PROBLEMS.get(number, f"the certificate was refused (OpenSSL's reason {number})")
            whose = "the server's" if depth == 0 else f"that of issuer {depth}"
            self.problem = f"{what} ({whose}, of {_subject(certificate)!r})"
        return bool(accepted)

    def check_name(self) -> None:
        """Raise TLSError unless the peer's certificate is for this host. Call it before the first byte is sent."""
        if not self._rules.verify:
            return
        check = verify_ip_address if is_address(self._host) else verify_hostname
        try:
            check(self.connection, self._host)
        except (VerificationError, CertificateError) as error:
            raise TLSError(f"the certificate is not for {self._host} but for {self._named()}", sent=False) from error
        except ValueError as error:
            raise TLSError(f"the certificate cannot be compared with {self._host}: {error}", sent=False) from error

    def _named(self) -> str:
        certificate = self.connection.get_peer_certificate()
        try:
            patterns = extract_patterns(certificate) if certificate is not None else []
        except CertificateError:
            patterns = []
        texts = [shortened(str(getattr(pattern, "pattern", pattern)), 80) for pattern in patterns][:5]
        return ", ".join(text.removeprefix("b").strip("'") for text in texts) or "no name at all (subjectAltName)"

    def remember(self) -> None:
        """Keep the session, so that the next connection to the same host is made with one round trip less."""
        session = self.connection.get_session()
        if session is not None:
            self._trust.remember(self._key, session)


class Trust:
    """The TLS settings of one downloader. Raises SettingError for what cannot be used."""

    def __init__(
        self,
        *,
        verify: bool = True,
        min_version: str = "1.2",
        ca_file: str | None = None,
        hosts: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self._default = TLSRules(verify=verify, ca_file=ca_file, min_version=min_version)
        self._hosts: dict[str, TLSRules] = {}
        self._contexts: dict[tuple[TLSRules, tuple[bytes, ...]], SSL.Context] = {}
        self._sessions: dict[_Key, SSL.Session] = {}
        for host, options in (hosts or {}).items():
            unknown = sorted(set(options) - _OPTIONS)
            if unknown:
                raise SettingError(f"TLS_HOSTS[{host!r}]: unknown {unknown[0]!r}; known: {', '.join(sorted(_OPTIONS))}")
            rules = self._default._replace(**options)
            if not isinstance(rules.verify, bool) or rules.min_version not in _VERSIONS:
                raise SettingError(f"TLS_HOSTS[{host!r}]: verify is a bool, min_version one of {', '.join(_VERSIONS)}")
            self._hosts[host.lower()] = rules
        for rules in (self._default, *self._hosts.values()):
            _check_files(rules)

    def handshake(self, host: str, port: int, protocols: list[bytes]) -> Handshake:
        """Return what Twisted's TLS makes one new connection with."""
        # The dot of a name's root is in no certificate, and RFC 6066 section 3 wants it left out of the handshake.
        host = host.removesuffix(".")
        rules = self._hosts.get(host.lower(), self._default)
        # A session belongs to the context it was made under, and to one server.
        return Handshake(self, rules, host, (rules, tuple(protocols), host, port))

    def context(self, rules: TLSRules, protocols: tuple[bytes, ...]) -> SSL.Context:
        """Return what all connections under the same rules share."""
        context = self._contexts.get((rules, protocols))
        if context is None:
            context = self._contexts[rules, protocols] = _make_context(rules, list(protocols))
        return context

    def session(self, key: _Key) -> SSL.Session | None:
        """Return the session that was kept last."""
        return self._sessions.get(key)

    def remember(self, key: _Key, session: SSL.Session) -> None:
        """Keep a session for the next connection of the same host under the same rules."""
        self._sessions.pop(key, None)
        if len(self._sessions) >= _SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[key] = session


def _check_files(rules: TLSRules) -> None:
    for name in (rules.ca_file, rules.cert_file, rules.key_file):
        if name is not None and not Path(name).is_file():
            raise SettingError(f"TLS file not found: {name!r}")
    try:
        _make_context(rules, [])
    except SSL.Error as error:
        raise SettingError(f"TLS files cannot be used: {rules.ca_file or rules.cert_file!r}: {error}") from error


def _make_context(rules: TLSRules, protocols: list[bytes]) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(_VERSIONS[rules.min_version])
    if rules.min_version in ("1.0", "1.1"):
        # OpenSSL 3 allows these versions only at security level 0, certificates included.
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    if rules.verify:
        context.set_default_verify_paths()
        context.set_verify(SSL.VERIFY_PEER, lambda *rest: bool(rest[-1]))
    else:
        context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
    if rules.ca_file is not None:
        context.load_verify_locations(rules.ca_file)
    if rules.cert_file is not None:
        context.use_certificate_chain_file(rules.cert_file)
        context.use_privatekey_file(rules.key_file or rules.cert_file)
        context.check_privatekey()
    if protocols:
        context.set_alpn_protos(protocols)
    return context


def _subject(certificate: X509) -> str:
    try:
        return shortened(str(certificate.to_cryptography().subject.rfc4514_string()))
    except (ValueError, AttributeError):
        return "an unreadable name"
