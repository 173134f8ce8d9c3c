"""How is an object of Amazon S3 (or of what speaks its protocol) fetched?

``SCHEMES = {"s3": "crawler.download.s3.S3Downloader"}``; then ``s3://bucket/key``. Over https only.
Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN); without
them requests are not signed, which public buckets allow. AWS_REGION and AWS_ENDPOINT_URL are read too.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote, unquote_plus

from twisted.internet.defer import Deferred

from crawler.config.schema import CoreSettings
from crawler.download.http.downloader import FastDownloader
from crawler.download.net.interfaces import Reactor
from crawler.download.seam import Downloader, Exchange
from crawler.errors import FetchError, SettingError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import shortened, split

_UNRESERVED = "-._~"
_SIGNED_TOO = (b"Range", b"Content-Type")


class S3Downloader:
    """The Downloader of ``s3:``; ``http`` sends what it makes of it."""

    def __init__(
        self,
        settings: CoreSettings,
        *,
        reactor: Reactor,
        http: Downloader | None = None,
        environment: Mapping[str, str] = os.environ,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._http = http or FastDownloader(settings, reactor=reactor)
        self._wall = wall
        self._region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
        self._endpoint = (environment.get("AWS_ENDPOINT_URL") or "").rstrip("/")
        if self._endpoint and not self._endpoint.startswith("https://"):
            raise SettingError(f"AWS_ENDPOINT_URL must be https, got {self._endpoint!r}")
        self._key = environment.get("AWS_ACCESS_KEY_ID", "")
        self._secret = environment.get("AWS_SECRET_ACCESS_KEY", "")
        self._token = environment.get("AWS_SESSION_TOKEN", "")

    def __repr__(self) -> str:
        return f"<S3Downloader {self._region} {'signed' if self._key else 'unsigned'}>"

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        return Deferred.fromCoroutine(self._fetch(request, exchange))

    async def _fetch(self, request: Request, exchange: Exchange | None) -> Response:
        try:
            answer = await self._http.fetch(self._translated(request), exchange)
        except FetchError as error:
            error.request = request
            raise
        response: Response = answer.replace(url=request.url, request=request)
        return response

    def _translated(self, request: Request) -> Request:
        parts = split(request.normal_url)
        key = unquote(parts.path).lstrip("/")
        if not parts.host or not key:
            raise FetchError(f"an s3: URL names a bucket and a key: {shortened(request.url)!r}", sent=False)
        path = quote(key, safe="/" + _UNRESERVED)
        if self._endpoint:
            url = f"{self._endpoint}/{parts.host}/{path}"
        elif "." in parts.host:  # no certificate covers two labels, so such a bucket goes into the path
            url = f"https://s3.{self._region}.amazonaws.com/{parts.host}/{path}"
        else:
            region = "" if self._region == "us-east-1" else f".{self._region}"
            url = f"https://{parts.host}.s3{region}.amazonaws.com/{path}"
        if parts.query is not None:
            url += f"?{parts.query}"
        headers = request.headers.copy()
        sent: Request = request.replace(url=url, headers=headers)
        if self._key and self._secret:
            self._sign(sent)
        return sent

    def _sign(self, request: Request) -> None:
        """AWS Signature Version 4 (docs.aws.amazon.com, "Authenticating Requests (AWS Signature V4)")."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._wall()))
        digest = hashlib.sha256(request.body).hexdigest()
        parts = split(request.normal_url)
        headers = request.headers
        headers[b"X-Amz-Date"] = moment
        headers[b"X-Amz-Content-Sha256"] = digest
        if self._token:
            headers[b"X-Amz-Security-Token"] = self._token
        signed = {"host": parts.host if parts.port == 443 else f"{parts.host}:{parts.port}"}
        for name in (*_SIGNED_TOO, b"X-Amz-Date", b"X-Amz-Content-Sha256", b"X-Amz-Security-Token"):
            if name in headers:
                signed[name.decode().lower()] = headers.text(name) or ""
        names = ";".join(sorted(signed))
        canonical = "\n".join(
            (
                request.method,
                parts.path,
                _canonical_query(parts.query),
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                names,
                digest,
            )
        )
        scope = f"{moment[:8]}/{self._region}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        key = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        headers[b"Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._key}/{scope},SignedHeaders={names},Signature={signature}"
        )

    def close(self) -> Deferred[None]:
        """Close the connections."""
        return self._http.close()


def _canonical_query(query: str | None) -> str:
    pairs = [pair.partition("=") for pair in (query or "").split("&") if pair]
    coded = [(_coded(name), _coded(value)) for name, _, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(coded))


def _coded(text: str) -> str:
    return quote(unquote_plus(text), safe=_UNRESERVED)
