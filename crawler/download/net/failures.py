"""Which of our errors is a failure of Twisted's, OpenSSL's or the system's?"""

from __future__ import annotations

from OpenSSL import SSL
from twisted.internet import error
from twisted.internet.defer import CancelledError

from crawler.download.net.proxy import Proxy
from crawler.errors import (
    ConnectionFailed,
    ConnectionLost,
    FetchCancelled,
    FetchError,
    FetchTimeout,
    NameNotResolved,
    ProxyError,
    TLSError,
)


def not_connected(cause: BaseException | None, host: str, port: int, proxy: Proxy | None = None) -> FetchError:
    """Return the FetchError for a connection to this host that was not made. No byte of the request was sent."""
    if isinstance(cause, FetchError):
        cause.sent = False
        return cause
    if proxy is not None:
        # Twisted's errors come from dialling, so they are about the proxy; the tunnel names its own.
        host, port = proxy.host, proxy.port
    translated = _by_kind(cause, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    if proxy is not None and not isinstance(translated, FetchCancelled | TLSError):
        translated = ProxyError(f"the proxy {proxy.label} cannot be used: {translated}", sent=False)
    translated.__cause__ = cause
    return translated


def _by_kind(cause: BaseException | None, where: str) -> FetchError:
    if isinstance(cause, error.DNSLookupError):
        return NameNotResolved(f"{where}: {cause}", sent=False)
    if isinstance(cause, error.TimeoutError | error.TCPTimedOutError):
        return FetchTimeout(f"no connection to {where} in time", phase="connect", sent=False)
    if isinstance(cause, error.ConnectError):
        return ConnectionFailed(f"cannot connect to {where}: {cause}", sent=False)
    if isinstance(cause, CancelledError | error.ConnectingCancelledError):
        return FetchCancelled(f"connecting to {where} was cancelled", sent=False)
    if isinstance(cause, SSL.Error):
        return TLSError(f"TLS with {where}: {ssl_reason(cause)}", sent=False)
    if isinstance(cause, error.ConnectionDone | error.ConnectionLost):
        return ConnectionLost(f"{where} closed the connection while it was being made", sent=False)
    return ConnectionFailed(f"cannot connect to {where}: {type(cause).__name__}: {cause}", sent=False)


def ssl_reason(cause: BaseException) -> str:
    """Return in words why a handshake failed, without OpenSSL's codes."""
    entries = cause.args[0] if cause.args and isinstance(cause.args[0], list | tuple) else ()
    reasons = [str(entry[-1]) for entry in entries if isinstance(entry, tuple) and entry and entry[-1]]
    if not _NO_TLS.isdisjoint(reasons):
        reasons.append("it seems that the port speaks plain HTTP: try http://")
    return "; ".join(reasons) or "the peer closed the connection in the handshake"


_NO_TLS = {"wrong version number", "http request", "packet length too long", "unknown protocol"}
"""What OpenSSL says when the peer's first bytes are no record of TLS."""
