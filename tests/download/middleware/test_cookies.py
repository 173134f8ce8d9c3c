from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from crawler.config.schema import CoreSettings
from crawler.download.middleware.cookies.jar import MAX_OF_DOMAIN, CookieJar
from crawler.download.middleware.cookies.middleware import Cookies
from crawler.download.middleware.cookies.set_cookie import is_public_suffix, parse, parse_date
from crawler.model.request import Request
from crawler.model.url import host_of, normalise, split
from tests.download.middleware.stage import Stage, plain, setting

PSL = Path(__file__).parents[3] / ".." / "shared" / "data" / "psl" / "test_psl.txt"
NOW = 1_800_000_000.0


class World:
    """A Cookies middleware at a fixed time."""

    def __init__(self) -> None:
        self.now = NOW
        self.cookies = Cookies(CoreSettings(), wall=lambda: self.now)
        self.stage = Stage([self.cookies])

    def receives(self, url: str, *lines: str, **request: object) -> None:
        self.stage.answer = setting(*lines)
        self.stage.fetch(url, **request)
        self.stage.answer = plain

    def sends(self, url: str, **request: object) -> str:
        self.stage.fetch(url, **request)
        return (self.stage.sent[-1].headers.get("Cookie") or b"").decode()


@pytest.mark.parametrize(
    ("set_at", "line", "asked", "sent"),
    [
        ("http://a.example.com/x/y", "k=v", "http://a.example.com/x/z", True),
        ("http://a.example.com/x/y", "k=v", "http://a.example.com/z", False),
        ("http://a.example.com/", "k=v", "http://example.com/", False),
        ("http://a.example.com/", "k=v", "http://b.a.example.com/", False),
        ("http://a.example.com/", "k=v", "http://a.example.com:8080/", True),
        ("http://a.example.com/", "k=v; Domain=example.com", "http://b.example.com/", True),
        ("http://a.example.com/", "k=v; domain=.EXAMPLE.com", "http://b.example.com/", True),
        ("http://a.example.com/", "k=v; Domain=example.com", "http://badexample.com/", False),
        ("http://a.example.com/", "k=v; Domain=b.example.com", "http://b.example.com/", False),
        ("http://a.example.com/", "k=v; Domain=com", "http://b.com/", False),
        ("http://a.example.co.uk/", "k=v; Domain=co.uk", "http://a.example.co.uk/", False),
        ("http://site.github.io/", "k=v; Domain=github.io", "http://other.github.io/", False),
        ("http://github.io/", "k=v; Domain=github.io", "http://github.io/", True),
        ("http://github.io/", "k=v; Domain=github.io", "http://other.github.io/", False),
        ("http://127.0.0.1/", "k=v; Domain=0.0.1", "http://127.0.0.1/", False),
        ("http://127.0.0.1/", "k=v", "http://127.0.0.1/", True),
        ("http://bücher.example/", "k=v; Domain=bücher.example", "http://www.bücher.example/", True),
        ("http://a.com/", "k=v; Domain=.", "http://a.com/", True),
        ("http://a.com/", "k=v; Domain=.", "http://b.a.com/", False),
        ("http://a.com/", "k=v; Path=/p", "http://a.com/p/q", True),
        ("http://a.com/", "k=v; Path=/p", "http://a.com/pq", False),
        ("http://a.com/", "k=v; Path=nonsense", "http://a.com/", True),
        ("https://a.com/", "k=v; Secure", "https://a.com/", True),
        ("https://a.com/", "k=v; Secure", "http://a.com/", False),
        ("http://a.com/", "k=v; Secure", "https://a.com/", False),
        ("http://a.com/", "k=v; Max-Age=10", "http://a.com/", True),
        ("http://a.com/", "k=v; Max-Age=0", "http://a.com/", False),
        ("http://a.com/", "k=v; Max-Age=-5", "http://a.com/", False),
        ("http://a.com/", "k=v; Max-Age=soon", "http://a.com/", True),
        ("http://a.com/", "k=v; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://a.com/", False),
        ("http://a.com/", "k=v; Expires=never", "http://a.com/", True),
        ("https://a.com/", "__Host-k=v; Secure; Path=/", "https://a.com/", True),
        ("https://a.com/", "__Host-k=v; Secure; Path=/; Domain=a.com", "https://a.com/", False),
        ("https://a.com/", "__host-k=v; Secure; Path=/p", "https://a.com/p", False),
        ("https://a.com/", "__Secure-k=v", "https://a.com/", False),
        ("https://a.com/", "=__Host-k=v", "https://a.com/", False),
        ("http://a.com/", "k=a\x01b", "http://a.com/", False),
        ("http://a.com/", ";", "http://a.com/", False),
    ],
)
def test_who_is_sent_a_cookie(set_at: str, line: str, asked: str, sent: bool) -> None:
    world = World()
    world.receives(set_at, line)
    assert bool(world.sends(asked)) is sent
    # and after a save and a load
    other = World()
    other.cookies.restore_facts(world.cookies.changed_facts())
    assert bool(other.sends(asked)) is sent


def test_order_and_replacement() -> None:
    world = World()
    world.receives("http://a.com/", "a=1; Path=/", "b=1; Path=/p", "a=2; Path=/")
    world.receives("http://a.com/", "c=3")
    assert world.sends("http://a.com/p/") == "b=1; a=2; c=3"
    world.receives("http://a.com/", "a=; Max-Age=0; Path=/")
    assert world.sends("http://a.com/p/") == "b=1; c=3"


def test_the_cookies_of_one_response_are_sent_in_the_order_of_its_lines() -> None:
    world = World()
    lines = ["z=1", "a=1; Domain=x.com", "m=1", "b=1; Domain=x.com", "z=2"]
    world.receives("http://www.x.com/", *lines)
    assert world.sends("http://www.x.com/") == "z=2; a=1; m=1; b=1"
    world.receives("http://www.x.com/", "a=2; Domain=x.com", "n=1; Path=/p", "m=; Max-Age=0", "m=3")
    assert world.sends("http://www.x.com/p/") == "n=1; z=2; a=2; b=1; m=3"
    world.now -= 3600  # a clock that is set back
    world.receives("http://www.x.com/", "c=1")
    again = World()
    again.cookies.restore_facts(world.cookies.changed_facts())
    again.receives("http://www.x.com/", "d=1")
    assert again.sends("http://www.x.com/") == "z=2; a=2; b=1; m=3; c=1; d=1"


def test_cookies_of_a_request_are_sent_in_their_order() -> None:
    world = World()
    world.receives("http://a.com/", "b=1", "c=1")
    assert world.sends("http://a.com/", cookies={"d": 1, "c": 2, "a": 3}) == "b=1; c=2; d=1; a=3"


def test_time_passes() -> None:
    world = World()
    world.receives("http://a.com/", "a=1; Max-Age=10", "b=1; Expires=Wed, 09 Nov 2999 08:49:37 GMT", "c=1")
    world.now += 11
    assert world.sends("http://a.com/") == "b=1; c=1"
    world.now += 401 * 86_400
    assert world.sends("http://a.com/") == "c=1"


def test_a_cookie_of_http_does_not_hide_a_secure_one() -> None:
    world = World()
    world.receives("https://www.example.com/", "k=good; Secure; Path=/")
    world.receives("http://www.example.com/", "k=bad; Path=/")
    world.receives("http://www.example.com/", "k=bad; Path=/; Domain=example.com")
    world.receives("http://b.example.com/", "k=bad; Path=/; Domain=example.com")
    assert world.sends("https://www.example.com/") == "k=good"


def test_jars() -> None:
    world = World()
    world.receives("http://a.com/", "k=1", meta={"cookiejar": 1})
    world.receives("http://a.com/", "k=2", meta={"cookiejar": "two"})
    assert world.sends("http://a.com/") == ""
    assert world.sends("http://a.com/", meta={"cookiejar": 1}) == "k=1"
    assert world.sends("http://a.com/", meta={"cookiejar": "two"}) == "k=2"
    world.cookies.forget(1)
    assert world.sends("http://a.com/", meta={"cookiejar": 1}) == ""


def test_dont_merge_cookies() -> None:
    world = World()
    world.receives("http://a.com/", "k=1")
    world.receives("http://a.com/", "n=1", meta={"dont_merge_cookies": True})
    assert world.sends("http://a.com/", meta={"dont_merge_cookies": True}) == ""
    assert world.sends("http://a.com/", cookies={"own": "1"}, meta={"dont_merge_cookies": True}) == "own=1"
    assert world.sends("http://a.com/") == "k=1"


def test_cookies_of_a_request() -> None:
    world = World()
    assert world.sends("http://a.com/", cookies={"a": "1", "n": 5}) == "a=1; n=5"
    assert world.sends("http://a.com/x") == "a=1; n=5"
    assert world.sends("http://b.com/") == ""
    cookies = [{"name": "p", "value": "1", "path": "/p"}, {"name": "d", "value": "1", "domain": ".c.com"}]
    assert world.sends("http://b.com/", cookies=cookies) == ""
    assert world.sends("http://b.com/p") == "p=1"
    assert world.sends("http://www.c.com/") == "d=1"


def test_a_cookie_header_by_hand_comes_first() -> None:
    world = World()
    world.receives("http://a.com/", "a=jar", "b=jar")
    assert world.sends("http://a.com/", headers={"Cookie": "a=hand; z=1"}) == "a=hand; z=1; b=jar"


def test_the_request_itself_is_not_changed() -> None:
    world = World()
    world.receives("http://a.com/", "a=1")
    request = Request("http://a.com/")
    response = world.stage.fetch(request)
    assert "Cookie" not in request.headers
    assert response.request is request


def test_floods() -> None:
    world = World()
    started = time.process_time()
    for n in range(10):
        world.receives("http://a.com/", *[f"k{n}x{m}={m}" for m in range(1000)])
    world.receives("http://a.com/", "big=" + "x" * 1_000_000, "k=v; Path=/" + "x" * 1_000_000)
    assert len(world.cookies.jar()) == MAX_OF_DOMAIN
    assert len(world.sends("http://a.com/")) < 16_500
    assert time.process_time() - started < 5


def test_a_jar_of_many_sites_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.download.middleware.cookies.jar.MAX_OF_JAR", 50)
    jar = CookieJar()
    for n in range(200):
        jar.take([b"k=v"], split(f"http://h{n}.com/"), NOW)
    assert len(jar) == 50
    assert jar.cookies_for(split("http://h199.com/"), NOW)
    assert not jar.cookies_for(split("http://h0.com/"), NOW)


def test_each_cookie_is_a_fact_and_none_stands_for_one_that_is_gone() -> None:
    world = World()
    world.receives("http://a.com/", "k=1", "n=1")
    world.receives("http://b.com/", "k=1")
    kept = world.cookies.changed_facts()
    assert len(kept) == 3
    assert world.cookies.changed_facts() == {}
    world.receives("http://a.com/", "k=; max-age=0")
    ((name, gone),) = world.cookies.changed_facts().items()
    assert (name in kept, gone) == (True, None)


def test_of_cookies_that_were_never_kept_no_fact_says_that_they_are_gone() -> None:
    world = World()
    world.receives("http://a.com/", *[f"n{number}=1" for number in range(3 * MAX_OF_DOMAIN)])
    facts = world.cookies.changed_facts()
    assert (len(facts), None in facts.values()) == (MAX_OF_DOMAIN, False)
    world.receives("http://a.com/", "new=1")
    assert sorted(value is None for value in world.cookies.changed_facts().values()) == [False, True]


def test_workers_that_set_cookies_of_one_site_undo_nothing_of_each_other() -> None:
    one, other = World(), World()
    one.receives("http://a.com/", "session=1", "theme=1")
    other.cookies.restore_facts(one.cookies.changed_facts())
    one.receives("http://a.com/", "theme=; max-age=0")
    other.receives("http://a.com/", "seen=1")
    from_one, from_other = one.cookies.changed_facts(), other.cookies.changed_facts()
    for _ in range(2):  # any number of times
        one.cookies.restore_facts(from_other)
        other.cookies.restore_facts(from_one)
    assert one.sends("http://a.com/") == other.sends("http://a.com/") == "session=1; seen=1"
    assert one.cookies.changed_facts() == other.cookies.changed_facts() == {}


def test_a_cookie_that_changed_here_is_newer_than_what_another_worker_kept_before() -> None:
    one, other = World(), World()
    one.receives("http://a.com/", "k=theirs", "gone=1")
    one.cookies.changed_facts()
    one.receives("http://a.com/", "gone=; max-age=0")
    theirs = one.cookies.changed_facts()
    other.receives("http://a.com/", "k=ours", "gone=set")
    other.cookies.restore_facts(theirs)
    assert other.sends("http://a.com/") == "k=ours; gone=set"
    one.cookies.restore_facts(other.cookies.changed_facts())
    assert one.sends("http://a.com/") == "k=ours; gone=set"


def test_a_jar_that_is_thrown_away_takes_its_cookies_from_the_job() -> None:
    world, kept = World(), {}
    for jar in 1, "two":
        world.receives("http://a.com/", f"k={jar}", meta={"cookiejar": jar})
    kept.update(world.cookies.changed_facts())
    world.cookies.forget(1)
    kept.update(world.cookies.changed_facts())
    again = World()
    again.cookies.restore_facts(kept)
    assert [again.sends("http://a.com/", meta={"cookiejar": jar}) for jar in (1, "two")] == ["", "k=two"]


def test_the_cookies_of_a_job_that_an_earlier_version_began_are_kept_as_todays() -> None:
    world = World()
    cookies = [parse(line, split("http://a.com/"), NOW) for line in (b"k=1", b"n=2", b"old=; max-age=0")]
    world.cookies.restore_facts({"cookies/None/a.com": [None, [list(cookie or ()) for cookie in cookies]]})
    assert world.sends("http://a.com/") == "k=1; n=2"
    facts = world.cookies.changed_facts()
    assert facts.pop("cookies/None/a.com") is None
    again = World()
    again.cookies.restore_facts(facts)
    assert again.sends("http://a.com/") == "k=1; n=2"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777.0),
        ("Sun Nov  6 08:49:37 1994", 784111777.0),
        ("6 nov 94 8:49:37", 784111777.0),
        ("Thu, 31 Feb 2020 00:00:00 GMT", None),
        ("06 Nov 1994", None),
        ("08:49:61 6 Nov 1994", None),
        ("", None),
    ],
)
def test_dates(text: str, moment: float | None) -> None:
    assert parse_date(text) == moment


@pytest.mark.parametrize("piece", [b";", b"=", b" ", b",", b"expires=", b"a=b;"])
def test_a_megabyte_of_nonsense_takes_no_time(piece: bytes) -> None:
    started = time.process_time()
    for before in (b"", b"k=v; expires="):
        parse(before + piece * (1_000_000 // len(piece)), split("http://a.com/"), NOW)
    assert time.process_time() - started < 2


def test_public_suffixes() -> None:
    if not PSL.exists():
        pytest.skip("no ../shared/data/psl")
    checked = 0
    for name, site in re.findall(
        r"^checkPublicSuffix\('([^']+)', (?:'([^']+)'|null)\);", PSL.read_text(), re.MULTILINE
    ):
        name = name.lower()
        if name.startswith("."):
            continue
        if not name.isascii():
            name = host_of(normalise(f"http://{name}/"))
        checked += 1
        assert is_public_suffix(name) == (site == ""), name
        jar = CookieJar()
        jar.take([f"k=v; Domain={name}".encode()], split(f"http://www.{name}/"), NOW)
        assert len(jar) == (1 if site else 0), name
    assert checked > 60


def test_secure_cookies_of_other_sites_cost_nothing_and_are_forgotten() -> None:
    jar = CookieJar()
    for number in range(30_000):
        jar.take([b"a=b; Secure"], split(f"https://site{number}.example/"), 0.0)
    assert len(jar) <= 20_000
    assert jar.domains_above_secure <= 20_001
    started = time.process_time()
    jar.take([b"x%d=b" % number for number in range(100)], split("http://www.other.example/"), 0.0)
    assert time.process_time() - started < 0.1
    jar.take([b"a=b; Domain=site29999.example"], split("http://www.site29999.example/"), 0.0)
    assert [each.secure for each in jar if each.domain == "site29999.example"] == [True]
