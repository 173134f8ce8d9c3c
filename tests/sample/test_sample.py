"""Does the sample serve the same small site each time?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest

from crawler.sample import books, quotes


@pytest.mark.process
def test_pages_are_the_same_in_every_process() -> None:
    program = "from crawler.sample import books, quotes; print(ascii((books.paths(), quotes.paths())))"
    here = ascii((books.paths(), quotes.paths()))
    for seed in ("1", "2"):  # of the order of sets
        command, environment = [sys.executable, "-c", program], {**os.environ, "PYTHONHASHSEED": seed}
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
        assert said.strip() == here


def test_books_differ_and_all_categories_are_used() -> None:
    shown = [books.book(number) for number in range(1, books.BOOKS + 1)]
    assert len({book.title for book in shown}) == books.BOOKS
    assert {book.category for book in shown} == set(books.category_names())


def test_every_link_leads_to_a_page() -> None:
    pages = {**books.paths(), **quotes.paths()}
    for path, text in pages.items():
        for link in re.findall(r'href="([^"#]*)', text):
            target = urljoin(f"http://x{path}", link).removeprefix("http://x")
            assert target in pages or target == "/basket/", f"{path} links to {target}"


@pytest.fixture(scope="module")
def url(outside: None) -> Iterator[str]:
    command = [sys.executable, "-m", "crawler.sample", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def test_it_serves_on_loopback_and_prints_its_url(url: str) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
    with urlopen(url) as answer:
        assert answer.read().decode() == books.paths()["/"]
    with urlopen(f"{url}robots.txt") as answer:
        assert answer.read() == b"User-agent: *\nDisallow: /basket/\n"


def test_anything_else_is_not_found(url: str) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{url}nowhere")
    assert caught.value.code == 404
    caught.value.close()
