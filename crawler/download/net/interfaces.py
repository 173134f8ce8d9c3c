"""What of Twisted's reactor, its connections and delayed calls do we use?

Twisted declares them as interfaces of zope, which type checkers cannot read. This is the one place that says what
they look like.
"""

# ruff: noqa: N802, N803 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConnector, IProtocolFactory
from twisted.internet.protocol import Protocol as TwistedProtocol

P = ParamSpec("P")


class DelayedCall(Protocol):
    """A call that the reactor makes later."""

    def active(self) -> bool:
        """Whether it is still to come."""

    def cancel(self) -> None:
        """It must be active."""

    def reset(self, secondsFromNow: float) -> None:
        """Let it come at another time."""


class Reactor(Protocol):
    """What runs everything."""

    def seconds(self) -> float:
        """The time, which may be the wall clock's."""

    def callLater(self, delay: float, call: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> DelayedCall:
        """Call it so many seconds from now."""

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: IProtocolFactory,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> IConnector:
        """Connect to an address; the factory is told what becomes of it."""

    def callFromThread(self, call: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call it soon in the reactor's thread."""


class Address(Protocol):
    """An end of a connection."""

    host: str
    port: int


class Producer(Protocol):
    """What writes to a connection piece by piece, as IPushProducer or IPullProducer."""

    def resumeProducing(self) -> None:
        """Write, or go on writing."""

    def stopProducing(self) -> None:
        """Nothing more is wanted."""


class BodyProducer(Protocol):
    """What makes the body of a request (IBodyProducer)."""

    @property
    def length(self) -> int | str:
        """In bytes; UNKNOWN_LENGTH, a text, where that is not known."""

    def startProducing(self, consumer: Any) -> Deferred[None]:
        """Write to the consumer; fires when all is written."""

    def pauseProducing(self) -> None:
        """Write nothing for now."""

    def resumeProducing(self) -> None:
        """Go on."""

    def stopProducing(self) -> None:
        """Nothing more is wanted."""


class Consumer(Protocol):
    """What takes bytes, and asks for more when there is room."""

    def write(self, data: bytes) -> None:
        """Send these bytes, soon."""

    def registerProducer(self, producer: Producer, streaming: bool) -> None:
        """Let this one be asked for more."""

    def unregisterProducer(self) -> None:
        """Ask it for nothing more."""


class Transport(Consumer, Protocol):
    """A connection, below its protocol."""

    disconnecting: bool

    def loseConnection(self) -> None:
        """Close when all is sent."""

    def abortConnection(self) -> None:
        """Close at once."""

    def pauseProducing(self) -> None:
        """Read nothing for now."""

    def resumeProducing(self) -> None:
        """Read again."""

    def getPeer(self) -> Address:
        """The other end."""

    def getHost(self) -> Address:
        """This end."""


class ConnectionProtocol(TwistedProtocol):
    """A protocol of Twisted's whose transport has a type. It is None until there is a connection."""

    transport: Transport  # type: ignore[assignment]
