"""Is the encoding the one a browser would take?"""

from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path
from typing import Any

import pytest

from crawler import Response
from crawler.model.codecs import decode
from crawler.model.content import content_type_encoding, encoding_of
from crawler.model.guess import detected_encoding
from crawler.model.labels import LABELS, codec_of, name_of
from crawler.model.prescan import PRESCAN, declared_encoding, later_encoding, scanned

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def test_every_label_names_a_codec_of_python() -> None:
    assert len(LABELS) > 200
    for label, (name, codec) in LABELS.items():
        assert label == label.lower()
        assert name_of(f" {label.upper()}\t") == name
        assert isinstance(b"a".decode(codec, "replace"), str)


@pytest.mark.parametrize(
    "label", ["", "no such", "unicode_escape", "punycode", "idna", "zip", "base64", "utf-7", "x" * 9999]
)
def test_labels_never_reach_pythons_registry(label: str) -> None:
    assert codec_of(label) is None


def test_the_order_is_mark_header_markup_guess() -> None:
    page = '<meta charset="iso-8859-2">é'.encode()
    assert encoding_of(b"\xef\xbb\xbf" + page, "text/html; charset=koi8-r") == "utf-8"
    assert encoding_of(page, "text/html; charset=koi8-r") == "koi8-r"
    assert encoding_of(page, "text/html") == "iso8859-2"
    assert encoding_of("é".encode()) == "utf-8"
    assert encoding_of(b"\xe9") == "cp1252"
    assert encoding_of(b"a") == "utf-8"


def test_an_xml_declaration_goes_first_in_xml_and_last_in_html() -> None:
    body = b'<?xml version="1.0" encoding="koi8-r"?><meta charset="iso-8859-2">'
    assert encoding_of(body, kind="xml") == "koi8-r"
    assert encoding_of(body) == "iso8859-2"
    assert encoding_of(b"<?xml encoding='utf-16'?>") == "utf-8"
    assert encoding_of("<?xml".encode("utf-16-le")) == "utf-16-le"
    assert encoding_of("<?xml".encode("utf-16-be")) == "utf-16-be"


@pytest.mark.parametrize(
    ("lang", "codec", "text"),
    [
        ("ru", "cp1251", "Привет, мир"),
        ("ja", "cp932", "日本語のページです"),
        ("ja-JP", "euc_jp", "日本語のページです"),
        ("zh-TW", "big5hkscs", "繁體中文網頁"),
        ("zh", "gb18030", "简体中文网页"),
        ("ko", "cp949", "한국어 페이지"),
        ("de", "cp1252", "Grüße"),
        ("", "cp1252", "Grüße"),
    ],
)
def test_the_language_of_the_page_is_a_hint(lang: str, codec: str, text: str) -> None:
    page = f"<html lang={lang}>".encode() + text.encode(codec)
    assert detected_encoding(page) == codec
    assert decode(page, codec).endswith(text)


def test_a_body_cut_within_a_character_is_utf8_still() -> None:
    assert detected_encoding("éé".encode()[:-1]) == "utf-8"


def test_decoding_is_whatwgs() -> None:
    assert decode(b"\x80\x81\x9d\xe9", "cp1252") == "€\x81\x9dé"
    assert decode(b"a\xff", "utf-8") == "a\ufffd"
    assert decode(b"\xef\xbb\xbfa", "utf-8") == "a"
    assert decode("a".encode("utf-16"), "utf-16-le") == "a"


def html5lib_cases(file: str) -> list[Any]:
    path = DATA / "html5lib-encoding" / file
    if not path.exists():
        return [pytest.param(b"", "", id=f"{file} is not there", marks=pytest.mark.skip("no ../shared/data"))]
    found = re.findall(rb"#data\n(.*?)\n#encoding\n([^\n]*)", path.read_bytes(), re.DOTALL)
    return [pytest.param(data, label.decode(), id=f"{file}-{number}") for number, (data, label) in enumerate(found)]


@pytest.mark.parametrize(
    ("data", "label"),
    [case for file in ("tests1.dat", "tests2.dat", "test-yahoo-jp.dat") for case in html5lib_cases(file)],
)
def test_html5libs_prescan_cases(data: bytes, label: str) -> None:
    # A page without a declaration is windows-1252 there; ours looks what it is.
    declared = data.startswith(b"\xef\xbb\xbf") or declared_encoding(data[:PRESCAN]) or later_encoding(data)
    assert (encoding_of(data) if declared else "cp1252") == codec_of(label)


# no-result: nothing is declared. Ours then detects: it looks whether the bytes are UTF-8 (these are
# ASCII); the sniffer returns its default. The utf files: the name is the label in the markup,
# and a label of UTF-16 in markup means UTF-8.
SNIFFER_EXCEPTIONS = {
    "http-equiv-refresh_windows-1252.html": "utf-8",
    "charset-utf-16.html": "utf-8",
    "charset-utf-16le.html": "utf-8",
    "charset-utf-16be.html": "utf-8",
}
SNIFFER = sorted((DATA / "html-encoding-sniffer").glob("*/*.html")) if DATA.exists() else []


@pytest.mark.skipif(not SNIFFER, reason="no ../shared/data/html-encoding-sniffer")
@pytest.mark.parametrize("path", SNIFFER, ids=lambda path: path.name)
def test_jsdoms_sniffer_cases(path: Path) -> None:
    expected = SNIFFER_EXCEPTIONS.get(path.name) or codec_of(path.stem.rpartition("_")[2])
    assert encoding_of(path.read_bytes()) == expected


W3LIB = DATA / "w3lib-html-encoding" / "w3lib_encoding_cases.json"
INDENT = "\n            "
W3LIB_EXCEPTIONS = {
    # The name of a pragma is "http-equiv" and its value "Content-Type" in the standard; w3lib is looser.
    '<meta http-equiv="Fake-Content-Type-Header" content="text/html; charset=utf-8">': None,
    '<meta httpequiv="ContentType" content="text/html; charset=gbk" />': None,
    # The standard's prescan does not stop at <body>.
    f"{INDENT}<head></head><body>{INDENT}this isn't searched{INDENT}<meta charset=\"utf-8\">\n        ": "utf-8",
    # RFC 9110 has no reading for an unclosed quote; ours takes none of these, and the first charset counts even empty.
    'text/html; foo="bar; charset=utf-7;"; charset=""; charset=utf-8': None,
}  # fmt: skip


@pytest.mark.skipif(not W3LIB.exists(), reason="no ../shared/data/w3lib-html-encoding")
def test_w3libs_cases() -> None:
    functions: dict[str, Any] = {
        "http_content_type_encoding": content_type_encoding,
        "html_body_declared_encoding": lambda text: declared_encoding(text[:PRESCAN].encode("latin-1")),
        "resolve_encoding": codec_of,
        "to_unicode": lambda text, codec: decode(text.encode("latin-1"), codec),
    }
    for case in json.loads(W3LIB.read_text()):
        arguments = [each["bytes_latin1"] if isinstance(each, dict) else each for each in case["args"]]
        expected = W3LIB_EXCEPTIONS.get(arguments[0], case["expected"])
        assert functions[case["fn"]](*arguments) == expected, case


def test_what_is_remembered_of_a_page_s_beginning_never_changes_what_is_found() -> None:
    rng = random.Random(5)
    pieces = [
        b"<!--",
        b"-->",
        b"<p a='b>'>",
        b"</p>",
        b"<!x",
        b"charset=",
        b" ",
        b"'",
        b'"',
        b">",
        b"<meta charset=utf-8>",
        b"<meta charset='koi8-r' x>",
        b"<meta http-equiv=content-type content='text/html; charset=\"big5\">'>",
    ]
    found = 0
    for _ in range(20_000):
        head = b"".join(rng.choices(pieces, k=rng.randrange(1, 8)))
        cut = rng.randrange(len(head))
        head = head[:cut] + head[cut + rng.randrange(3) :]
        name = scanned(head)
        assert declared_encoding(head) == (codec_of(name) if name else None), head
        found += name is not None
    assert found > 1000


FILLING = b"<!doctype html><title>x</title><p class='a>b'>text</p><!-- a > b --><script>1 < 2 > '<i'</script>" * 40


@pytest.mark.parametrize(
    "tag",
    [
        b"<meta charset=gbk>",
        b"<META HTTP-EQUIV='Content-Type' CONTENT='text/html; CHARSET=GB2312'/>",
        b"a < b > c <3 <meta charset='gbk' />",
        b"<!--><meta charset=gbk>",
        b"<script><!-- </script ><meta charset=gbk>",
        b"<meta charset=bogus><meta name=charset content=x><meta charset=gbk><meta charset=koi8-r>",
        b"<p title='<meta charset=koi8-r>'></p><?php a > b ?></ x><meta\ncharset=gbk>",
    ],
)
@pytest.mark.parametrize("behind", [FILLING[:1020], FILLING, FILLING * 20])
def test_a_meta_behind_the_first_1024_bytes_counts_where_the_parser_would_come_upon_it(
    tag: bytes, behind: bytes
) -> None:
    body = behind + tag + "中文".encode("gbk")
    assert encoding_of(body, "text/html") == "gb18030"
    assert encoding_of(body, "text/html; charset=koi8-r") == "koi8-r"
    assert encoding_of(b"<meta charset=big5>" + body) == "big5hkscs"


@pytest.mark.parametrize(
    "text",
    [
        b"<!-- <meta charset=gbk> -->",
        b"<script>'<meta charset=gbk>'</script>",
        b"<style><meta charset=gbk></style>",
        b"<title><meta charset=gbk></title>",
        b"<textarea><meta charset=gbk></textarea>",
        b"<p title='<meta charset=gbk>'>",
        b"<meta name=x content='text/html; charset=gbk'>",
        b"<metadata charset=gbk>",
        b"<meta charset=utf-7>",
        b"<meta charset=gbk",
    ],
)
def test_what_only_looks_like_a_meta_does_not_count(text: bytes) -> None:
    assert encoding_of(FILLING + text + "é".encode()) == "utf-8"


def test_a_page_is_looked_through_once_however_it_is_made() -> None:
    for piece in (b"<", b"<!--", b"<script>", b"<a b='", b"<meta ", b"<meta charset=x>", b"<p>", b"=", b"</"):
        body = piece * (1_000_000 // len(piece)) + b"<meta charset=gbk>"
        started = time.process_time()
        encoding_of(body[:300_000] + body[-100:])
        assert time.process_time() - started < 0.3, piece


@pytest.mark.parametrize("kind", ["text", "json"])
def test_markup_in_what_is_no_markup_declares_nothing(kind: str) -> None:
    body = '{"html": "<meta charset=gbk>é"}'.encode()
    assert encoding_of(body, kind=kind) == "utf-8"
    headers = {"Content-Type": "application/json" if kind == "json" else "text/plain"}
    assert Response("http://a/", headers=headers, body=body).text.endswith('é"}')


def test_json_without_a_word_is_utf_8_or_has_zeros() -> None:
    """RFC 8259 §8.1, and for what is older RFC 4627 §3."""
    for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        response = Response("http://a/", headers={"Content-Type": "application/json"}, body='["é"]'.encode(codec))
        assert (response.text, response.json()) == ('["é"]', ["é"])


@pytest.mark.parametrize(
    ("content_type", "codec"),
    [
        ('text/html; Charset = "Shift_JIS"', None),
        ('text/html; CHARSET="Shift_JIS"', "cp932"),
        ("text/html;charset=' shift_jis'", None),
        ('text/html; charset=" shift_jis "', "cp932"),
        ("text/html; x=y; charset=SHIFT_JIS; charset=utf-8", "cp932"),
        ("text/html; charset=utf-7", None),
        ("text/html; charset=utf-16be", "utf-16-be"),
    ],
)
def test_charsets_of_headers(content_type: str, codec: str | None) -> None:
    assert content_type_encoding(content_type) == codec


def test_a_header_that_says_utf_16_of_what_is_not_is_not_believed() -> None:
    for codec in ("utf-8", "utf-16-le", "utf-16-be", "utf-16"):
        page = Response("http://a/", headers={"Content-Type": "text/html; charset=utf-16"}, body="<p>é".encode(codec))
        assert page.css("p::text").get() == "é"


def test_xhtml_and_style_sheets_declare_in_their_own_way() -> None:
    page = b"<?xml version='1.0' encoding='koi8-r'?><html><head><meta charset='utf-8'/></head></html>"
    assert encoding_of(page, "application/xhtml+xml") == "koi8-r"
    assert encoding_of(page, "text/html") == "utf-8"
    style = 'q { content: "日" }'
    for label, codec in (("Shift_JIS", "cp932"), ("utf-16", "utf-8")):
        body = f'@charset "{label}"; {style}'.encode(codec)
        assert Response("http://a/", headers={"Content-Type": "text/css"}, body=body).text.endswith(style)


def test_another_encoding_of_the_same_body() -> None:
    page = Response("http://a/", headers={"Content-Type": "text/html; charset=koi8-r"}, body=b"<p>\xe0\xc1")
    assert page.css("p::text").get() == "Юа"
    again = page.replace(encoding="cp1251")
    assert (again.encoding, again.css("p::text").get(), page.encoding) == ("cp1251", "аБ", "koi8-r")
