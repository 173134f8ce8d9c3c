"""How do programs written for Twisted's Agent, treq above all, use our connections?

``FastAgent`` provides IAgent. What it does otherwise than Twisted's own: bodies come decoded, under our
limits, without Content-Encoding and Content-Length; a body that ends with the connection is complete
(ResponseDone, not PotentialDataLoss); failures are the FetchErrors of crawler.errors.
"""

# ruff: noqa: N803 - the names are those of Twisted's interfaces

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.web.http_headers import Headers as TwistedHeaders
from twisted.web.iweb import IAgent
from zope.interface import implementer

from crawler.download.agent.streamed import AgentRequest, AgentResponse, StreamedCall
from crawler.download.agent.upload import BodySource
from crawler.download.http.downloader import FastDownloader
from crawler.download.net.interfaces import BodyProducer
from crawler.download.wire.request import request_head, target_of
from crawler.errors import CrawlerError, UnsupportedScheme
from crawler.model.url import is_http, normalise, origin_of, shortened, without_credentials


@implementer(IAgent)
class FastAgent:
    """An IAgent over the connections of a FastDownloader; ``proxy`` as in a request's meta."""

    def __init__(self, downloader: FastDownloader, *, proxy: str | None = None) -> None:
        self._downloader = downloader
        self._proxy = proxy

    def request(
        self, method: bytes, uri: bytes, headers: TwistedHeaders | None = None, bodyProducer: BodyProducer | None = None
    ) -> Deferred[AgentResponse]:
        """Send a request; the response's body waits for ``deliverBody``. Fails with a FetchError."""
        downloader = self._downloader
        try:
            url = without_credentials(normalise(uri.decode("utf-8")))
            if not is_http(url):
                raise UnsupportedScheme(f"not an http URL: {shortened(url)!r}", sent=False)
            route = downloader.route(origin_of(url), proxy=self._proxy)
            source = None if bodyProducer is None else BodySource(bodyProducer)
            raw = [
                (name, value) for name, values in (headers or TwistedHeaders()).getAllRawHeaders() for value in values
            ]
            verb = method.decode("ascii")
            payload = request_head(
                route,
                verb,
                target_of(url),
                raw,
                length=0 if source is None else source.length,
                accept_encoding=downloader.rules.decode,
            )
        except (CrawlerError, UnicodeError) as error:
            return fail(error)
        call = StreamedCall(downloader, route, verb, payload, source)
        call.request = AgentRequest(method, url.encode("ascii"), headers)
        downloader.pool.send(call, downloader.clock())
        return call.deferred
