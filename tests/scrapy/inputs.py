"""Which inputs are Scrapy and ours asked about (``tests.scrapy.answers``)?"""

from __future__ import annotations

from typing import Any

URLS = [
    *("http://host", "http://host/", "HTTP://Host/Path", "http://host:80/", "https://host:443", "http://host:8080"),
    *("http://host/a b", "http://host/a%20b", "http://host/a%zz", "http://host/ä?ö=ü#ß", "http://host/a/../b/./c"),
    *("http://host//a//b", "http://host/?", "http://host/#", "http://host/#frag", "http://host?q=1", "http://host#x"),
    *("http://host/a|b?c|d", "http://host/a'b?c'd", "http://host/[a]{b}", "http://host/a;b=1", 'http://host/<>"`^'),
    *(
        "http://user:p%40ss@host/",
        "http://münchen.example/ü",
        "http://host/%7Euser",
        "http://[::1]:8000/x",
        "  http://h/ ",
    ),
    *(
        "http://host/a\tb\n",
        "http://host/\x00",
        "mailto:a@b",
        "javascript:void(0)",
        "data:text/html,<b>1</b>",
        "about:blank",
    ),
    *("file:///tmp/a b", "ftp://host/a", "//host/x", "/path", "path", "", "http:///x", "http://", "http://host:99999/"),
    *(
        "http://host:abc/",
        "http://.host/",
        "http://host./",
        "http://a_b.host/",
        "http://host/a+b?c+d=e%2Bf",
        "http:host",
    ),
    *(
        "http://host/?a=1&b=2&a=3",
        "http://host/?q=a b",
        "http://host/?q=ä&r=%E4",
        "http://HOST/%c3%a4",
        "http://xn--mnchen-3ya.de",
    ),
    *("http://host/a\\b", "http:\\\\host\\a", "http://1.2.3.4/", "http://0x7f.1/", "http://host/" + "x" * 300),
]
HREFS = [
    *(
        "",
        "a",
        "/a",
        "a/b",
        "../a",
        "../../../a",
        "./a",
        "a/../b",
        "a//b",
        "//other/x",
        "?q",
        "#f",
        "a?b",
        "a?",
        "a#",
        "a;p",
    ),
    *("a;", "a;p?q#f", ".", "..", "a.", "a..", ".a", "a/.", "a/..", "http://other", "http://other/a/../b", "http:a"),
    *(
        "https:",
        "javascript:x",
        "mailto:x",
        "a b",
        " a ",
        "ä",
        "a:b",
        "x=1",
        "a/b/",
        "%2e%2e/a",
        "http://other/a;",
        "/",
    ),
    *(
        "http://other/x?",
        "\ta\n",
        "//",
        "/a//b",
        "///a",
        "\\a",
        "a\\b",
        "a|b",
        "?a=b&c=d",
        "a?b=c;d",
        "~a",
        "-a",
        "_a/b-c.d",
    ),
]
BASES = [
    *(
        "http://host/d/page.html",
        "http://host",
        "http://host/",
        "http://host/a//b/c",
        "http://host/d/?q=1#f",
        "http://host/d;p/e",
    ),
    *("file:///d/page.html", "http://host/d/..", "https://host:8443/x/y/"),
]
PAGES = {
    "plain": b"<html><body><a href='a.html'>One</a> <a href=/b>Two <b>bold</b></a><a>none</a></body></html>",
    "base": b"<html><head><base href='/elsewhere/'></head><body><a href=x>x</a><a href='http://host/y'>y</a>",
    "twice": b"<a href=x>first</a><a href=x>second</a><a href=x#f>third</a>"
    b"<a href='x?a=1&b=2'>4</a><a href='x?b=2&a=1'>5</a>",
    "odd": b"<a href=' sp '>1</a><a href='a b'>2</a><a href='javascript:go(\"/j\")'>3</a><a href='mailto:x@y'>4</a>"
    b"<a href='file.PDF'>5</a><a href='file.pdf?x=1'>6</a><a href='x.jpg#f'>7</a>"
    b"<a href='http://[bad'>8</a><a href=''>9</a>",
    "rel": b"<a rel=nofollow href=n1>1</a><a rel='x,nofollow' href=n2>2</a>"
    b"<a rel=NOFOLLOW href=n3>3</a><a rel=external href=n4>4</a>",
    "tags": b"<map>"
    b"<area href=area></map><img src=img.png><link href=style.css><iframe src=frame></iframe>"
    b"<a data-href=d href=h>x</a>",
    "umlauts": "<meta charset=latin-1><a href='ä?ö=ü'>ß</a>".encode("latin-1"),
    "nested": b"<div id=one><a href=in1>1</a></div><div id=two><a href=in2>2</a>"
    b"<a href=in1>again</a></div><a href=out>3</a>",
    "broken": b"<html><body><p>a<p>b</div></html><a href=late>late</a><p>after</p>",
    "upper": b"<HTML><BODY><A HREF=Upper>U</A><BASE HREF=/late/></BODY></HTML>",
    "domains": b"<a href=http://host:8080/p>1</a><a href=http://sub.host/>2</a>"
    b"<a href=http://HOST/>3</a><a href=http://nothost/>4</a>"
    b"<a href=http://u:p@host/>5</a><a href=ftp://host/f>6</a>",
    "comment": b"<!-- <base href=/no/> --><a href=x><!-- c -->text</a><a href=y>a<!-- c -->b</a>",
}
EXTRACTORS: list[dict[str, Any]] = [
    *(
        {},
        {"allow": "b"},
        {"deny": ("a", "x")},
        {"allow": [r"\d"], "deny": "2"},
        {"unique": False},
        {"canonicalize": True},
    ),
    *(
        {"restrict_css": "#two"},
        {"restrict_xpaths": ["//div[@id='two']", "//div"]},
        {"restrict_text": "again|bold|second"},
    ),
    *(
        {"tags": ("a", "img", "iframe", "link"), "attrs": ("href", "src")},
        {"tags": "*", "attrs": "*"},
        {"attrs": "data-href"},
    ),
    *(
        {"deny_extensions": ()},
        {"deny_extensions": "html"},
        {"strip": False},
        {"allow_domains": "host"},
        {"deny_domains": ["sub.host"]},
    ),
    *({"allow_domains": ["host:8080", "SUB.host"]}, {"tags": "*", "deny_tags": ("a", "link")}, {"tags": None}),
    *({"canonicalize": True, "unique": False}, {"attrs": "*", "deny_attrs": "href"}, {"allow": "HOST"}),
]
FORM = (
    "<form action='/go?x=1' method='{method}' name=f1 id=i1><input name=t value=1><input type=hidden name=h value='ü'>"
    "<input name=d value=2 disabled><input type=checkbox name=c1 value=on1 checked><input type=checkbox name=c2>"
    "<input type=radio name=r value=a><input type=radio name=r value=b checked><textarea name=ta>\nline\r\n2</textarea>"
    "<select name=s1><option value=1>A<option value=2>B</select><select name=s2><option>C<option selected>D</select>"
    "<select name=s3 multiple><option selected value=x>x<option selected value=y>y</select><select name=s4></select>"
    "<input type=submit name=b1 value=first><button name=b2 value=second>go</button><input type=image name=im>"
    "<input type=reset name=re value=no><input value=noname><input type='' name=empty value=e><input type=file name=up>"
    "</form><form id=i2><div id=in><input name=q></div><button type=button name=no value=no></button></form>"
)
FORMS: list[dict[str, Any]] = [
    *(
        {},
        {"formdata": {"t": "9", "h": None, "new": ["1", "2"]}},
        {"formdata": [("t", "9"), ("b1", "x")]},
        {"dont_click": True},
    ),
    *(
        {"formnumber": 1},
        {"formnumber": 2},
        {"formname": "f1"},
        {"formname": "none"},
        {"formid": "i2"},
        {"formid": "none", "formnumber": 1},
    ),
    *(
        {"formcss": "#in"},
        {"formxpath": "//input[@name='q']"},
        {"formxpath": "//p"},
        {"formname": "none", "formid": "i2"},
    ),
    *(
        {"clickdata": {"name": "b2"}},
        {"clickdata": {"nr": 1}},
        {"clickdata": {"nr": 99}},
        {"clickdata": {"name": "none"}},
    ),
    *({"clickdata": {"type": "submit"}}, {"method": "PUT"}, {"method": "get"}, {"url": "other"}, {"formdata": 5}),
    *(
        {"formdata": {"t": 5}},
        {"encoding": "latin-1"},
        {"headers": {"X": "y"}, "meta": {"k": 1}},
        {"formnumber": 1, "clickdata": {"nr": 0}},
    ),
]
BODIES: list[tuple[str | None, bytes]] = [
    *(
        ("text/html", b"<p>plain"),
        ("text/html; charset=utf-8", "<p>ü".encode()),
        ("text/html", "<p>ü".encode()),
        (None, b""),
    ),
    *(
        ("text/html", "<meta charset=gb2312><p>\u4e2d".encode("gb18030")),
        ("text/html; charset=latin-1", b"\xe4\x80\x99"),
        (None, b"\x00\x01"),
    ),
    *(
        ("text/html", b"\xef\xbb\xbf<p>\xc3\xbc"),
        ("text/html; charset=latin-1", b"\xef\xbb\xbf<p>\xc3\xbc"),
        ("application/json", b'{"a": "\\u00fc"}'),
    ),
    *(
        ("text/html", "\ufeff<p>ü".encode("utf-16-le")),
        ("text/html; charset=utf-16", "<p>ü".encode("utf-16-be")),
        ("text/plain", b"[1, 2]"),
    ),
    *(
        ("text/html; charset=utf-8", b"<p>\xe4\xff"),
        ("text/html; charset=unknown", "<p>ü".encode()),
        ("application/octet-stream", b"<html>"),
    ),
    *(
        ("text/xml", b"<?xml version='1.0' encoding='latin-1'?><a>\xe4</a>"),
        ("application/rss+xml", b"<rss/>"),
        ("image/png", b"\x89PNG"),
    ),
    *(
        ("TEXT/HTML", b"x"),
        ("text/css", b"a{}"),
        ("application/xhtml+xml", b"<html/>"),
        (None, b"<!DOCTYPE html><p>"),
        (None, b"text only"),
    ),
    *(
        ("application/javascript", b"x=1"),
        (None, b"<?xml version='1.0'?><a/>"),
        ("text/html,text/html", b"x"),
        ("x", b"<HTML>"),
        ("", b"<html>"),
    ),
]
TREES = [
    "\ufeff<p>wide <a href=x>ascii".encode("utf-16-le"),
    *(
        b"<p>a<p>b",
        b"",
        b"text",
        b"<html><body>a</body></html><p>tail</p>",
        b"<p>\x00nul",
        b"<div><span>1</div>2",
        b"<?xml version='1.0'?><p>x",
    ),
    *(
        b"<ul><li>1<li>2</ul>&nbsp;&amp;&unknown;",
        b"<table><tr><td>1</table><script>if (a<b) '</p>'</script>",
        b"<b><i>x</b>y</i>",
        b"\xef\xbb\xbf<p>bom",
    ),
    *("<p>ü\u2028".encode(), b"<p>\xff", b"<svg:a xmlns:svg='x'>s</svg:a>", b"<a><a>n</a></a>", b"  <p> s </p>  "),
]
SITEMAPS = [
    (
        "http://h/sitemap.xml",
        b"<urlset><url><loc> http://h/1 </loc><lastmod>2020</lastmod></url><url><loc></loc></url>"
        b"<url><x/></url></urlset>",
    ),
    (
        "http://h/s",
        b"<?xml version='1.0'?><sitemapindex xmlns='x'><sitemap><loc>http://h/a.xml</loc></sitemap></sitemapindex>",
    ),
    ("http://h/robots.txt", b"User-agent: *\nSitemap: /s1.xml\nsitemap:http://h/s2.xml\nX: y"),
    (
        "http://h/s.xml",
        b"<urlset xmlns:l='y'><url><loc>http://h/en</loc><l:link rel='alternate' href='http://h/de'/></url></urlset>",
    ),
    ("http://h/s.xml", b"<urlset><url><loc>http://h/?a=1&b=2</loc></url><url><loc>http://h/2</loc></url></urlset>"),
    *(
        ("http://h/s.txt", b"http://h/1\nhttp://h/2"),
        ("http://h/s.xml", b"<rss><channel><item><link>http://h/1</link></item></channel></rss>"),
    ),
]
REQUESTS: list[dict[str, Any]] = [
    {"url": None},
    {"url": b"http://h"},
    {"callback": "parse"},
    {"errback": 1},
    {"priority": "1"},
    {"method": "post"},
    {"method": None},
    {"body": "ü"},
    {"body": "ü", "encoding": "latin-1"},
    {"body": 5},
    {"cookies": [{"name": "a", "value": "b"}]},
    {"headers": [("a", "1"), ("a", "2")]},
    {"flags": ["x"], "cb_kwargs": {"a": 1}, "meta": {"m": 1}},
    {"dont_filter": True, "priority": -1},
]
