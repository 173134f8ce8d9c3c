"""Does a name from the net or from an item stay in the store, and is it one that every system takes?"""

from __future__ import annotations

import pytest

from crawler.files.naming import LONGEST_NAME, checked_path, offered_name, safe_name, suffix_of

URL = "https://shop.example/get/manual.pdf?id=3"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="report 2026.pdf"', "report 2026.pdf"),
        ("attachment; filename=plain.pdf", "plain.pdf"),
        ("inline; filename=\"old.pdf\"; filename*=UTF-8''%e2%82%ac%20rates.pdf", "€ rates.pdf"),
        ("attachment; filename*=UTF-8''%2e%2e%2fetc%2fpasswd", "passwd"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\Windows\\\\system.ini"', "system.ini"),
        ('attachment; filename="/abs/olute.txt"', "olute.txt"),
        ('attachment; filename="a\x00b\x1b[2Jc\u202etxt.exe"', "ab[2Jctxt.exe"),
        ('attachment; filename="CON"', "_CON"),
        ('attachment; filename="nul.txt"', "_nul.txt"),
        ('attachment; filename="lpt1 .txt"', "_lpt1.txt"),
        ('attachment; filename=".htaccess"', "htaccess"),
        ('attachment; filename="trailing. . ."', "trailing"),
        ('attachment; filename=".."', "manual.pdf"),
        ('attachment; filename=""', "manual.pdf"),
        ("attachment; filename*=no-such-charset''a.pdf", "a.pdf"),
        ("attachment", "manual.pdf"),
        (";;;=;filename", "manual.pdf"),
        (None, "manual.pdf"),
    ],
)
def test_the_name_that_a_server_gives_is_made_safe(header: str | None, name: str) -> None:
    assert offered_name(header, URL) == name


def test_a_url_that_ends_in_no_name_gives_one_all_the_same() -> None:
    assert offered_name(None, "https://shop.example/") == "file"
    assert offered_name(None, "https://shop.example/%2e%2e%2f%2e%2e%5cx%00.pdf") == "x.pdf"


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_name("ä" * 300 + ".pdf")
    assert len(name.encode()) <= LONGEST_NAME
    assert name.endswith("ä.pdf")
    assert len(safe_name("x." + "y" * 300).encode()) <= LONGEST_NAME


def test_a_header_of_thousands_of_parameters_costs_little() -> None:
    assert offered_name("attachment" + ';x="' * 20_000, URL) == "manual.pdf"


@pytest.mark.parametrize(
    "path", ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "a/..", "..", "shop/../../x"]
)  # fmt: skip
def test_a_functions_name_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="leads out of the store"):
        checked_path(path)


@pytest.mark.parametrize(
    "path", ["", "a//b", "a/./b", ".incoming/x", "a\x00b", "a\nb", "a\\..\\b", "con", "a/NUL.txt", "x" * 300]
)
def test_a_functions_name_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="none that every system takes"):
        checked_path(path)


def test_a_functions_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a str, not None"):
        checked_path(None)


def test_a_good_name_is_taken_as_it_is() -> None:
    assert checked_path("books/ä b/cover.jpg") == "books/ä b/cover.jpg"


@pytest.mark.parametrize(
    ("url", "suffix"),
    [
        (URL, ".pdf"),
        ("https://a.test/x.JPG", ".JPG"),
        ("https://a.test/x.php?file=a.pdf", ""),
        ("https://a.test/x.%2e%2e%2fetc", ""),
        ("https://a.test/x." + "y" * 500, ""),
        ("https://a.test/", ""),
    ],
)
def test_the_extension_is_a_known_one_or_none(url: str, suffix: str) -> None:
    assert suffix_of(url) == suffix
