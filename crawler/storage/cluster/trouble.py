"""What does an error of the connection to the server mean, and what is to be done?

Some trouble passes by itself: a server that is started again, a network that is cut. Some does not: a wrong password,
a certificate of somebody else. Each is one sentence for the user.
"""

from __future__ import annotations

import ssl
from typing import NamedTuple

from redis import exceptions

from crawler.storage.cluster.address import PASSWORD_SETTING, Address

RIGHTS = "+@read +@write -@dangerous +@connection +@scripting +info +time"
"""What a user of the server must be allowed: functions do what they do in his name."""

FUNCTION_MISSING = "Function not found"
_OUR_CERTIFICATE = "rediss://…?ssl_certfile=FILE&ssl_keyfile=FILE"


class Trouble(NamedTuple):
    """What is wrong, in one sentence, and whether it may pass by itself."""

    sentence: str
    passes: bool


def trouble(error: Exception, address: Address) -> Trouble:
    """Return what an error of redis-py means."""
    at = address.url
    said = str(error).strip() or type(error).__name__
    tls = _of_tls(error)
    if tls is not None:
        return _tls_trouble(tls, address)
    match error:
        case exceptions.AuthenticationError():
            return Trouble(_password(said, address), passes=False)
        case exceptions.NoPermissionError():
            return Trouble(
                f"the user of {at} may not do what a job needs ({said}): `ACL SETUSER NAME {RIGHTS} ~PREFIX:*`, with "
                "JOB_PREFIX before its keys",
                passes=False,
            )
        case exceptions.BusyLoadingError():
            return Trouble(f"the server at {at} is still reading its data; wait until it is ready", passes=True)
        case exceptions.ReadOnlyError() | exceptions.MasterDownError():
            return Trouble(f"the server at {at} is a replica: give the URL of its primary in JOB_STORE", passes=True)
        case exceptions.MovedError() | exceptions.AskError() | exceptions.ClusterError():
            return Trouble(in_cluster_mode(at), passes=False)
        case exceptions.OutOfMemoryError():
            return Trouble(full(at), passes=False)
        case exceptions.TimeoutError():
            here = "here, and speaks TLS (else its URL begins with redis://)" if address.tls else "here"
            return Trouble(f"the server at {at} does not answer: see whether it is reachable from {here}", passes=True)
        case exceptions.ConnectionError() | OSError():
            return Trouble(_away(said, error, address), passes=True)
    if said.startswith(("MISCONF", "BUSY ")):
        what = "cannot write its data to the disk" if said[0] == "M" else "is busy with somebody's script"
        return Trouble(f"the server at {at} {what} ({said})", passes=True)
    if "DB index is out of range" in said or "invalid DB index" in said:
        return Trouble(
            f"the server at {at} has no database {address.database}: see its setting databases", passes=False
        )
    if "unknown command" in said.lower():
        return Trouble(f"the server at {at} is too old or not Redis 7, 8 or Valkey: {said}", passes=False)
    return Trouble(f"the server at {at} refused a call: {said}", passes=False)


def in_cluster_mode(at: str) -> str:
    """Say that a server is one node of several."""
    return (
        f"the server at {at} runs in cluster mode, over whose nodes a job cannot be spread: give the URL of one that "
        "does not (cluster-enabled no)"
    )


def full(at: str) -> str:
    """Say that a server's memory is full."""
    return (
        f"the memory of the server at {at} is full: raise its maxmemory, or remove jobs that are over "
        "(`crawler jobs`, `crawler jobs rm`)"
    )


def _password(said: str, address: Address) -> str:
    if address.password is None:
        return f"the server at {address.url} asks for a password: set {PASSWORD_SETTING}"
    user = f" of {address.user!r}" if address.user else ""
    if "without any password configured" in said:
        return f"the server at {address.url} knows no password, and one is given: remove it, or set one there"
    return f"the server at {address.url} does not take the password{user}: correct {PASSWORD_SETTING}"


def _of_tls(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _tls_trouble(error: ssl.SSLError, address: Address) -> Trouble:
    at = address.url
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        name = "match" in why
        what = "is for another name" if name else "is not to be trusted"
        do = "use the name that stands in it" if name else "name the file of its CA: rediss://…?ssl_ca_certs=FILE"
        return Trouble(f"the certificate of the server at {at} {what} ({why}): {do}", passes=False)
    reason = (error.reason or str(error)).replace("_", " ").lower()
    if "wrong version number" in reason or "record layer" in reason:
        return Trouble(f"the server at {at} does not speak TLS: give its URL with redis://", passes=False)
    if "eof" in reason:
        asks = "" if "ssl_certfile" in address.files else f"; if it asks for a certificate: {_OUR_CERTIFICATE}"
        return Trouble(f"the server at {at} ended the TLS connection{asks}", passes=True)
    certificate = ("certificate" in reason and "alert" in reason) or "required" in reason
    do = f"; it asks for a certificate: {_OUR_CERTIFICATE}" if certificate else ""
    return Trouble(f"TLS with the server at {at} failed ({reason}){do}", passes=False)


def _away(said: str, error: Exception, address: Address) -> str:
    cause = error if isinstance(error, OSError) else error.__cause__ or error.__context__
    why = cause.strerror if isinstance(cause, OSError) and cause.strerror else said
    if "max number of clients" in said:
        return f"the server at {address.url} has as many clients as it takes: raise its maxclients"
    if isinstance(cause, FileNotFoundError):
        return f"there is no socket {address.socket}: start the server, or correct JOB_STORE"
    closed = ("closed" in said.lower() or "reset" in why) and not address.tls and not address.socket
    hint = " (if it speaks TLS, the URL begins with rediss://)" if closed else ""
    return f"no server answers at {address.url}: {why}{hint}; start it, or correct JOB_STORE"
