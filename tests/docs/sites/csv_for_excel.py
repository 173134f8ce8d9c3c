"""Two books that a spreadsheet would misread."""

from __future__ import annotations

from tests.docs.served import Asked

PAGE = """<meta charset=utf-8><ul>
<li><b>Café Zürich</b> <i>4.20</i> <p>two; or
 three</p></li>
<li><b>=HYPERLINK("http://evil.example")</b> <i>1.00</i> <p>a name that would be a formula</p></li></ul>"""


def answer(asked: Asked) -> str | int:
    return PAGE if asked.path == "/" else 404
