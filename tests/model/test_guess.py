"""Is the encoding of a page found that does not say it, and is UTF-8 that is damaged still UTF-8?"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from crawler import Response
from crawler.model.codecs import LEADS, decode
from crawler.model.content import encoding_of
from crawler.model.guess import detected_encoding

BIG5 = Path(__file__).parents[2] / ".." / "shared" / "data" / "html5lib-encoding" / "chardet" / "test_big5.txt"

TEXTS = {
    "ja": "会社概要と採用情報はこちらのページをご覧ください。製品カタログのダウンロードもできます。",
    "ko": "이 페이지에서는 새로운 소식과 자주 묻는 질문을 볼 수 있습니다. 회원 가입은 무료입니다.",
    "zh": "本网站提供最新的新闻和产品信息，欢迎您的访问。请在这里登录或者注册新的用户。",
    "zh-TW": "本網站提供最新的新聞與產品資訊，歡迎您的蒞臨。請在這裡登入或註冊新的使用者。",
    "ru": "На этой странице вы найдёте последние новости и описание наших товаров.",
    "uk": "На цій сторінці ви знайдете останні новини та опис наших товарів, їхні ціни.",
    "bg": "На тази страница ще намерите последните новини и описание на нашите стоки.",
    "el": "Σε αυτή τη σελίδα θα βρείτε τα τελευταία νέα και τις τιμές των προϊόντων μας.",
    "he": "בעמוד זה תמצאו את החדשות האחרונות ואת המחירים של כל המוצרים שלנו.",
    "ar": "في هذه الصفحة ستجدون آخر الأخبار وأسعار جميع منتجاتنا الجديدة.",
    "th": "ในหน้านี้คุณจะพบข่าวล่าสุดและราคาของสินค้าทั้งหมดของเรา",
    "tr": "Bu sayfada en son haberleri ve ürünlerimizin fiyatlarını bulabilirsiniz. Şimdi üye olun, ığüşöç.",
    "cs": "Na této stránce najdete nejnovější zprávy a ceny všech našich výrobků, přihlášení je zdarma.",
    "pl": "Na tej stronie znajdziesz najnowsze wiadomości i ceny wszystkich naszych produktów, założ konto już dziś.",
    "lt": "Šiame puslapyje rasite naujausias žinias ir visų mūsų gaminių kainas, užsiregistruokite čia jau šiandien.",
    "de": "Auf dieser Seite finden Sie die neuesten Nachrichten und die Preise für all unsere schönen Möbel.",
    "fr": "Sur cette page, vous trouverez les dernières nouvelles et les prix de tous nos produits préférés.",
    "es": "En esta página encontrará las últimas noticias y los precios de todos nuestros productos de España.",
    "sv": "På den här sidan hittar du de senaste nyheterna och priserna på alla våra möbler och kläder.",
    "fi": "Tältä sivulta löydät uusimmat uutiset ja kaikkien tuotteidemme hinnat, kirjaudu sisään täällä.",
}
CODECS = [
    ("ja", "cp932"), ("ja", "euc_jp"), ("ja", "iso2022_jp"), ("ko", "cp949"), ("zh", "gb18030"),
    ("zh-TW", "big5hkscs"), ("ru", "cp1251"), ("ru", "koi8-r"), ("uk", "cp1251"), ("bg", "cp1251"), ("el", "iso8859-7"),
    ("el", "cp1253"), ("he", "cp1255"), ("ar", "cp1256"), ("th", "cp874"), ("tr", "cp1254"), ("cs", "cp1250"),
    ("cs", "iso8859-2"), ("pl", "cp1250"), ("pl", "iso8859-2"), ("lt", "cp1257"), ("de", "cp1252"),
    ("fr", "cp1252"), ("es", "cp1252"), ("sv", "cp1252"), ("fi", "cp1252"),
]  # fmt: skip


def page(text: str) -> str:
    return (
        f"<!doctype html><html><head><title>{text[:20]}</title><style>p {{}}</style></head><body><p>{text}</p></body>"
    )


@pytest.mark.parametrize(("language", "codec"), CODECS)
def test_the_encoding_of_a_page_is_seen(language: str, codec: str) -> None:
    text = page(TEXTS[language])
    body = text.encode(codec)
    assert Response("http://a/", headers={"Content-Type": "text/html"}, body=body).text == text
    # A download that was stopped within a character.
    cut = body[:-20]
    assert decode(cut[:-1], detected_encoding(cut))[:60] == text[:60]


def test_euc_jp_with_a_character_of_necs_is_euc_jp() -> None:
    text = page(TEXTS["ja"] + "①")
    body = text.replace("①", "@@").encode("euc_jp").replace(b"@@", b"\xad\xa1")
    assert Response("http://a/", headers={"Content-Type": "text/html"}, body=body).text == text


@pytest.mark.parametrize(
    "meta",
    [
        '<meta http-equiv="Content-Tpye" content="text/html; charset=gb2312">',
        '<meta httpequiv="Content-Type" content="text/html; charset=GBK" />',
        "<meta content='text/html;charset=gb2312'>",
    ],
)
def test_a_misspelt_declaration_is_better_than_a_guess(meta: str) -> None:
    assert encoding_of(f"{meta}<p>联通".encode("gbk") + b"\xce\xd2") == "gb18030"
    assert encoding_of(f"{meta}<p>{TEXTS['ru']}".encode("cp1251")) == "cp1251"  # it does not fit
    assert encoding_of(f"{meta}<p>é".encode()) == "utf-8"


@pytest.mark.parametrize(("language", "codec"), [case for case in CODECS if case[1] in LEADS])
def test_characters_that_a_site_has_cut_in_two_do_not_hide_the_rest(language: str, codec: str) -> None:
    line = TEXTS[language]
    body = b"".join(
        b"<p>%b</p>" % line[:length].encode(codec)[: -1 if length == 9 else None] for length in range(6, 16)
    )
    assert detected_encoding(body) == codec


def test_the_page_s_language_and_its_address_are_hints() -> None:
    short = "Ürünler ve İletişim".encode("cp1254")
    assert encoding_of(b"<html lang=tr>" + short) == "cp1254"
    assert encoding_of(short, url="http://magaza.com.tr/") == "cp1254"
    for url in ("", "http://127.0.0.1/", "http://[::1]/", "http://xn--e1afmkfd.xn--p1ai/", "http://localhost/", "x"):
        assert encoding_of(b"<html lang=en>" + TEXTS["ru"].encode("cp1251"), url=url) == "cp1251"


@pytest.mark.parametrize("bad", [b"\xff", b"\xe9", b"\x92", b"\xc3", b"\xed\xa0\x80"])
@pytest.mark.parametrize("language", TEXTS)
def test_a_few_bad_bytes_leave_utf_8_what_it_is(language: str, bad: bytes) -> None:
    body = bytearray(page(TEXTS[language] + " Ж é 中").encode())
    place = random.Random(language).randrange(len(body))
    body[place:place] = bad
    assert detected_encoding(bytes(body)) == "utf-8"


def test_few_signs_are_windows_1252_unless_something_hints_at_another() -> None:
    for text in ("<p>price £ 5</p>", "© 2020", "it’s", "5 °C", "Menü"):
        for url in ("http://127.0.0.1/", "http://shop.example/", "http://shop.com/"):
            assert encoding_of(text.encode("cp1252"), url=url) == "cp1252"


def test_escapes_of_a_terminal_are_no_japanese() -> None:
    assert detected_encoding(b"\x1b[31mred\x1b(B\x1b[m") == "utf-8"
    assert detected_encoding(b"a \x1b$B not japanese") == "utf-8"


def test_a_guess_is_bounded_and_seen_wherever_the_text_is() -> None:
    text = page(TEXTS["ru"]).encode("cp1251")
    far = b"<p>ascii</p>" * 500_000 + text
    for body in (far, b"\xa9 <script>" + far[:900_000] + text, b"\xe9" * 5_000_000, b"\xe9<" * 2_000_000):
        started = time.process_time()
        found = detected_encoding(body)
        assert time.process_time() - started < 0.5
        if body.endswith(text):
            assert found == "cp1251"


@pytest.mark.skipif(not BIG5.exists(), reason="no ../shared/data/html5lib-encoding")
def test_html5libs_big5_page() -> None:
    assert detected_encoding(BIG5.read_bytes()) == "big5hkscs"
