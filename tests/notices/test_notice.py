"""Can a text of the network's be more than text in a notice?"""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

from crawler.notices.notice import LONGEST_LINE, LONGEST_TITLE, MOST_LINES, NotSent, line, notice
from tests.notices.support import NAUGHTY


def test_a_line_has_no_character_that_is_a_command_anywhere() -> None:
    every = "".join(map(chr, [*range(0x3000), *range(0xD800, 0xE000), *range(0xFDD0, 0xFDF0), *range(0xFE00, 0x10000)]))
    shown = line(every, len(every))

    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp")]
    assert not {*"\u202a\u202e\u2066\u2069\u200f\ufeff\ufffe\uffff"} & {*shown}
    shown.encode()
    assert ElementTree.fromstring(f"<body>{escape(shown)}</body>").text == shown


def test_a_notice_is_of_bounded_length_and_shows_no_password() -> None:
    made = notice("k", "end", NAUGHTY * 100, ["http://user:secret@h.example/", *["x" * 10_000] * 1000])

    assert len(made.title) < LONGEST_TITLE + 200
    assert "\n" not in made.title
    assert "Bcc" in made.title
    assert "secret" not in made.text
    assert "http://user:***@h.example/" in made.lines
    assert len(made.lines) == MOST_LINES
    assert made.lines[-1] == f"… {1001 - MOST_LINES + 1} more lines"
    assert all(len(each) < LONGEST_LINE + 50 for each in made.lines)
    assert "\r" not in str(NotSent(NAUGHTY))
