"""Does a curl command become the request that curl would send?"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from crawler.errors import InvalidRequest
from crawler.model.request import Request
from crawler.model.shellwords import words_of

FORM = {b"Content-Type": b"application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("command", "method", "url", "headers", "cookies", "body"),
    [
        ("curl http://a.test/", "GET", "http://a.test/", {}, {}, b""),
        ("curl a.test/b", "GET", "http://a.test/b", {}, {}, b""),
        ("curl -sSL --compressed -o out --url http://a.test/", "GET", "http://a.test/", {}, {}, b""),
        ("curl -XPUT http://a.test/ -H 'A: b' -H 'Empty:'", "PUT", "http://a.test/", {b"A": b"b"}, {}, b""),
        ("curl -I http://a.test/", "HEAD", "http://a.test/", {}, {}, b""),
        ("curl http://a.test/ -d x=1 -d y=2", "POST", "http://a.test/", FORM, {}, b"x=1&y=2"),
        ("curl http://a.test/ -G -d x=1 --data-urlencode 'y=a b'", "GET", "http://a.test/?x=1&y=a+b", {}, {}, b""),
        ("curl 'http://a.test/?z=0#f' -G -d x=1", "GET", "http://a.test/?z=0&x=1#f", {}, {}, b""),
        ("curl http://a.test/ --data-raw @x -X patch", "PATCH", "http://a.test/", FORM, {}, b"@x"),
        (
            "curl http://a.test/ --data-binary '{}' -H 'content-type: application/json'",
            "POST", "http://a.test/", {b"Content-Type": b"application/json"}, {}, b"{}",
        ),
        (
            "curl http://a.test/ --json '{}'",
            "POST", "http://a.test/",
            {b"Content-Type": b"application/json", b"Accept": b"application/json"}, {}, b"{}",
        ),
        ("curl http://a.test/ -b 'a=1; b=x=y' -H 'Cookie: c=3'", "GET", "http://a.test/", {},
         {"a": "1", "b": "x=y", "c": "3"}, b""),
        ("curl http://a.test/ -u me:pw", "GET", "http://a.test/", {b"Authorization": b"Basic bWU6cHc="}, {}, b""),
        ("curl http://a.test/ -A me -e http://b.test/", "GET", "http://a.test/",
         {b"User-Agent": b"me", b"Referer": b"http://b.test/"}, {}, b""),
        ("curl 'http://a.test/' \\\r\n -H 'A: b' \\\r\n", "GET", "http://a.test/", {b"A": b"b"}, {}, b""),
        (
            "curl 'http://a.test/' \\\n  -H 'x: y' \\\n  --data-raw $'it\\'s \\u0021\\x41\\101\\n'",
            "POST", "http://a.test/", {b"X": b"y", **FORM}, {}, b"it's !AA\n",
        ),
    ],
)  # fmt: skip
def test_what_is_sent(
    command: str, method: str, url: str, headers: dict[bytes, bytes], cookies: dict[str, str], body: bytes
) -> None:
    request = Request.from_curl(command)
    assert (request.method, request.url, request.body) == (method, url, body)
    assert {name: values[-1] for name, values in request.headers.items()} == headers
    assert request.cookies == cookies


def test_other_arguments_go_first() -> None:
    request = Request.from_curl(
        "curl http://a.test/ -x http://p.test:3128 -m 2.5", callback=print, method="POST", cb_kwargs={"a": 1}
    )
    assert (request.method, request.callback, request.cb_kwargs) == ("POST", print, {"a": 1})
    assert request.meta == {"proxy": "http://p.test:3128", "download_timeout": 2.5}


WINDOWS = r"""curl ^"http://a.test/?q=%^41^&r=it's^" ^
  -X ^"PUT^" ^
  -H ^"accept: */*^" ^
  -H ^"sec-ch-ua: ^\^"Chromium^\^";v=^\^"1^\^", ^\^"Not^\^"^" ^
  -b ^"a=^<^|^>; b=2^" ^
  --compressed ^
  --data-raw ^"^{^\^"k^\^":^\^"C:^\^\dir ^^ 100^% ^%^T^%^\^\n^\^\^\^"x^\^",^

  ^\^"t^\^":1^}^" """


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_form_that_windows_copies(end: str) -> None:
    request = Request.from_curl(WINDOWS.replace("\n", end))
    assert (request.method, request.url) == ("PUT", "http://a.test/?q=%41&r=it%27s")
    assert request.headers.getlist("Sec-Ch-Ua") == [b'"Chromium";v="1", "Not"']
    assert request.cookies == {"a": "<|>", "b": "2"}
    assert request.body == b'{"k":"C:\\dir ^ 100% %T%\\n\\"x",\n  "t":1}'


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ('curl "http://a.test/" ^\n  -H "A: b c" ^\n --data-raw "x=1&y=2"', b"x=1&y=2"),
        ('curl.exe "http://a.test/" -H "A: b c" --data "{""k"":""v w""}"', b'{"k":"v w"}'),
        ('curl "http://a.test/" -H "A: b c" --data "say ""v"" and """', b'say "v" and "'),
        ('curl "http://a.test/" -H "A: b c" -d "" -d "\\"x\\"" -d ""', b'&"x"&'),
        ("curl $'http://a.test/' -H $'A: b c' -d $'it\\'s ^ \\n'", b"it's ^ \n"),
        ('curl ^"http://a.test/^" --data ^"C:\\\\x\\\\^" -H ^"A: b c^"', b"C:\\x\\"),
        ("curl 'http://a.test/' -H 'A: b c' -d 'a ^ b ^\n c'", b"a ^ b ^\n c"),
        ('curl "http://a.test/" -H "A: b c" -d "^" -d "a ^"', b"^&a ^"),
    ],
)
def test_other_quotings_of_windows_and_carets_that_are_none(command: str, body: bytes) -> None:
    request = Request.from_curl(command)
    assert (request.url, request.body, request.headers["A"]) == ("http://a.test/", body, b"b c")


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (r"$'\xc3\xa9 \u00e9 \351'", b"\xc3\xa9 \xc3\xa9 \xe9"),
        (r"$'\ud83d\ude00\U0001F600'", "\U0001f600\U0001f600".encode()),
        (r"$'a\\\'\"\?\e\cA\q'", b"a\\'\"?\x1b\x01\\q"),
        ("""'a'"b\\"\\$\\d"$'c'\\ \\d$"e" """, b'ab"$\\dc de'),
        ("'$x `y` a\\\nb'", b"$x `y` a\\\nb"),
        ("'' # a comment", b""),
        ("$'------WebKit\\r\\nContent-Disposition: x\\r\\n'", b"------WebKit\r\nContent-Disposition: x\r\n"),
        ("--data-raw", b"--data-raw"),
        ('"$" -d a$', b"$&a$"),
    ],
)
def test_a_shells_quotes(data: str, body: bytes) -> None:
    assert Request.from_curl(f"curl \\\n http://a.test/ --data-raw {data}").body == body


@pytest.mark.parametrize(
    ("options", "method", "url", "headers", "body"),
    [
        ("-d ''", "POST", "http://a.test/", [(b"Content-Type", b"application/x-www-form-urlencoded")], b""),
        ("--data-urlencode =a=b --data-urlencode '@c=d e' --data-urlencode 'é ~'", "POST", "http://a.test/",
         [(b"Content-Type", b"application/x-www-form-urlencoded")], b"a%3Db&@c=d+e&%C3%A9+~"),
        ("-d a -H Content-Type:", "POST", "http://a.test/", [], b"a"),
        ("--json '{}' --json '[]' -H 'accept: x'", "POST", "http://a.test/",
         [(b"accept", b"x"), (b"Content-Type", b"application/json")], b"{}[]"),
        ("-H 'X: 1' -H 'x: 2' -H 'E;' -H Accept:", "GET", "http://a.test/", [(b"X", b"1"), (b"x", b"2"), (b"E", b"")],
         b""),
        ("-e 'http://b.test/;auto' -A '' -r 0-5", "GET", "http://a.test/",
         [(b"Referer", b"http://b.test/"), (b"Range", b"bytes=0-5")], b""),
        ("-u 'me:p:w' -H 'Authorization: x'", "GET", "http://a.test/", [(b"Authorization", b"x")], b""),
        ("--oauth2-bearer t", "GET", "http://a.test/", [(b"Authorization", b"Bearer t")], b""),
        ("-G -d a=1 -XPOST", "POST", "http://a.test/?a=1", [], b""),
        ("-kLsS --http2 --no-progress-meter --tlsv1.2 -m 5 --retry 3 -o /dev/null", "GET", "http://a.test/", [], b""),
    ],
)  # fmt: skip
def test_what_other_options_send(
    options: str, method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    request = Request.from_curl(f"curl http://a.test/ {options}")
    assert (request.method, request.url, request.headers.raw(), request.body) == (method, url, headers, body)


def test_a_form_is_multipart() -> None:
    command = """curl http://a.test/ -F a=1 -F 'q"=x y' --form-string 'c=@x;y'"""
    command += " -H 'Content-Type: multipart/form-data; boundary=b'"
    request = Request.from_curl(command)
    assert request.method == "POST"
    kind, _, boundary = request.headers["Content-Type"].partition(b"; boundary=")
    assert kind == b"multipart/form-data"
    assert request.body.replace(boundary, b"B") == (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="q%22"\r\n\r\nx y\r\n'
        b'--B\r\nContent-Disposition: form-data; name="c"\r\n\r\n@x;y\r\n--B--\r\n'
    )


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("a=  b c ", b'"a"\r\n\r\nb c '),
        (r'a="x;y \"q\" \\ z\n"', b'"a"\r\n\r\nx;y "q" \\ z\\n'),
        ('a={"k":"v"};type=application/json', b'"a"\r\nContent-Type: application/json\r\n\r\n{"k":"v"}'),
        ("a=", b'"a"\r\n\r\n'),
        ("a=b=c", b'"a"\r\n\r\nb=c'),
    ],
)
def test_a_part_of_a_form(field: str, part: bytes) -> None:
    request = Request.from_curl(f"curl http://a.test/ -F '{field}'")
    assert request.body.split(b"name=")[1].rpartition(b"\r\n--")[0] == part


@pytest.mark.parametrize(
    ("options", "cookies", "header"),
    [
        ("-b ''", {}, None),
        ("-b 'a=1; flag'", {"a": "1", "": "flag"}, None),
        ("-b 'a=1; a=2'", {}, b"a=1; a=2"),
        ("-b a=1 -b b=", {"a": "1", "b": ""}, None),
    ],
)
def test_cookies_are_all_sent(options: str, cookies: dict[str, str], header: bytes | None) -> None:
    request = Request.from_curl(f"curl http://a.test/ {options}")
    assert (request.cookies, request.headers.get("Cookie")) == (cookies, header)


@pytest.mark.parametrize(
    ("url", "requested"),
    [
        ("a.test?u=http://b.test/", "http://a.test/?u=http://b.test/"),
        ("HTTP://A.test", "http://a.test/"),
        ("-g 'http://a.test/[1]{a}'", "http://a.test/[1]%7Ba%7D"),
        ("'http://[::1]:80/x'", "http://[::1]/x"),
        (r"$'http://a.test/\xe9'", "http://a.test/%E9"),
        ("'http://a.test/?' -G -d b=1", "http://a.test/?b=1"),
        ("-- a.test/", "http://a.test/"),
    ],
)
def test_urls(url: str, requested: str) -> None:
    assert Request.from_curl(f"curl {url}").url == requested


def test_a_proxy_has_its_password() -> None:
    assert Request.from_curl("curl a.test -x p.test:8080 -U me:p@w").meta == {"proxy": "http://me:p%40w@p.test:8080"}
    assert Request.from_curl("curl a.test --proxy https://p.test").meta == {"proxy": "https://p.test"}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("wget http://a.test/", "starts with curl"),
        ("curl", "no URL"),
        ("", "starts with curl"),
        ("curl 'http://a.test/", "No closing quotation"),
        ('curl ^"http://a.test/', "No closing quotation"),
        ("curl http://a.test/ -d @file", "body is in a file"),
        ("curl http://a.test/ --data-binary @-", "body is in a file"),
        ("curl http://a.test/ --data-urlencode name@file", "body is in a file"),
        ("curl http://a.test/ --json @file", "body is in a file"),
        ("curl http://a.test/ -T file", "body is in a file"),
        ("curl http://a.test/ -F f=@file", "value is in a file"),
        ("curl http://a.test/ -F 'f=<file'", "value is in a file"),
        ("curl http://a.test/ -F 'f=x;filename=y'", "parts with options"),
        ("curl http://a.test/ -F 'f=\"x\"y'", "parts with options"),
        ("curl http://a.test/ -F 'f=(x'", "parts with options"),
        ("curl http://a.test/ -F f", "not NAME=VALUE"),
        ("curl http://a.test/ -b cookies.txt", "cookies are in a file"),
        ("curl http://a.test/ -H @file", "fields are in a file"),
        ("curl http://a.test/ -K file", "options are in a file"),
        ("curl http://a.test/ -n", "password is in a file"),
        ("curl http://a.test/ -u me", "without a password"),
        ("curl http://a.test/ --digest -u me:pw", "auth="),
        ("curl http://a.test/ -d a -F b=c", "one kind of request"),
        ("curl http://a.test/ -I -d a", "one kind of request"),
        ("curl http://a.test/ -G -F b=c", "one kind of request"),
        ("curl http://a.test/ http://b.test/", "2 URLs"),
        ("curl http://a.test/ --url http://b.test/", "2 URLs"),
        ("curl http://a.test/ --next http://b.test/", "another request"),
        ("curl 'http://a.test/[1-3]'", "several URLs"),
        ("curl 'http://a.test/{a,b}'", "several URLs"),
        ("curl http://a.test/?x=1&y=2", "'&' outside of quotes"),
        ("curl http://a.test/ | jq .", "'|' outside of quotes"),
        ("curl http://a.test/ > out", "'>' outside of quotes"),
        ('curl ^"http://a.test/^" & curl ^"http://b.test/^"', "'&' outside of quotes"),
        ('curl http://a.test/ -H "A: $TOKEN"', r"\$T"),
        ("curl http://a.test/$(id)", r"\$\("),
        ('curl http://a.test/ -d "`id`"', "backtick"),
        ("curl http://a.test/ `\n  -H 'A: b'", "backtick"),
        ("curl http://a.test/\ncurl http://b.test/", "another follows"),
        ('Invoke-WebRequest -UseBasicParsing -Uri "http://a.test/"', "starts with curl"),
        ("curl http://a.test/ -H", "expected one argument"),
        ("curl http://a.test/ -m soon", "invalid float"),
        ("curl http://a.test/ -H 'A: b\rc'", "contains CR"),
        ("curl http://a.test/ --unix-socket /x", "how a host is reached"),
    ],
)
def test_what_cannot_be_sent_whole_is_refused(command: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        Request.from_curl(command)


def test_unknown_options() -> None:
    with pytest.warns(UserWarning, match="--odd -9"):
        assert Request.from_curl("curl http://a.test/ --odd -9s").url == "http://a.test/"
    with pytest.raises(InvalidRequest, match="--odd"):
        Request.from_curl("curl http://a.test/ --odd", ignore_unknown_options=False)


@pytest.mark.parametrize("piece", ["^", "\\", "'", '"', '""', "$'\\", '^"', " -", "a\\\n", '\\"'])
def test_a_long_command_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    with contextlib.suppress(InvalidRequest):
        words_of("curl " + piece * (50_000 // len(piece)))
    assert time.process_time() - started < 2


def test_the_class_is_kept() -> None:
    class Mine(Request):
        """A class of the user's."""

    made: Any = Mine.from_curl("curl http://a.test/")
    assert type(made) is Mine
