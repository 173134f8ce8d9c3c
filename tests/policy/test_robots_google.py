"""The cases that Google documents for its robots.txt parser, in our words, and where we go by RFC 9309 instead."""

from __future__ import annotations

import pytest

from crawler.policy.robots import RobotsRules

HOST = "http://foo.bar"


def allows(text: str | bytes, agent: str, path: str) -> bool:
    body = text.encode() if isinstance(text, str) else text
    return RobotsRules.parse(body, agent).allows(HOST + path)


@pytest.mark.parametrize(
    ("field", "understood"),
    [
        *((name, True) for name in ("Disallow", "DISALLOW", "disallow", "dIsAlLoW")),
        *((name, True) for name in ("Dissallow", "dissalow", "Disalow", "diasllow", "Disallaw")),
        *((name, True) for name in ("Disallowed", "Disallow-all", "disallows")),
        *((name, False) for name in ("Dis allow", "Dis-allow", "Disalllow", "Forbid", "No-Disallow", "")),
    ],
)
def test_names_of_a_forbidding_field(field: str, understood: bool) -> None:
    assert allows(f"User-agent: FooBot\n{field}: /x\n", "FooBot", "/x/y") is not understood


@pytest.mark.parametrize("field", ["User-agent", "user-agent", "USER-AGENT", "Useragent", "User agent", "User-agents"])
def test_names_of_the_field_that_begins_a_group(field: str) -> None:
    assert not allows(f"{field}: FooBot\nDisallow: /\n", "FooBot", "/x")


def test_a_field_may_not_begin_before_the_line_does() -> None:
    assert allows("User-agent: FooBot\nfoo Disallow: /\n", "FooBot", "/x")
    assert not allows("User-agent: FooBot\n \t Disallow: /\n", "FooBot", "/x")


@pytest.mark.parametrize(
    ("line", "forbids"),
    [
        ("Disallow: /x", True),
        ("Disallow:/x", True),
        ("Disallow : /x", True),
        ("Disallow\t:\t/x\t", True),
        ("Disallow /x", True),
        ("Disallow\t/x", True),
        ("Disallow  \t  /x", True),
        ("Disallow /x # and so on", True),
        ("Disallow /x /z", False),  # more than two words are a sentence
        ("Disallow = /x", False),
        ("Disallow/x", False),
        ("Disallow", False),
        ("Disallow:", False),
        ("Disallow: # /x", False),
        ("# Disallow: /x", False),
    ],
)
def test_the_colon(line: str, forbids: bool) -> None:
    assert allows(f"User-agent: FooBot\n{line}\n", "FooBot", "/x/y") is not forbids


GROUPS = """\
allow: /foo/bar/

user-agent: FooBot
disallow: /
allow: /x/
user-agent: BarBot
disallow: /
allow: /y/


allow: /w/
user-agent: BazBot

user-agent: FooBot
allow: /z/
disallow: /
"""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("FooBot", "/x/b", True),
        ("FooBot", "/z/d", True),
        ("FooBot", "/y/c", False),
        ("FooBot", "/foo/bar/", False),  # before any group
        ("BarBot", "/y/c", True),
        ("BarBot", "/w/a", True),  # an empty line ends no group
        ("BarBot", "/z/d", False),
        ("BazBot", "/z/d", True),  # its list of agents goes on to FooBot's second group
        ("BazBot", "/x/b", False),
        ("QuxBot", "/anything", True),
    ],
)
def test_groups(agent: str, path: str, allowed: bool) -> None:
    assert allows(GROUPS, agent, path) is allowed


@pytest.mark.parametrize(
    "between", ["Sitemap: https://foo.bar/sitemap", "Foobar: x", "", "# a comment", "Crawl-delay: 1"]
)
def test_what_does_not_part_two_agents(between: str) -> None:
    text = f"User-agent: BarBot\n{between}\nUser-agent: *\nDisallow: /\n"
    assert not allows(text, "FooBot", "/x")
    assert not allows(text, "BarBot", "/x")


@pytest.mark.parametrize("between", ["Allow: /a\nSitemap: https://foo.bar/sitemap", "Disallow:\nFoobar: x"])
def test_what_parts_two_agents(between: str) -> None:
    text = f"User-agent: BarBot\n{between}\nUser-agent: *\nDisallow: /\n"
    assert not allows(text, "FooBot", "/x")
    assert allows(text, "BarBot", "/x")


@pytest.mark.parametrize(
    ("named", "agent", "obeyed"),
    [
        ("FooBot", "FOOBOT", True),
        ("FOO BAR", "foo", True),  # up to the first white space
        ("Foo Bar", "Foo", True),
        ("Foo/1.2", "Foo", True),
        ("Foo", "Foo/1.2", True),
        ("Foobot*", "foobot", True),
        ("foo-bar_baz", "foo-bar_baz", True),
        ("*", "FooBot", True),
        ("* baz", "FooBot", True),
        ("*baz", "FooBot", False),
        ("/", "FooBot", False),
        ("Foo", "FooBot", False),
        ("FooBot", "Foo", False),
    ],
)
def test_agents(named: str, agent: str, obeyed: bool) -> None:
    assert allows(f"User-agent: {named}\nDisallow: /\n", agent, "/x") is not obeyed


@pytest.mark.parametrize("specific_first", [True, False])
def test_the_group_for_all_is_for_those_without_one(specific_first: bool) -> None:
    groups = ["User-agent: FooBot\nAllow: /\n", "User-agent: *\nDisallow: /\n"]
    text = "\n".join(groups if specific_first else groups[::-1])
    assert allows(text, "FooBot", "/x/y")
    assert not allows(text, "BarBot", "/x/y")


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        # the longest, whatever the order
        ("disallow: /x/page.html\nallow: /x/", "/x/page.html", False),
        ("allow: /x/page.html\ndisallow: /x/", "/x/page.html", True),
        ("allow: /x/page.html\ndisallow: /x/", "/x/", False),
        ("disallow: \nallow: ", "/x/page.html", True),
        ("disallow: /\nallow: /", "/x/page.html", True),
        ("disallow: /x\nallow: /x/", "/x", False),
        ("disallow: /x\nallow: /x/", "/x/", True),
        ("disallow: /x/page.html\nallow: /x/page.html", "/x/page.html", True),
        ("allow: /page\ndisallow: /*.html", "/page.html", False),
        ("allow: /page\ndisallow: /*.html", "/page", True),
        ("allow: /x/page.\ndisallow: /*.html", "/x/page.html", True),
        ("allow: /x/page.\ndisallow: /*.html", "/x/y.html", False),
        ("disallow: /x/page.html\ndisallow: /y\nallow: /x/page.html", "/xyz", True),
        # paths are compared as they are written, their case too
        ("disallow: /X/", "/x/y", True),
        ("disallow: /x/", "/x/y", False),
        # the documented examples of wildcards and of the end mark
        ("disallow: /fish", "/fish", False),
        ("disallow: /fish", "/fish.html", False),
        ("disallow: /fish", "/fishheads/yummy.html", False),
        ("disallow: /fish", "/fish.php?id=anything", False),
        ("disallow: /fish", "/Fish.asp", True),
        ("disallow: /fish", "/catfish", True),
        ("disallow: /fish", "/?id=fish", True),
        ("disallow: /fish*", "/fishheads", False),
        ("disallow: /fish*", "/desert/fish", True),
        ("disallow: /fish/", "/fish/?id=anything", False),
        ("disallow: /fish/", "/fish", True),
        ("disallow: /fish/", "/fish.html", True),
        ("disallow: /*.php", "/index.php", False),
        ("disallow: /*.php", "/folder/any.php.file.html", False),
        ("disallow: /*.php", "/filename.php/", False),
        ("disallow: /*.php", "/", True),
        ("disallow: /*.php", "/windows.PHP", True),
        ("disallow: /*.php$", "/filename.php?parameters", True),
        ("disallow: /*.php$", "/filename.php5", True),
        ("disallow: /*.php$", "/windows.php", False),
        ("disallow: /fish*.php", "/fish.php", False),
        ("disallow: /foo/bar$", "/foo/barqux", True),
        ("disallow: /foo/*/qux", "/foo/bar/qux", False),
        ("disallow: /foo/*/qux", "/foo/qux", True),
        ("disallow: /\nallow: /$", "/", True),
        ("disallow: /\nallow: /$", "/page.htm", False),
        # escapes
        ("disallow: /\nallow: /x?q=taz&baz=http://foo.bar?tar&par", "/x?q=taz&baz=http://foo.bar?tar&par", True),
        ("disallow: /\nallow: /foo/bar/\u30c4", "/foo/bar/%E3%83%84", True),
        ("disallow: /\nallow: /foo/bar/%E3%83%84", "/foo/bar/%E3%83%84", True),
        # an escape that is none, and a piece of one: "/*%" is how sites forbid all that is escaped
        ("disallow: /*%", "/caf%C3%A9", False),
        ("disallow: /*%2", "/a%20b", False),
        ("disallow: /*%", "/a", True),
        # what is no path forbids nothing
        ("disallow: x", "/x", True),
        ("disallow: $", "/", True),
        ("disallow: https://foo.bar/x", "/x", True),
    ],
)  # fmt: skip
def test_rules(rules: str, path: str, allowed: bool) -> None:
    assert allows(f"user-agent: FooBot\n{rules}\n", "FooBot", path) is allowed


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n\r", "\r\r\n"])
def test_line_ends_may_be_mixed(end: str) -> None:
    text = end.join(["User-agent: foo", "Allow: /some/path", "User-agent: bar", "", "", "Disallow: /"])
    assert not allows(text, "bar", "/x")
    assert allows(text, "foo", "/x")


@pytest.mark.parametrize(
    ("mark", "understood"),
    [(b"\xef\xbb\xbf", True), (b"\xef\xbb\xbf\xef\xbb\xbf", True), (b"\xef\x11\xbf", False)],
)
def test_a_byte_order_mark(mark: bytes, understood: bool) -> None:
    assert allows(mark + b"User-agent: foo\nDisallow: /\n", "foo", "/x") is not understood


def test_a_line_of_any_length_is_a_line() -> None:
    long = "x" * 20_000
    text = f"user-agent: FooBot\ndisallow: /{long}/a\nallow: /{long}/a/qux\ndisallow: /b\n"
    assert not allows(text, "FooBot", "/b")
    assert not allows(text, "FooBot", f"/{long}/a/fux")
    assert allows(text, "FooBot", f"/{long}/a/qux")
    assert allows(text, "FooBot", f"/{long[:16_663]}")  # Google forbids what is left of a line it cuts there


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        # "index.html" is the folder for Google; RFC 9309 knows no such thing
        ("disallow: /\nallow: /allowed-slash/index.html", "/allowed-slash/", False),
        # RFC 9309 §2.2.2: what may be unescaped is compared unescaped; Google compares it as written
        ("disallow: /\nallow: /foo/bar/%62%61%7A", "/foo/bar/baz", True),
    ],
)
def test_where_the_rfc_is_obeyed_instead(rules: str, path: str, allowed: bool) -> None:
    assert allows(f"user-agent: FooBot\n{rules}\n", "FooBot", path) is allowed
