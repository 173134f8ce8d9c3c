"""Are the legacy encodings read and written as the Encoding standard says?

What is right comes from the standard's indexes (standard_digests.json, made of them by standard_indexes.py), or, for
errors and for the stateful iso-2022-jp, from the steps of its decoders and encoders.
"""

from __future__ import annotations

import json

import pytest

from crawler import Request, Response
from crawler.model.codecs import Decoder, decode
from crawler.model.labels import codec_of, name_of
from crawler.model.octets import encode
from crawler.model.url import normalise
from tests.model.standard_indexes import CODECS, DIGESTS, digests, sequences


@pytest.mark.parametrize("encoding", CODECS)
def test_every_sequence_is_read_as_in_the_standards_index(encoding: str) -> None:
    codec = codec_of(encoding)
    assert codec == CODECS[encoding]
    found = (decode(sequence, codec) for sequence in sequences(encoding))
    found_or_error = (None if "\ufffd" in text and len(text) <= 2 else text for text in found)
    assert digests(found_or_error) == json.loads(DIGESTS.read_text())[encoding].split()


@pytest.mark.parametrize(
    ("label", "body", "text"),
    [
        ("euc-jp", b"\xad\xa1 \xfc\xfc \x8e\xb1 \x8f\xa2\xb7", "① ￤ ｱ ～"),
        ("euc-jp", b"\xa1\xc1\xa1\xdd\xa2\xcc", "～－￢"),
        ("euc-jp", b"\xa4<b>\x8f\xa1<\xa4\x80a\x8f", "\ufffd<b>\ufffd<\ufffda\ufffd"),
        ("shift_jis", b"\x87@\xb1\x80\x81\xa0\xa0\xfd", "①ｱ\x80□\ufffd\ufffd"),
        ("shift_jis", b"\x81<b>", "\ufffd<b>"),
        ("gb2312", b"\x80\xa3\xa0\xa8\xbc\xfeY", "€\u3000ḿ龴"),
        ("gbk", b"\x84\x31\x95\x33\x90\x30\x81\x30a\x810a", "\ufeff\U00010000a\ufffd0a"),
        ("big5", b"\xa1\xe3\xa2A\xa1\xfe\xa1\xa2A\x87z\x88b", "～∕／﹜A㡵Ê̄"),
        ("euc-kr", b"\xb0\xa1\x81A\xc9\xa1\xb0<", "가갂\ufffd\ufffd<"),
        ("windows-1252", b"\x80\x81\x8d\x8f\x90\x9d", "€\x81\x8d\x8f\x90\x9d"),
        ("windows-1255", b"\xca\x81\xff", "\u05ba\x81\ufffd"),
        ("windows-874", b"\x80\x81\xdb", "€\x81\ufffd"),
        ("koi8-u", b"\xae\xbe\xa4", "ўЎє"),
        ("macintosh", b"\xdb", "€"),
        ("x-mac-cyrillic", b"\xa2\xb6\xff", "Ґґ€"),
        ("iso-8859-8-i", b"\xe0", "א"),
    ],
)
def test_sequences_and_errors(label: str, body: bytes, text: str) -> None:
    assert Response("http://a/", headers={"Content-Type": f"text/html; charset={label}"}, body=body).text == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\x1b(I1\x1b(B1", "ｱ1"),
        (b"\x1b(J\\~a\x1b(B\\~", "¥‾a\\~"),
        (b'\x1b$B-!$"\x1b(Ba', "①あa"),
        (b'\x1b$@$"', "あ"),
        (b"\x1b$B\x1b(Ba", "\ufffda"),  # nothing between two escapes
        (b"\x1b$B$\x1b(Ba", "\ufffda"),
        (b'\x1b$B$"\n$"\x1b(B', "あ\ufffdあ"),
        (b"a\x0e\xff\x1bb", "a\ufffd\ufffd\ufffdb"),
    ],
)
def test_iso_2022_jp_is_read_state_by_state(body: bytes, text: str) -> None:
    assert decode(body, "iso2022_jp") == text


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("EUC-JP", b"\xad\xa1", "①"),
        ("shift_jis", b"\x87@", "①"),
        ("gb2312", b"\xe9F\x80", "镕€"),
        ("big5", b"\x87z", "㡵"),
    ],
)
def test_an_encoding_that_is_given_by_a_label_is_the_standards(encoding: str, body: bytes, text: str) -> None:
    assert Response("http://a/", body=b"<p>" + body, encoding=encoding).css("p::text").get() == text
    assert Decoder(encoding).decode(body, final=True) == text


@pytest.mark.parametrize("codec", ["euc_jp", "cp932", "gb18030", "big5hkscs", "cp949", "cp1252", "utf-8"])
def test_a_body_that_comes_in_pieces_is_the_same_text(codec: str) -> None:
    body = bytes(range(0x80, 0x100)) * 2 + "é日本".encode(codec, "ignore") + b"\x81"
    for size in (1, 2, 3, 7):
        decoder = Decoder(codec)
        pieces = [decoder.decode(body[start : start + size]) for start in range(0, len(body), size)]
        assert "".join([*pieces, decoder.decode(b"", final=True)]) == decode(body, codec)


@pytest.mark.parametrize(
    ("codec", "text", "raw"),
    [
        ("euc_jp", "①髙ｱ−～¥‾", b"\xad\xa1\xfc\xe2\x8e\xb1\xa1\xdd\xa1\xc1\\~"),
        ("euc-jp", "①", b"\xad\xa1"),
        ("euc_jp", "丂\u301c", b"[4E02][301C]"),  # JIS X 0212 is read and never sent
        ("shift_jis", "①髙ｱ−\ue000", b"\x87@\xfb\xfc\xb1\x81|[E000]"),
        ("big5hkscs", "十中㡵═", b"\xa4Q\xa4\xa4[3875]\xf9\xf9"),
        ("cp949", "갂é", b"\x81A[E9]"),
        ("gb18030", "€ḿ\ue7c7\ufe10😀\ue5e5", b"\xa2\xe3\xa8\xbc\x815\xf47\xa6\xd9\x949\xfc6[E5E5]"),
        ("gb2312", "€镕😀é", b"\x80\xe9F[1F600]\xa8\xa6"),
        ("big5", "碁é", b"\xf9\xd6[E9]"),
        ("cp1252", "€\x81Ж", b"\x80\x81[416]"),
        ("koi8-u", "ў╝", b"\xae[255D]"),
        ("iso2022_jp", "a①ｱ¥b\\é", b'a\x1b$B-!%"\x1b(J\\b\x1b(B\\[E9]'),
        ("utf-8", "é\ud800", "é\ufffd".encode()),
    ],
)
def test_text_is_sent_by_the_standards_encoders(codec: str, text: str, raw: bytes) -> None:
    assert encode(text, codec, "[{:X}]") == raw


def test_forms_and_queries_of_a_page_go_in_its_encoding() -> None:
    body = b"<meta charset=euc-jp><form action=/go><input name=q value='\xad\xa1\x8f\xab\xb1'></form>"
    page = Response("http://a/", headers={"Content-Type": "text/html"}, body=body)
    assert page.css("input::attr(value)").get() == "①é"
    assert Request.from_form(page).url == "http://a/go?q=%AD%A1%26%23233%3B"
    assert page.urljoin("?q=①é") == "http://a/?q=%AD%A1%26%23233%3B"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16", "UTF-16", "utf-32"])
def test_what_a_page_in_utf_16_sends_is_utf_8(codec: str) -> None:
    assert normalise("http://a/?é", encoding=codec) == "http://a/?%C3%A9"
    assert Request("http://a/", data={"q": "é"}, encoding=codec).body == b"q=%C3%A9"
    page = Response("http://a/", headers={"Content-Type": "text/html"}, body="<a href='?é'>".encode("utf-16"))
    assert page.follow(page.css("a")[0]).url == "http://a/?%C3%A9"


def test_the_standards_labels_are_known() -> None:
    """Of its encoding "replacement", which is U+FFFD whatever the bytes are, two are read: see labels.py."""
    standard = json.loads((DIGESTS.parent / "standard_labels.json").read_text())
    replaced = standard.pop("replacement").split()
    found = {label: name_of(f"\t {label.upper()}\n") for labels in standard.values() for label in labels.split()}
    assert found == {label: name for name, labels in standard.items() for label in labels.split()}
    assert len(found) > 220
    assert {label for label in replaced if codec_of(label)} == {"hz-gb-2312", "iso-2022-kr", "csiso2022kr"}
