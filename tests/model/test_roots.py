"""Is all of a page in its tree, whatever libxml2 makes of it?"""

from __future__ import annotations

import time
import warnings

import pytest

from crawler.model.response import Response
from crawler.model.selector import Selector, document


def markup(page: str) -> str:
    """Return what is in the body."""
    return "".join(document(page.encode(), "utf-8").xpath("//body/node()").getall())


@pytest.mark.parametrize(
    ("page", "body"),
    [
        ("<html><body><p>1</body></html><p>2<p>3</html><div>4</div>", "<p>1</p><p>2</p><p>3</p><div>4</div>"),
        ("<html><head></head></html><body><p>1</p></body>", "<p>1</p>"),
        ("<html><head></head></html><p>1</p>", "<p>1</p>"),
        ("<html></html>\n<html><body><p>1</p></body></html>", "<p>1</p>"),
        ("<body><div><p>1</p></body><p>2</p></div></html><p>3</p>", "<div><p>1</p><p>2</p></div><p>3</p>"),
        ("<body><p>1</p></body>2<p>3", "<p>1</p>2<p>3</p>"),
        ("<p>1</p></HTML\n><p>2</p></Body x='>'><p>3</p>", "<p>1</p><p>2</p><p>3</p>"),
        ("<p>1</html>text", "<p>1text</p>"),
        ("<p>1</html ><!-- a --><p>2", "<p>1<!-- a --></p><p>2</p>"),
        ("<table><tr><td>1</html><td>2</table>3", "<table><tr><td>1</td><td>2</td></tr></table>3"),
        ("<html lang=en /><p>1</p>", "<p>1</p>"),
        ("1<</html>w", "1<w"),
    ],
)
def test_what_follows_the_end_of_a_page_is_read(page: str, body: str) -> None:
    assert markup(page) == body
    assert (
        Selector(text=f"<!doctype html>{page}").xpath("//body/node()").getall()
        == document(page.encode(), "utf-8").xpath("//body/node()").getall()
    )


@pytest.mark.parametrize(
    "text",
    [
        '<script>document.write("</html>")</script>',
        "<script><!-- <script></script></html> --></script>",
        "<style>a:after { content: '</body></html>' }</style>",
        "<!-- </html> -->",
        "<textarea></body></html></textarea>",
        '<a title="</html>">x</a>',
        "<a title='</body>'>x</a>",
        *(f"<{name}></html></{name}>" for name in ("xmp", "iframe", "noembed", "noframes", "title")),
    ],
)
def test_an_end_that_is_text_stays(text: str) -> None:
    expected = document(f"<body>{text}<p>1</p><p>2</p>".encode(), "utf-8").xpath("//body/node()").getall()
    page = document(f"<body>{text}<p>1</p></body></html><p>2</p>".encode(), "utf-8")
    assert page.xpath("//body/node()").getall() == expected
    assert "</" in "".join(page.xpath("//body//text() | //body//comment() | //@title").getall())


def test_scripts_after_the_body_are_no_reason_to_change_a_page() -> None:
    page = document(b"<body><p>1</p></body><script>2</script></html> <!-- 3 -->", "utf-8")
    assert page.xpath("/html/script").get() == "<script>2</script>"


@pytest.mark.parametrize("tag", ["div", "b", "a href=/x"])
def test_all_of_a_deeply_nested_page_is_read(tag: str) -> None:
    deep = f"<{tag}>x" * 5000 + "<i>y</i>" + f"</{tag[:3].strip()}>" * 5000 + "<p>after</p>"
    page = Response("http://a.test/", headers={"Content-Type": "text/html"}, body=f"<title>t</title>{deep}".encode())
    assert page.css("title::text").get() == "t"
    assert "".join(page.xpath("//body//text()").getall()) == "x" * 5000 + "yafter"
    assert len(page.css(tag.partition(" ")[0])) == 5000
    assert page.css("p").getall() == ["<p>after</p>"]
    assert page.xpath("//i").get() == "<i>y</i>"


def test_a_deep_page_with_odd_names_and_characters_is_read() -> None:
    odd = '<p>\x01a\x0cb</p><!-- a--b\x02 --><q<r s="1" t[="2">c<br>d<o:p>e'
    page = document(("<div>" * 3000 + odd + "</html><p>f").encode(), "utf-8")
    assert page.css("p::text").getall() == ["ab", "f"]
    assert page.xpath("//@s").getall() == ["1"]
    assert page.xpath("string()").get() == "abcdef"


@pytest.mark.parametrize(
    ("inner", "text"),
    [("<d>" * 2000 + "x" + "</d>" * 2000, "x"), ("x" * 11_000_000, "x" * 11_000_000)],
    ids=["deep", "long"],
)
def test_all_of_a_large_xml_document_is_read(inner: str, text: str) -> None:
    root = document(f"<r>{inner}<p/></r>".encode(), "utf-8", kind="xml")
    assert root.xpath("//p").getall() == ["<p/>"]
    assert root.xpath("string()").get() == text


def test_what_is_left_of_an_xml_document_too_deep_to_read_is_told() -> None:
    with pytest.warns(UserWarning, match="http://a.test/deep: only the beginning"):
        document(b"<r>" + b"<d>" * 3000, "utf-8", kind="xml", url="http://a.test/deep")


ATTRIBUTES = {
    "plain": "a{}=1 ",
    "without values": "a{}\n",
    "with > in the values": "a{}='>' ",
    "glued together": 'a{}="<b>"',
    "names of 100 letters": "a{}" + "x" * 100 + " ",
}


@pytest.mark.parametrize("shape", ATTRIBUTES)
def test_an_element_with_very_many_attributes_costs_little_and_is_told(shape: str) -> None:
    bomb = "".join(ATTRIBUTES[shape].format(number) for number in range(20_000))
    page = f"<p>first</p><script>if (a<b) c='</script><a href=/x {bomb}>link</a><p id='>last</p></html><p>2".encode()
    began = time.process_time()
    with pytest.warns(UserWarning, match="http://a.test/: an element has 20001 attributes; 1000 are kept"):
        read = document(page, "utf-8", url="http://a.test/")
    assert time.process_time() - began < 0.5  # libxml2 alone takes 1.1 s
    assert read.css("a[href]::text").get() == "link"
    assert len(read.css("a")[0].attrib) == 1000
    assert read.css("body > p").getall()[0] == "<p>first</p>"


def test_text_that_looks_like_attributes_is_none() -> None:
    words = " ".join(f"w{number}" for number in range(20_000))
    body = f"<pre>{words}</pre><script>var a = '{words}'; b = \"{words}\"</script><p title='{words}'>x</p>"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = document(body.encode(), "utf-8")
    assert page.css("pre::text").get() == page.css("p::attr(title)").get() == words


@pytest.mark.parametrize("piece", ["<", "<a ", '<a x="', "<!--", "<script>", "<script><!--", "</html>", "<html/>",
                                   "<title>", "a=", "='", "</ ", "<a =", "</html x='", '"', "'"])  # fmt: skip
def test_mending_takes_linear_time(piece: str) -> None:
    body = ("<p>1</html><p>" + piece * (1_000_000 // len(piece)) + "</html>").encode()
    began = time.process_time()
    document(body, "utf-8")
    assert time.process_time() - began < 2
