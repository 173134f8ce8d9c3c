"""Do our URLs agree with what others' tests expect, and where not, why?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import InvalidRequest
from crawler.model.request import Request
from crawler.model.url import identity, is_http, join, normalise

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def cases(file: str, function: str) -> list[Any]:
    path = DATA / file
    if not path.exists():
        return [pytest.param((), {}, "", id="absent", marks=pytest.mark.skip(f"no ../shared/data/{file}"))]
    return [
        pytest.param(case["args"], case["kwargs"], case["expected"], id=str(number))
        for number, case in enumerate(json.loads(path.read_text()))
        if case["fn"] == function and not any(isinstance(each, dict) for each in case["args"])
    ]


# w3lib's canonical form parses the query as a form and writes it anew. Ours keeps its text: an escape
# stays an escape, "c" stays other than "c=", "+" other than "%20", ";" is no separator. The encodings
# belong to normalise() here, and a relative URL has no identity.
CANONICALIZE_EXCEPTIONS = {
    ("http://www.example.com/do?c=1;b=2;a=3",): "http://www.example.com/do?c=1;b=2;a=3",
    ("http://www.example.com/do?b=&a=2",): "http://www.example.com/do?a=2&b=",
    ("http://www.example.com/do?b=&c&a=2",): "http://www.example.com/do?a=2&b=&c",
    ("http://www.example.com/do?1750,4",): "http://www.example.com/do?1750,4",
    ("http://www.example.com/do?q=a space&a=1",): "http://www.example.com/do?a=1&q=a%20space",
    ("http://www.example.com/do?q=a%20space&a=1",): "http://www.example.com/do?a=1&q=a%20space",
    ("a#frag",): None,
    ("a?b=1#frag",): None,
    ("?b=1",): None,
    # WHATWG leaves the host of a scheme it does not know as it is.
    ("sftp://UsEr:PaSsWoRd@www.EXAMPLE.com/",): "sftp://UsEr:PaSsWoRd@www.EXAMPLE.com/",
}

# What a page's encoding lacks goes as a character reference in WHATWG, as UTF-8 in w3lib.
RESUME = "http://www.example.com/r%C3%A9sum%C3%A9"
LATIN1_EXCEPTIONS = {
    "http://www.example.com/résumé?currency=€": f"{RESUME}?currency=%26%238364%3B",
    "http://www.example.com/résumé?country=Россия": f"{RESUME}?country=%26%231056%3B%26%231086%3B%26%231089%3B"
    "%26%231089%3B%26%231080%3B%26%231103%3B",
}


@pytest.mark.parametrize(
    ("arguments", "options", "expected"), cases("w3lib-url/w3lib_url_cases.json", "canonicalize_url")
)
def test_w3libs_canonical_urls(arguments: list[str], options: dict[str, Any], expected: str) -> None:
    wanted = CANONICALIZE_EXCEPTIONS.get(tuple(arguments), expected)
    if options.get("encoding") == "latin1":
        wanted = LATIN1_EXCEPTIONS.get(arguments[0], expected)
    if wanted is None:
        with pytest.raises(InvalidRequest):
            normalise(arguments[0])
    else:
        found = identity(normalise(arguments[0], encoding=options.get("encoding", "utf-8")))
        assert found == identity(normalise(wanted))


# w3lib quotes parts of what may be no URL; ours parses. WHATWG drops a default port and an empty password,
# writes the root path, encodes every host, and leaves "%" of user info alone. A path is always UTF-8.
SAFE_EXCEPTIONS = {
    "http://.éxamplé.com/résumé?q=résumé": "http://.xn--xampl-9raf.com/r%C3%A9sum%C3%A9?q=r%C3%A9sum%C3%A9",
    "ftp://admin:@新华网.中国:21": "ftp://admin@xn--xkrr14bows.xn--fiqs8s/",
    "ftp://admin:|%@example.com": "ftp://admin:%7C%@example.com/",
    "http://%user:%pass@host": "http://%user:%pass@host/",
    "http://%26user:%26pass@host": "http://%26user:%26pass@host/",
    "http://%25%26user:%25%26pass@host": "http://%25%26user:%25%26pass@host/",
}


@pytest.mark.parametrize(
    ("arguments", "options", "expected"), cases("w3lib-url/w3lib_url_cases.json", "safe_url_string")
)
def test_w3libs_safe_urls(arguments: list[str], options: dict[str, Any], expected: str) -> None:
    url, encoding = [*arguments, "utf-8"][:2]
    wanted = "%C2%A9" if url == "©" else SAFE_EXCEPTIONS.get(url, expected)
    base = "http://base.example/"
    assert join(base, url, encoding) == join(base, wanted)


@pytest.mark.parametrize(("arguments", "options", "expected"), cases("courlan/courlan_cases.json", "fix_relative_urls"))
def test_courlans_relative_urls(arguments: list[str], options: dict[str, Any], expected: str) -> None:
    base, href = arguments
    # A template's placeholder is a path like any other to a browser.
    wanted = "https://www.example.org/%7Bprivacy%7D" if href == "{privacy}" else expected
    assert join(normalise(base), href) == normalise(wanted)


def every_part_of(url: str) -> str:
    """Return the URL with its parameters sorted, none left out, and without the fragment."""
    address, mark, query = url.partition("#")[0].partition("?")
    return address.lower() + mark + "&".join(sorted(filter(None, query.split("&"))))


def changes_the_address(url: str, expected: str, *, strict: bool) -> bool:
    """Tell whether courlan wants what changes the address, which is not ours to do."""
    removes_parameters = url.partition("#")[0].count("=") > expected.partition("#")[0].count("=")
    removes_fragment = "#" in url and "#" not in expected and not strict
    return (
        removes_parameters  # tracking parameters, by a list of names
        or removes_fragment
        or "mtm_campaign" in url
        or "//404" in url  # an empty path segment means something to some servers
        or "xn--M" in url  # a host goes as Punycode
    )


@pytest.mark.parametrize(("arguments", "options", "expected"), cases("courlan/courlan_cases.json", "normalize_url"))
def test_courlans_normal_urls(arguments: list[str], options: dict[str, Any], expected: str) -> None:
    url = arguments[0]
    if url == "http://xn--München.de":  # no Punycode label
        with pytest.raises(InvalidRequest):
            normalise(url)
    elif changes_the_address(url, expected, strict=options.get("strict", False)):
        assert identity(normalise(url)).removesuffix("/") == every_part_of(url).removesuffix("/")
    else:
        assert identity(normalise(url)) == identity(normalise(expected))


def payloads(file: str) -> list[str]:
    path = DATA / "ssrf-traversal" / file
    return path.read_text("utf-8", "replace").splitlines() if path.exists() else []


@pytest.mark.skipif(not payloads("open-redirect-payloads.txt"), reason="no ../shared/data/ssrf-traversal")
def test_published_payloads_are_normal_or_refused() -> None:
    for payload in payloads("open-redirect-payloads.txt") + payloads("directory_traversal.txt"):
        for url in (payload, "http://x.org/" + payload):
            request = Request(url)
            if request.problem is None and is_http(request.url):
                assert normalise(request.url) == request.url
                assert request.url.isascii()
                assert not set(request.url) & set(' \\"<>\t\r\n\0') - set("\\")
                assert request.host
                assert "/../" not in request.url.partition("?")[0]
