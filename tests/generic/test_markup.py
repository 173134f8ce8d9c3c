"""Is XML read as it comes, and is what is hostile refused in bounded time and memory?"""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from crawler.generic.ampersands import with_ampersands
from crawler.generic.markup import BadMarkup, Document, local_name, pieces
from crawler.generic.sitemap import Sitemap, sitemaps_in

HEAD = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
ONE = "<url><loc>http://a/é</loc></url>"
LOLS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE a [<!ENTITY l0 "lol">{LOLS}]>'


def locs(body: bytes | str, limit: int = 50 << 20) -> list[str]:
    sitemap = Sitemap(body.encode() if isinstance(body, str) else body, limit=limit)
    return [entry["loc"] for entry in sitemap]


@pytest.mark.parametrize(
    "body",
    [
        f"{HEAD}{ONE}</urlset>".encode(),
        f"\n \n<?xml version='1.0'?>{HEAD}{ONE}</urlset>".encode(),
        f"\ufeff<?xml version='1.0'?>{HEAD}{ONE}</urlset>".encode(),
        f"<?xml version='1.0' encoding='utf-16'?>{HEAD}{ONE}</urlset>".encode("utf-16"),
        f"<?xml version='1.0' encoding='iso-8859-1'?>{HEAD}{ONE}</urlset>".encode("latin-1"),
        f"<urlset><url><loc><![CDATA[ http://a/é ]]></loc></url></urlset>".encode(),  # noqa: F541
        f"<s:urlset xmlns:s='x'><s:url><s:loc>http://a/é</s:loc></s:url></s:urlset>".encode(),  # noqa: F541
        f"{HEAD}<!-- c --><?p i?>{ONE}</urlset>".encode(),
        f"<urlset xmlns:i='x'>{ONE.replace('<loc>', '<i:loc>http://b/</i:loc><loc>')}</urlset>".encode(),
        f'<!DOCTYPE urlset SYSTEM "http://a/sitemap.dtd">{HEAD}{ONE}</urlset>'.encode(),
        gzip.compress(HEAD.encode()) + gzip.compress(f"{ONE}</urlset>".encode()) + b"\0\0",
    ],
)
def test_a_sitemap_is_read_however_it_is_written(body: bytes) -> None:
    sitemap = Sitemap(body)
    assert [entry["loc"] for entry in sitemap] == ["http://a/é"]
    assert sitemap.type == "urlset"
    assert sitemap.problem == ""


@pytest.mark.parametrize(
    ("body", "expected", "problem"),
    [
        (f"{HEAD}{ONE}<url><loc>http://a/tw", ["http://a/é"], "Premature end"),
        (
            f"{HEAD}<url><loc>http://a/?x=1&y=2</loc></url>{ONE}</urlset>",
            ["http://a/?x=1&y=2", "http://a/é"],
            "",
        ),
        ("", [], "neither XML nor"),
        ("hello", [], "neither XML nor"),
        ("<hello", [], "Couldn't find end of Start Tag"),
    ],
)
def test_a_damaged_sitemap_gives_what_is_whole_and_says_so(body: str, expected: list[str], problem: str) -> None:
    sitemap = Sitemap(body.encode())
    assert [entry["loc"] for entry in sitemap] == expected
    assert problem in sitemap.problem


@pytest.mark.parametrize("size", [1, 2, 3, 7, 65_536])
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("?a=1&b=2", "?a=1&b=2"),
        ("?a=1&amp;b=2&#38;c&#x26;d", "?a=1&b=2&c&d"),
        ("?a&copy;=1&eacute=2&&amp", "?a&copy;=1&eacute=2&&amp"),
        ("<![CDATA[?a=1&b=2&amp;c]]>&d", "?a=1&b=2&amp;c&d"),
        ("?a<!-- & &x; --><?p & ?>&b", "?a&b"),
        ("?&#xZ;&#;&lt;&", "?&#xZ;&#;<&"),
        ("1 < 2, <3 and << or <", "1 < 2, <3 and << or <"),
        ("<![CDATA[a < b]]> <!-- < --> <", "a < b  <"),
    ],
)
def test_a_mark_that_begins_nothing_is_itself(written: str, read: str, size: int) -> None:
    body = f"<r><a>{written}</a><a>2</a></r>".encode()
    source = [body[start : start + size] for start in range(0, len(body), size)]
    assert [element.text for element in Document(source).elements(lambda it: local_name(it) == "a")] == [read, "2"]


def test_ampersands_alone_take_linear_time() -> None:
    began = time.process_time()
    assert locs(HEAD + f"<url><loc>http://a/?{'&' * 400_000}</loc></url>") == [f"http://a/?{'&' * 400_000}"]
    assert time.process_time() - began < 1


ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><link href="http://a/"/>{}</feed>'
RSS_1 = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">{}</rdf:RDF>'


@pytest.mark.parametrize(
    "body",
    [
        "http://a/1\nhttp://a/2",
        "\ufeffhttp://a/1\r\n\r\n  http://a/2  \r\n",
        "# pages\rhttp://a/1\rftp://a/\rhttp://a/ 3\rhttp://a/2\r",
        "<rss><channel><link>http://a/</link><item><title>&</title><link> http://a/1 </link></item>"
        "<item><a:link xmlns:a='x' href='http://a/2' rel='self'/><link>http://a/2</link></item></channel></rss>",
        RSS_1.format("<channel><link>http://a/</link></channel><item><link>http://a/1</link></item><item><link>http://a/2</link></item>"),
        ATOM.format('<entry><link rel="self" href="http://a/x"/><link href="http://a/1"/></entry>'
                    '<entry><link rel="alternate" href="http://a/2"/><link rel="edit" href="http://a/y"/></entry>'),
        "<urlset xmlns='http://odd/'><url xmlns='http://odder/'><loc>http://a/1</loc></url><url><loc>http://a/2</loc>"
        "<i:image xmlns:i='i'><i:loc>http://a/i.png</i:loc></i:image><i:loc xmlns:i='i'>http://a/j.png</i:loc></url></urlset>",
    ],
    ids=["text", "text of Windows", "text with other lines", "RSS", "RSS 1.0", "Atom", "odd namespaces"],
)  # fmt: skip
@pytest.mark.parametrize(
    "encode", [str.encode, lambda text: gzip.compress(text.encode()), lambda text: text.encode("utf-16")]
)
def test_every_kind_of_sitemap_is_read(body: str, encode: Any) -> None:
    sitemap = Sitemap(encode(body))
    assert sitemap.type == "urlset"
    assert [entry["loc"] for entry in sitemap] == ["http://a/1", "http://a/2"]
    assert sitemap.problem == ""


def test_a_text_is_read_within_limits() -> None:
    with pytest.raises(BadMarkup, match="more than 100000 lines"):
        locs("http://a/1\n" * 200_000)
    with pytest.raises(BadMarkup, match="a line of more than"):
        locs("http://a/1\n" + "x" * 1_000_000)
    with pytest.raises(BadMarkup, match="larger than"):
        locs(gzip.compress(b"http://a/1\n" * 50_000), limit=100_000)


def test_a_gzip_stream_that_ends_early_gives_what_is_there() -> None:
    packed = gzip.compress(HEAD.encode() + b"".join(b"<url><loc>http://a/%d</loc></url>" % n for n in range(9999)))
    assert 0 < len(locs(packed[: len(packed) // 2])) < 9999


SECRET = Path(__file__).resolve().as_uri()


@pytest.mark.parametrize(
    "body",
    [
        f"{LAUGHS}<urlset><url><loc>&l9;</loc></url></urlset>",
        f'{LAUGHS}<urlset><url a="&l9;"><loc>x</loc></url></urlset>',
        f'<!DOCTYPE a [<!ENTITY a "{"a" * 100_000}">]><urlset><url><loc>{"&a;" * 100_000}</loc></url></urlset>',
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "{SECRET}">]><urlset><url><loc>&x;</loc></url></urlset>',
        f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{SECRET}"> %p;]><urlset><url><loc>x</loc></url></urlset>',
    ],
    ids=["laughs", "laughs in an attribute", "quadratic", "external entity", "parameter entity"],
)
def test_entities_are_refused_at_once(body: str) -> None:
    begun = time.process_time()
    with pytest.raises(BadMarkup, match="declares entities"):
        locs(body)
    assert time.process_time() - begun < 1


def test_xinclude_and_an_outer_dtd_are_not_loaded() -> None:
    included = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{SECRET}" parse="text"/>'
    body = f'<!DOCTYPE urlset SYSTEM "{SECRET}"><urlset><url><loc>{included}</loc></url></urlset>'
    assert locs(body) == [""]


def packed(*parts: tuple[bytes, int]) -> bytes:
    """Return gzip of each part so many times, without ever holding that."""
    compress = zlib.compressobj(1, zlib.DEFLATED, 31)
    out = []
    for part, times in parts:
        block = part * max(1, min(times, 65_536 // len(part)))
        out += [compress.compress(block) for _ in range(times * len(part) // len(block))]
    return b"".join([*out, compress.flush()])


M = 1 << 20
LIMIT = 50 * M
# Each expands to more than the limit.
BOMBS: dict[str, list[tuple[bytes, int]]] = {
    "spaces": [(HEAD.encode(), 1), (b" ", 64 * M)],
    "text": [(HEAD.encode() + b"<url><loc>", 1), (b"a", 64 * M)],
    "entries": [(HEAD.encode(), 1), (b"<url/>", 10 * M)],
    "elements in an entry": [(HEAD.encode() + b"<url>", 1), (b"<a/>", 16 * M)],
    "depth": [(HEAD.encode(), 1), (b"<a>", 21 * M)],
    "comments": [(HEAD.encode(), 1), (b"<!---->", 9 * M)],
    "an attribute": [(HEAD.encode() + b'<url a="', 1), (b"a", 64 * M)],
    "a name": [(HEAD.encode() + b"<", 1), (b"a", 64 * M)],
    "declarations": [(b"<!DOCTYPE a [", 1), (b'<!ENTITY a "">', 4 * M)],
    "bare ampersands": [(HEAD.encode(), 1), (b"<url><loc>&b=2</loc></url>", 2 * M + M // 2)],
}

# Each bomb in a process of its own, for its own peak; they are forks of one that has imported everything.
MEASURE = """
import os, resource, sys, time
from pathlib import Path
from crawler.generic.sitemap import Sitemap

def measure(bomb):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    body, begun = bomb.read_bytes(), time.process_time()
    try:
        for entry in Sitemap(body, limit=int(sys.argv[2])): pass
    except ValueError as error:
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        print(bomb.name, type(error).__name__, time.process_time() - begun, grown, sep="\\t", flush=True)

for bomb in Path(sys.argv[1]).iterdir():
    if (child := os.fork()) == 0:
        measure(bomb)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.process
def test_a_bomb_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    for name, parts in BOMBS.items():
        (tmp_path / name).write_bytes(packed(*parts))
    command = [sys.executable, "-c", MEASURE, str(tmp_path), str(LIMIT)]
    ran = subprocess.run(command, capture_output=True, check=True, text=True, cwd=Path(__file__).parents[2])
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert {name for name, *_ in rows} == set(BOMBS)
    for name, error, seconds, megabytes in rows:
        assert error == "BadMarkup", name
        assert float(seconds) < 1, name
        assert float(megabytes) < 100, name


def test_a_whole_sitemap_as_large_as_allowed_is_read() -> None:
    entries = b"".join(b"<url><loc>http://a.test/%d</loc><priority>1</priority></url>" % n for n in range(50_000))
    assert len(locs(gzip.compress(HEAD.encode() + entries + b"</urlset>", 1))) == 50_000


def test_the_limit_counts_unpacked_bytes() -> None:
    body = gzip.compress(f"{HEAD}{ONE * 1000}</urlset>".encode())
    with pytest.raises(BadMarkup, match="larger than 10000 bytes"):
        locs(body, limit=10_000)
    assert b"".join(pieces(body, 0)).count(b"<url>") == 1000
    with pytest.raises(BadMarkup, match="not valid gzip"):
        list(pieces(b"\x1f\x8b" + b"x" * 100, 0))


def test_wanted_elements_come_whole_and_the_rest_is_forgotten() -> None:
    body = b"<r><a><b>1</b><a>inner</a></a>" + b"<x>y</x>" * 10 + b"<a>2</a></r>"
    document = Document([body[n : n + 7] for n in range(0, len(body), 7)])
    found: list[Any] = []
    for element in document.elements(lambda element: local_name(element) == "a"):
        found.append("".join(element.itertext()))
        parent = element.getparent()
        assert parent is not None
        assert len(parent) <= 3
    assert found == ["1inner", "2"]


def test_too_large_an_element_is_refused() -> None:
    body = b"<r><a>" + b"<b/>" * 200_000 + b"</a></r>"
    with pytest.raises(BadMarkup, match="one <a> has more than"):
        list(Document([body]).elements(lambda element: local_name(element) == "a"))


def test_the_sitemap_lines_of_a_robots_txt() -> None:
    assert sitemaps_in(b"\xef\xbb\xbfSitemap: /a.xml\rsitemap: /b.xml") == ["/a.xml", "/b.xml"]
    assert sitemaps_in("Sitemap: /a.xml".encode("utf-16")) == ["/a.xml"]
    robots = b"Sitemap: /a.xml\r\n  SITEMAP :http://b/  # c\n#sitemap: no\nDisallow: /sitemap: x\nsitemap:\n"
    assert sitemaps_in(robots) == ["/a.xml", "http://b/"]


def test_where_a_document_is_cut_into_pieces_makes_no_difference() -> None:
    marks = [
        b"&",
        b"&amp;",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"a",
        b"&#1;",
        b"<?",
        b"?>",
        b"<b>",
        b"< ",
        b"<",
        b"]",
        b"-",
        b"&#x1",
    ]
    chance = random.Random(1)
    for _ in range(2_000):
        text = b"".join(chance.choice(marks) for _ in range(chance.randint(1, 14)))
        size = chance.randint(1, 9)
        cut = [text[start : start + size] for start in range(0, len(text), size)]
        assert b"".join(with_ampersands(cut)) == b"".join(with_ampersands([text]))
