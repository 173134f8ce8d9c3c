from __future__ import annotations

import base64
import re
from hashlib import md5

import pytest

from crawler.config.parse import WrongValue
from crawler.config.schema import CoreSettings
from crawler.download.middleware.digest import challenge_in
from crawler.download.middleware.headers import Authentication
from crawler.errors import InvalidRequest
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from tests.download.middleware.stage import Stage

BASIC = b"Basic " + base64.b64encode(b"user:pass:word")


def stage(**http_auth: str) -> Stage:
    settings = CoreSettings(HTTP_AUTH={"https://a.com": "user:pass:word", **http_auth})
    return Stage([Authentication(settings, random=lambda: "0a4f113b")])


def sent(stage: Stage) -> bytes | None:
    value: bytes | None = stage.sent[-1].headers.get("Authorization")
    return value


@pytest.mark.parametrize(
    ("url", "has"),
    [
        ("https://a.com/x", True),
        ("https://a.com:443/", True),
        ("https://a.com:444/", False),
        ("http://a.com/", False),
        ("https://www.a.com/", False),
        ("https://b.com/", False),
        ("file:///https://a.com/", False),
    ],
)
def test_a_setting_is_for_one_origin(url: str, has: bool) -> None:
    world = stage()
    world.fetch(url)
    assert sent(world) == (BASIC if has else None)


def test_of_a_request() -> None:
    world = stage()
    request = Request("https://b.com/", auth=("user", "pass:word"))
    response = world.fetch(request)
    assert sent(world) == BASIC
    assert response.request is request
    assert "Authorization" not in request.headers
    world.fetch("https://b.com/", auth="user:pass:word")
    assert sent(world) == BASIC
    world.fetch("https://user:pass%3Aword@b.com/")
    assert sent(world) == BASIC
    world.fetch("https://a.com/", meta={"auth": None})
    assert sent(world) is None
    world.fetch("https://a.com/", headers={"Authorization": "Bearer x"})
    assert sent(world) == b"Bearer x"
    world.fetch("https://a.com/robots.txt", meta={"robots": True})
    assert sent(world) is None


@pytest.mark.parametrize("name", ["a.com", "https://a.com/path", "ftp://a.com"])
def test_wrong_origins(name: str) -> None:
    if name == "a.com":
        Authentication(CoreSettings(HTTP_AUTH={name: "u:p"}))
        return
    with pytest.raises(WrongValue, match="is no origin"):
        Authentication(CoreSettings(HTTP_AUTH={name: "u:p"}))


def test_wrong_auth() -> None:
    with pytest.raises(InvalidRequest):
        stage().fetch("https://b.com/", auth=5)


def test_digest_vector_of_rfc_2617() -> None:
    challenge = challenge_in(
        [
            b'Basic realm="x", Digest realm="testrealm@host.com", qop="auth,auth-int",'
            b' nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        ]
    )
    assert challenge is not None
    answer = challenge.answer("GET", "/dir/index.html", "Mufasa", "Circle Of Life", cnonce="0a4f113b")
    assert b'response="6629fae49393a05397450978507c4ef1"' in answer
    assert b"nc=00000001" in answer
    assert b"nc=00000002" in challenge.answer("GET", "/", "Mufasa", "x", cnonce="1")


def test_digest_vector_of_rfc_7616() -> None:
    opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    sha = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
        f'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="{opaque}"'
    )
    md5_line = b'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="old"'
    challenge = challenge_in([md5_line, sha.encode()])
    assert challenge is not None
    answer = challenge.answer(
        "GET", "/dir/index.html", "Mufasa", "Circle of Life", cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    )
    assert b'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in answer


@pytest.mark.parametrize(
    "line", [b"", b"Basic realm=x", b"Digest", b'Digest nonce="x", algorithm=MD6', b"Digest " + b"a=," * 9999]
)
def test_no_challenge(line: bytes) -> None:
    assert challenge_in([line]) is None


class DigestServer:
    """Asks for a Digest and checks it."""

    def __init__(self, password: str = "pass") -> None:
        self.nonce = "n1"
        self.password = password

    def __call__(self, request: Request) -> Response:
        given = (request.headers.get("Authorization") or b"").decode()
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
        first = md5(f"user:r:{self.password}".encode()).hexdigest()
        second = md5(f"{request.method}:{said.get('uri')}".encode()).hexdigest()
        text = f"{first}:{self.nonce}:{said.get('nc')}:{said.get('cnonce')}:auth:{second}"
        if said.get("response") == md5(text.encode()).hexdigest():
            return Response(request.url, 200, request=request)
        line = f'Digest realm="r", nonce="{self.nonce}", qop="auth", stale={"nonce" in said}'
        return Response(request.url, 401, Headers({"WWW-Authenticate": line}), request=request)


def test_a_digest_login() -> None:
    world = stage()
    server = world.answer = DigestServer()
    request = Request("http://b.com/x?y=1", auth="digest:user:pass")
    response = world.fetch(request)
    assert response.status == 200
    assert response.request is request
    assert sent(world) is not None
    assert world.sent[0].headers.get("Authorization") is None
    (second,) = world.again
    assert second.meta["handle_httpstatus_all"]
    # The next request answers the challenge at once.
    assert world.fetch("http://b.com/z", auth="digest:user:pass").status == 200
    assert len(world.sent) == 3
    # A new nonce costs one more request.
    server.nonce = "n2"
    assert world.fetch("http://b.com/z", auth="digest:user:pass").status == 200
    assert len(world.sent) == 5
    # Other origins are told nothing.
    world.fetch("http://c.com/z")
    assert sent(world) is None


def test_a_wrong_password_is_tried_once() -> None:
    world = stage()
    world.answer = DigestServer("other")
    assert world.fetch("http://b.com/", auth="digest:user:pass").status == 401
    assert len(world.sent) == 2
