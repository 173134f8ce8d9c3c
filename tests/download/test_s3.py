from __future__ import annotations

import calendar
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from crawler.config.schema import CoreSettings
from crawler.download.schemes.s3 import S3Downloader
from crawler.download.seam import Exchange
from crawler.errors import ConnectionLost, FetchError, SettingError
from crawler.model.request import Request
from crawler.model.response import Response

# The example of docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "GET Object".
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
MOMENT = float(calendar.timegm((2013, 5, 24, 0, 0, 0)))


class Http:
    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.error: FetchError | None = None

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        self.sent.append(request)
        return fail(self.error) if self.error else succeed(Response(request.url, body=b"x", request=request))

    def close(self) -> Deferred[None]:
        return succeed(None)


def fetch(url: str, environment: dict[str, str] | None = None, http: Http | None = None, **request: Any) -> Any:
    http = http or Http()
    s3 = S3Downloader(CoreSettings(), reactor=None, http=http, environment=environment or {}, wall=lambda: MOMENT)
    outcome: list[Any] = []
    asked = Request(url, **request)
    s3.fetch(asked).addBoth(outcome.append)
    if isinstance(outcome[0], Response):
        assert outcome[0].url == url
        assert outcome[0].request is asked
        assert "Authorization" not in asked.headers
        return http.sent[0]
    outcome[0].raiseException()
    return None


def test_the_published_signature() -> None:
    sent = fetch("s3://examplebucket/test.txt", KEYS, headers={"Range": "bytes=0-9"})
    assert sent.url == "https://examplebucket.s3.amazonaws.com/test.txt"
    value = sent.headers["Authorization"].decode()
    assert "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date" in value
    assert value.endswith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


def test_unsigned_without_credentials() -> None:
    sent = fetch("s3://bucket/a/b.txt")
    assert "Authorization" not in sent.headers


def test_a_session_token_is_signed() -> None:
    sent = fetch("s3://bucket/a", {**KEYS, "AWS_SESSION_TOKEN": "token"})
    assert sent.headers["X-Amz-Security-Token"] == b"token"
    assert b"x-amz-security-token" in sent.headers["Authorization"]


@pytest.mark.parametrize(
    ("url", "environment", "sent"),
    [
        ("s3://b/a", {"AWS_REGION": "eu-west-1"}, "https://b.s3.eu-west-1.amazonaws.com/a"),
        ("s3://b.c/a", {}, "https://s3.us-east-1.amazonaws.com/b.c/a"),
        ("s3://b/a", {"AWS_ENDPOINT_URL": "https://minio.example:9000/"}, "https://minio.example:9000/b/a"),
        ("s3://b/a%20b+c", {}, "https://b.s3.amazonaws.com/a%20b%2Bc"),
        ("s3://b/a?versionId=5", {}, "https://b.s3.amazonaws.com/a?versionId=5"),
    ],
)
def test_where(url: str, environment: dict[str, str], sent: str) -> None:
    assert fetch(url, environment).url == sent


def test_wrong_ones() -> None:
    with pytest.raises(SettingError, match="https"):
        fetch("s3://b/a", {"AWS_ENDPOINT_URL": "http://minio.example"})
    for url in ("s3://bucket", "s3:///key"):
        with pytest.raises(FetchError, match="bucket and a key"):
            fetch(url)


def test_errors_name_the_request_that_was_asked() -> None:
    http = Http()
    http.error = ConnectionLost("gone")
    with pytest.raises(ConnectionLost) as caught:
        fetch("s3://b/a", KEYS, http)
    assert caught.value.request is not None
    assert caught.value.request.url == "s3://b/a"
