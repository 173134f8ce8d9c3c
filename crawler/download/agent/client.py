"""What are side calls of spiders and pipelines made with (`self.http`)?

treq's client, over our agent and with our URLs: treq's own parser refuses ``http://[::1]/`` and host names
with an underscore.
"""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from hyperlink import DecodedURL, EncodedURL
from treq.client import HTTPClient
from twisted.internet.defer import Deferred, fail
from twisted.web.client import FileBodyProducer
from twisted.web.iweb import IAgent, IBodyProducer

from crawler.download.agent.agent import FastAgent
from crawler.download.agent.upload import cooperator_of
from crawler.download.net.interfaces import Reactor
from crawler.errors import InvalidRequest
from crawler.model.url import DEFAULT_PORTS, credentials_of, normalise, split


class _NormalURL(EncodedURL):
    """A URL that is in normal form already, and stays as it is."""

    def to_uri(self) -> _NormalURL:
        return self


def as_hyperlink(url: str) -> EncodedURL:
    """Return a normal http URL as the object treq works with, without its parser's opinions."""
    parts = split(url)
    query = parts.query.split("&") if parts.query is not None else []
    pairs = [(name, value if equals else None) for name, equals, value in (pair.partition("=") for pair in query)]
    return _NormalURL(
        scheme=parts.scheme,
        host=parts.host,
        port=parts.port if parts.port != DEFAULT_PORTS.get(parts.scheme) else None,
        path=parts.path.split("/")[1:],
        query=pairs,
    )


class Client(HTTPClient):
    """treq's HTTPClient: ``get``, ``post`` and so on, with ``json=``, ``data=``, ``files=``, ``auth=``."""

    def __init__(self, agent: FastAgent, *, reactor: Reactor) -> None:
        super().__init__(IAgent(agent), data_to_body_producer=self._producer)
        self._reactor = reactor
        # treq's default works in steps of the global reactor, which need not be this one.
        self._cooperator = cooperator_of(reactor)

    def _producer(self, data: bytes | IO[bytes] | IBodyProducer) -> IBodyProducer:
        if isinstance(data, bytes):
            data = BytesIO(data)
        return IBodyProducer(FileBodyProducer(data, cooperator=self._cooperator) if hasattr(data, "read") else data)

    def request(self, method: str, url: str | bytes | DecodedURL | EncodedURL, **options: Any) -> Deferred[Any]:
        """Send a request as treq.request does; a bad URL fails with InvalidRequest."""
        if not isinstance(url, DecodedURL | EncodedURL):
            try:
                text = normalise(url if isinstance(url, str) else url.decode("utf-8"))
                credentials = credentials_of(text)
                url = as_hyperlink(text)
            except (InvalidRequest, UnicodeDecodeError) as error:
                return fail(error)
            if credentials is not None:
                options.setdefault("auth", credentials)
        options.setdefault("reactor", self._reactor)
        made: Deferred[Any] = super().request(method, url, **options)
        return made
