"""robots.txt by RFC 9309, sentence by sentence, and against an independent parser."""

from __future__ import annotations

import random
import time

import pytest
from protego import Protego

from crawler import errors
from crawler.policy.robots import SIZE_LIMIT, RobotsOutcome, RobotsRules, product_token, robots_outcome

AGENT = "crawler/0.1 (+https://example.org/bot)"
HOST = "https://h.example"


def allows(text: str | bytes, path: str, agent: str = AGENT) -> bool:
    body = text.encode() if isinstance(text, str) else text
    return RobotsRules.parse(body, agent).allows(HOST + path)


def delay(text: str, agent: str = AGENT) -> float | None:
    return RobotsRules.parse(text.encode(), agent).crawl_delay


# RFC 9309 §5.1
SIMPLE = """\
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("crawler", "/", True),
        ("crawler", "/a.gif", False),
        ("crawler", "/a.gif?x", True),
        ("crawler", "/example/", False),
        ("crawler", "/example", True),
        ("crawler", "/publications/a.gif", True),
        ("foobot", "/", False),
        ("foobot", "/publications/", False),
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("foobot", "/robots.txt", True),
        ("foobot", "/robots.txt?x", False),
        ("barbot", "/example/page.html", False),
        ("BazBot/2.0", "/example/page.html", False),
        ("bazbot", "/a.gif", True),
        ("quxbot", "/example/", True),
    ],
)
def test_the_rfcs_simple_example(agent: str, path: str, allowed: bool) -> None:
    assert allows(SIMPLE, path, agent) is allowed


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        # §5.2 and §2.2.2: most octets; allow before disallow
        ("Allow: /example/page/\nDisallow: /example/page/disallowed.gif", "/example/page/disallowed.gif", False),
        ("Allow: /example/page/\nDisallow: /example/page/disallowed.gif", "/example/page/x", True),
        ("Disallow: /a\nAllow: /a", "/a", True),
        ("Allow: /a\nDisallow: /a", "/a", True),
        ("Disallow: /\nAllow: /p", "/page", True),
        ("Disallow: /folder\nAllow: /folder/", "/folder/page", True),
        ("Disallow: /*.htm\nAllow: /page", "/page.htm", False),
        ("Allow: /page\nDisallow: /*.ph", "/page.php", True),
        ("Allow: /$\nDisallow: /", "/", True),
        ("Allow: /$\nDisallow: /", "/page.htm", False),
        ("Disallow: /a$\nAllow: /a", "/a", False),
        ("Disallow: /index.html\nAllow: /", "/", True),
        ("Disallow: /\nAllow: /index.html", "/", False),
        # case, the first octet, the query
        ("Disallow: /Foo", "/foo", True),
        ("Disallow: foo", "/foo", True),
        ("Disallow: ?x", "/?x", True),
        ("Disallow: /a?b=", "/a?b=1", False),
        ("Disallow: /a?", "/a?", False),
        ("Disallow: /*?", "/a?x", False),
        ("Disallow: /*?$", "/a?x", True),
        # §2.2.3
        ("Disallow: /a#b", "/a", False),
        ("Disallow: /fish*.php", "/fishheads/catfish.php?parameters", False),
        ("Disallow: /fish*.php", "/Fish.PHP", True),
        ("Disallow: /*.php$", "/folder/filename.php", False),
        ("Disallow: /*.php$", "/filename.php/", True),
        ("Disallow: /*/filter/page=*/$", "/1/filter/page=5/", False),
        ("Disallow: /a*a$", "/a", True),
        ("Disallow: /a*a$", "/aa", False),
        ("Disallow: /a*b*b$", "/ab", True),
        ("Disallow: *", "/", False),
        ("Disallow: *$", "/x", False),
        ("Disallow: /**", "/x", False),
        ("Disallow: /***/x***$", "/a/x1", False),
        ("Disallow: /a$b", "/a$bc", False),
        ("Disallow: /a$b", "/a", True),
        ("Disallow: /a$", "/a$b", True),
        ("Disallow: /path/file-with-a-%2A.html", "/path/file-with-a-*.html", False),
        ("Disallow: /path/file-with-a-%2A.html", "/path/file-with-a-x.html", True),
        ("Disallow: /path/foo-%24", "/path/foo-$", False),
        ("Disallow: /path/foo-%24", "/path/foo-", True),
        # §2.2.2, its table and its sentences
        ("Disallow: /foo/bar?baz=quz", "/foo/bar?baz=quz", False),
        ("Disallow: /foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar", False),
        ("Disallow: /foo/bar?baz=https%3A%2F%2Ffoo.bar", "/foo/bar?baz=https://foo.bar", False),
        ("Disallow: /foo/bar?baz=https%3a//foo.bar", "/foo/bar?baz=https%3A//foo.bar", False),
        ("Disallow: /?who='me'", "/?who=%27me%27", False),
        ("Disallow: /*baz=https%3A%2F", "/foo/bar?baz=https%3a%2f%2ffoo.bar", False),
        ("Disallow: /foo/bar/\u30c4", "/foo/bar/%E3%83%84", False),
        ("Disallow: /foo/bar/%E3%83%84", "/foo/bar/%e3%83%84", False),
        ("Disallow: /foo/bar/%e3%83%84", "/foo/bar/%E3%83%84", False),
        ("Disallow: /foo/bar/%62%61%7A", "/foo/bar/baz", False),
        ("Disallow: /foo/bar/baz", "/foo/bar/%62%61%7A", False),
        ("Disallow: /%7Ejoe", "/~joe", False),
        ("Disallow: /a%2Fb", "/a/b", True),
        ("Disallow: /a/b", "/a%2Fb", True),
        ("Disallow: /a b", "/a%20b", False),
        ("Disallow: /{id}", "/%7Bid%7D", False),
        ("Disallow: /?a={id}", "/?a={id}", False),
        ("Disallow: /100%", "/100%", False),
        ("Disallow: /100%zz", "/100%zz", False),
        # empty, unparseable, unknown
        ("Disallow:", "/", True),
        ("Disallow:\nDisallow: /a", "/a", False),
        ("Noindex: /a", "/a", True),
        ("Disallow: http://h.example/a", "/a", True),
        ("Dissallow: /a", "/a", False),
        ("disallow /a", "/a", False),
        ("DISALLOW\t:\t/a  # no", "/a", False),
        ("Disallow: /a \t ", "/a", False),
        ("Disallow all of it", "/a", True),
    ],
)
def test_rules(rules: str, path: str, allowed: bool) -> None:
    assert allows(f"User-agent: *\n{rules}\n", path) is allowed


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("<!DOCTYPE html><html><body>Not found: /</body></html>", True),
        ("Disallow: /", True),
        ("User-agent: other\nDisallow: /", True),
        ("User-agent:\nDisallow: /", True),
        ("User-agent: crawler\nDisallow: /", False),
        ("USER-AGENT: CRAWLER\nDISALLOW: /", False),
        ("user agent: crawler\nDisallow: /", False),
        ("User-agent: crawler/1.0 (whatever)\nDisallow: /", False),
        ("User-agent: crawler*\nDisallow: /", False),
        ("User-agent: craw\nDisallow: /", True),
        ("User-agent: crawlers\nDisallow: /", True),
        ("User-agent: crawler-image\nDisallow: /", True),
        ("User-agent: crawler2\nDisallow: /", True),
        ("User-agent: my crawler\nDisallow: /", True),
        ("User-agent: *\nDisallow: /\nUser-agent: crawler\nDisallow: /x", True),
        ("User-agent: crawler\nUser-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: crawler\n", True),
        ("User-agent: * # all\nDisallow: /", False),
        ("User-agent: *x\nDisallow: /", True),
        # a line names what it begins with; only our own User-Agent is looked into for "compatible" (§2.2.1)
        ("User-agent: Mozilla/5.0 (compatible; crawler/1.0)\nDisallow: /", True),
        ("User-agent: Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; crawler/1.0)\nDisallow: /", True),
        ("User-agent: bot (compatible; crawler)\nDisallow: /", True),
        ("User-agent: Mozilla/5.0 (compatible; crawler/1.0)\nUser-agent: crawler\nDisallow: /", False),
        # §2.2.1: groups of one agent are combined, in whatever order
        ("User-agent: crawler\nAllow: /x\nUser-agent: b\nDisallow: /b\nUser-agent: crawler\nDisallow: /", False),
        ("User-agent: *\nAllow: /x\nUser-agent: b\nAllow: /\nUser-agent: *\nDisallow: /", False),
        # a list of agents goes on over empty lines, comments and records that are not the RFC's (§2.2.4)
        ("User-agent: crawler\n\n# and\n\nUser-agent: b\nDisallow: /", False),
        ("User-agent: crawler\nSitemap: http://h/s\nUser-agent: b\nDisallow: /", False),
        ("User-agent: crawler\nCrawl-delay: 3\nUser-agent: b\nDisallow: /", False),
        ("User-agent: crawler\nHost: x\nDisallow: /", False),
        # and ends at a rule, also an empty one
        ("User-agent: crawler\nDisallow:\nUser-agent: b\nDisallow: /", True),
        ("User-agent: b\nAllow: /\nUser-agent: crawler\nDisallow: /", False),
    ],
)
def test_groups(text: str, allowed: bool) -> None:
    assert allows(text, "/page") is allowed


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends(end: str) -> None:
    text = end.join(["User-agent: b", "Disallow: /", "", "User-agent: crawler", "Disallow: /a"])
    assert not allows(text, "/a")
    assert allows(text, "/b")


@pytest.mark.parametrize("character", ["\u2028", "\u0085", "\x0b", "\x0c", "\x1c"])
def test_other_separators_end_no_line(character: str) -> None:
    assert allows(f"User-agent: *\nDisallow: /a{character}b", "/a")


NO_BLANKS = ["\u00a0", "\x0b", "\x0c", "\u2028", "\u0085", "\u3000", "\x1c", "\x00", "\u200b"]


@pytest.mark.parametrize("character", NO_BLANKS)
def test_only_space_and_tab_are_blanks(character: str) -> None:
    assert allows(f"User-agent: *\n{character}Disallow: /a", "/a")
    assert allows(f"User-agent: *\nDisallow:{character}/a", "/a")
    assert allows(f"User-agent: *\nDisallow{character}/a", "/a")
    assert allows(f"User-agent: *\nDisallow: /a{character}", "/a")
    assert allows(f"User-agent:{character}crawler\nDisallow: /a", "/a")
    assert allows(f"User-agent: *{character}\nDisallow: /a", "/a")
    assert delay(f"User-agent: *\nCrawl-delay: 5{character}") is None
    assert not allows(f"User-agent: crawler{character}\nDisallow: /a", "/a")  # its name is read up to there


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /a",
        b"User-agent: b\nDisallow:\n\xef\xbb\xbfUser-agent: *\nDisallow: /a",
        "User-agent: *\nDisallow: /a".encode("utf-16"),
        b"\xfe\xff" + "User-agent: *\r\nDisallow: /a".encode("utf-16-be"),
        "User-agent: b\nDisallow:\n\ufeffUser-agent: *\n\ufeffDisallow: /a".encode("utf-16"),
        b"# caf\xe9 \xff\xfe\nUser-agent: *\nDisallow: /a",
        b"\0\0\nUser-agent: *\nDisallow: /a\n\0",
    ],
)
def test_marks_and_odd_encodings(body: bytes) -> None:
    assert not allows(body, "/a")
    assert allows(body, "/b")


def test_bytes_that_are_no_utf8_mean_themselves() -> None:
    body = b"User-agent: *\nDisallow: /caf\xe9"
    assert not allows(body, "/caf%E9")
    assert allows(body, "/caf%C3%A9")


def test_the_size_limit_reads_500_kib_and_drops_the_line_it_cuts() -> None:
    start = b"User-agent: *\nDisallow: /first\n"
    filler = b"# " + b"x" * (SIZE_LIMIT - len(start) - 2 - 1 - 20) + b"\n"
    last = b"Disallow: /last\n"
    assert not allows(start + filler + last, "/last")
    cut = start + filler + b"Disallow: /public-is-cut-here-and-not-meant\n" * 2
    assert not allows(cut, "/first")
    assert allows(cut, "/public")
    assert SIZE_LIMIT >= 500 * 1024


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-agent: *\nCrawl-delay: 10", 10),
        ("User-agent: *\nCrawl-Delay : 0.5 # slow", 0.5),
        ("User-agent: *\nCrawl-delay: 1,5", 1.5),
        ("User-agent: *\nCrawl-delay: 0", 0),
        ("Crawl-delay: 10", None),
        ("User-agent: b\nCrawl-delay: 10", None),
        ("User-agent: *\nCrawl-delay: 10\nUser-agent: crawler\nDisallow: /x", None),
        ("User-agent: *\nCrawl-delay: 10\nUser-agent: crawler\nCrawl-delay: 2", 2),
        ("User-agent: crawler\nUser-agent: b\nCrawl-delay: 2", 2),
        ("User-agent: crawler\nCrawl-delay: 2\nUser-agent: b\nCrawl-delay: 9\nDisallow: /", 2),
        ("User-agent: b\nCrawl-delay: 2\nUser-agent: crawler\nDisallow: /", None),
        ("User-agent: crawler\nDisallow: /x\nCrawl-delay: 2", 2),
        ("User-agent: crawler\nCrawl-delay: 2\nUser-agent: crawler\nCrawl-delay: 5", 5),
    ],
)
def test_crawl_delay(text: str, seconds: float | None) -> None:
    assert delay(text) == seconds


@pytest.mark.parametrize("junk", ["", "-1", "nan", "inf", "1e9", "soon", "1_0", "\u0663", "9" * 5000])
def test_a_crawl_delay_that_is_no_number_is_none(junk: str) -> None:
    assert delay(f"User-agent: *\nCrawl-delay: {junk}") is None


def test_sitemaps_are_everybodys() -> None:
    text = "Sitemap: https://h.example/1.xml\nUser-agent: b\nsitemap:/2.xml\nDisallow: /\nSitemap:\n"
    assert RobotsRules.parse(text.encode(), AGENT).sitemaps == ["https://h.example/1.xml", "/2.xml"]
    assert RobotsRules.parse(b"Sitemap: /caf\xe9", AGENT).sitemaps == ["/caf\ufffd"]


@pytest.mark.parametrize(
    ("user_agent", "token"),
    [
        ("crawler/0.1", "crawler"),
        ("Foo-Bot_x", "foo-bot_x"),
        ("Mozilla/5.0 (compatible; FooBot/2.1; +http://foo.example)", "foobot"),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; FooBot/1.2; +http://foo.example)", "foobot"),
        ("Mozilla/5.0 (Linux; Android 6) AppleWebKit/537.36 (compatible; FooBot/2.1)", "foobot"),
        ("FooBot/1.0 (compatible; Mozilla/5.0)", "foobot"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "mozilla"),
        ("360Spider", "360spider"),
        ("  spaced out", "spaced"),
        ("(nothing)", ""),
        ("", ""),
    ],
)
def test_the_product_token(user_agent: str, token: str) -> None:
    assert product_token(user_agent) == token


def test_no_name_obeys_what_is_for_all() -> None:
    assert not allows("User-agent: *\nDisallow: /", "/a", "")
    assert allows("User-agent:\nDisallow: /", "/a", "")


def test_the_rule_that_decides_can_be_shown() -> None:
    rules = RobotsRules.parse(b"User-agent: *\nDisallow: /a\nAllow: /a/%7Ex*\n", AGENT)
    rule = rules.rule_for(HOST + "/a/~xy")
    assert rule is not None
    assert str(rule) == "Allow: /a/%7Ex* (line 3)"
    hostile = RobotsRules.parse(b"User-agent: *\nDisallow: /caf\xe9\x1b[31m\xe2\x80\xa8" + b"x" * 9000, AGENT)
    rule = hostile.rule_for(HOST + "/caf%E9%1B[31m%E2%80%A8" + "x" * 9000)
    assert str(rule).startswith("Disallow: /caf%E9%1B[31m%E2%80%A8x")
    assert len(str(rule)) < 300
    assert rules.rule_for(HOST + "/b") is None
    assert rules.group == "*"
    assert RobotsRules.parse(b"User-agent: Crawler\nDisallow: /", AGENT).group == "crawler"
    assert RobotsRules.parse(b"User-agent: b\nDisallow: /", AGENT).group is None
    assert RobotsRules.allowing_all().allows(HOST)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (200, RobotsOutcome.PARSE),
        (204, RobotsOutcome.PARSE),
        (301, RobotsOutcome.ALLOW_ALL),
        (304, RobotsOutcome.ALLOW_ALL),
        *((status, RobotsOutcome.ALLOW_ALL) for status in (400, 401, 403, 404, 410, 429, 451, 499)),
        *((status, RobotsOutcome.UNREACHABLE) for status in (500, 502, 503, 504, 599, 600, 199, 0)),
        (errors.TooManyRedirects("x"), RobotsOutcome.ALLOW_ALL),
        (errors.NotInCache("x"), RobotsOutcome.ALLOW_ALL),
        (errors.NameNotResolved("x"), RobotsOutcome.UNREACHABLE),
        (errors.ConnectionFailed("x"), RobotsOutcome.UNREACHABLE),
        (errors.FetchTimeout("x"), RobotsOutcome.UNREACHABLE),
        (errors.TLSError("x"), RobotsOutcome.UNREACHABLE),
        (errors.BodyTooLarge("x"), RobotsOutcome.UNREACHABLE),
        (ValueError("x"), RobotsOutcome.UNREACHABLE),
    ],
)
def test_what_an_answer_means(answer: int | Exception, outcome: RobotsOutcome) -> None:
    assert robots_outcome(answer) is outcome


def test_protego_agrees_where_it_can() -> None:
    """Random files of what both read alike: no ``$`` but with its own meaning, no index.html."""
    world = random.Random(9309)
    alphabet = [
        "/",
        "/a",
        "/b",
        "/a/",
        "/ab",
        "/a*",
        "*b",
        "/*/a",
        "/a$",
        "/*b$",
        "/a?x=",
        "/%7Ea",
        "/\u00e9",
        "/a%20b",
    ]
    paths = ["/", "/a", "/b", "/a/", "/ab", "/a/b", "/b/a", "/a?x=1", "/~a", "/%C3%A9", "/a%20b", "/abab"]
    for _ in range(300):
        lines = []
        for _ in range(world.randint(1, 4)):
            lines += [
                f"User-agent: {world.choice(['*', 'crawler', 'Crawler', 'other'])}" for _ in range(world.randint(1, 2))
            ]
            lines += [
                f"{world.choice(['Allow', 'Disallow'])}: {''.join(world.choices(alphabet, k=1))}"
                for _ in range(world.randint(1, 4))
            ]
        text = "\n".join(lines)
        ours = RobotsRules.parse(text.encode(), "crawler/1")
        theirs = Protego.parse(text)
        for path in paths:
            assert ours.allows(HOST + path) == theirs.can_fetch(HOST + path, "crawler"), (text, path)


def _lines(pattern: str) -> bytes:
    return b"User-agent: *\n" + b"".join(pattern.format(n=n).encode() + b"\n" for n in range(500_000 // len(pattern)))


@pytest.mark.parametrize(
    "body",
    [
        b"User-agent: *\nDisallow: /" + b"*a" * 240_000 + b"z\n",
        b"User-agent: *\nDisallow: /" + b"*" * 490_000 + b"z\n",
        _lines("Disallow: /*a*a*a*{n}*b"),
        _lines("Disallow: /dir/{n}/"),
        _lines("Disallow: /{n}$"),
        b"".join(b"User-agent: a%d\n" % n for n in range(15_000)) + _lines("Disallow: /{n}x{n}"),
        b"\n" * 500_000,
        b":" * 500_000,
        b"#" * 500_000,
        b"%" * 250_000 + b"\nUser-agent: *\nDisallow: /" + b"%41" * 80_000,
        b"User-agent:" + b" " * 480_000 + b"x",
        b"User-agent: Mozilla/" + b"5(compatible;" * 30_000,
        b"Crawl-delay:" + b"1" * 480_000,
    ],
    ids=lambda body: f"{body[:12]!r} {len(body)}",
)
def test_files_written_to_hurt_do_not(body: bytes) -> None:
    started = time.process_time()
    rules = RobotsRules.parse(body, AGENT)
    for path in ("/" + "a" * 2000, "/dir/77/x", "/?" + "a=%41&" * 300):
        rules.allows(HOST + path)
    assert time.process_time() - started < 2.0
