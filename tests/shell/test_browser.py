"""What a browser is given to show of a page."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from crawler import Response, open_in_browser


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def shown(monkeypatch: pytest.MonkeyPatch, response: Response) -> Path:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    path = open_in_browser(response)
    assert opened == [path.as_uri()]
    return path


def page(body: bytes, kind: str = "text/html", url: str = "http://user:secret@shop.example/a/b") -> Response:
    return Response(url, 200, {"Content-Type": kind}, body)


def test_a_page_has_a_base_behind_its_doctype(monkeypatch: pytest.MonkeyPatch) -> None:
    path = shown(monkeypatch, page(b"<!DOCTYPE html><title>x</title>"))
    assert path.suffix == ".html"
    assert path.read_text("utf-8-sig") == '<!DOCTYPE html><base href="http://shop.example/a/b"><title>x</title>'


def test_the_base_of_the_page_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, page(b'<base href="/deep/"><a href="x">')).read_text("utf-8-sig")
    assert text.startswith('<base href="http://user:secret@shop.example/deep/">') is False
    assert text.startswith('<base href="http://shop.example/deep/">')


def test_a_page_is_read_as_the_spider_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the header says how."""
    path = shown(monkeypatch, page("<p>naïve".encode("utf-16"), "text/html; charset=utf-16"))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert "naïve" in path.read_text("utf-8-sig")


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("application/json", ".json"), ("text/plain", ".txt"), ("image/png", ".png"), ("application/x-none", ".bin")],
)
def test_what_is_no_page_is_kept_byte_by_byte(monkeypatch: pytest.MonkeyPatch, kind: str, suffix: str) -> None:
    path = shown(monkeypatch, page(b"\x89PNG\xff" if suffix in (".png", ".bin") else b"{}", kind))
    assert path.suffix == suffix
    assert path.read_bytes() in (b"\x89PNG\xff", b"{}")


def test_the_path_is_printed_where_there_is_no_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    path = open_in_browser(page(b"<p>x"))
    assert capsys.readouterr().out == f"{path}\n"
