"""What does a robots.txt allow us, and what does it mean if there is none?

RFC 9309, read to the letter; where it is silent, as its authors' parser (google/robotstxt) reads it.

The parser and the matcher are ours, and protego is the independent opinion in the tests, because
protego 0.7: takes 13 s for a file of 65 kB with 2,000 agents and 2,000 rules (it stores every rule for
every agent; the cost is quadratic, and the file is the site's choice); applies the group of ``foo`` to an
agent ``foobar``; does not find ``crawler/1.0`` for the product token ``crawler``; loses the first line
after a byte order mark; ends lines at U+2028, NEL and form feed; lets Crawl-delay end a list of agents
(against §2.2.4); reads ``/a$`` also as the literal ``/a%24``; and allows ``/`` where ``/index.html`` is
allowed, which is no rule of the RFC's.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from enum import Enum

from crawler.errors import NotInCache, TooManyRedirects
from crawler.policy.robots_match import Rule, RuleTable, targets

SIZE_LIMIT = 512_000  # §2.5: at least 500 KiB must be read

_ALLOW, _DISALLOW, _AGENT, _DELAY, _SITEMAP = range(1, 6)
# As google/robotstxt reads fields: they begin with the word ("Disallowed", "Sitemap-index"), and these
# misspellings count (§2.2.4 and §2.3.1.5: use what can be parsed). Crawl-delay is our own addition.
_FIELD = re.compile(
    "(allow)"
    "|(disallow|dissallow|dissalow|disalow|diasllow|disallaw)"
    "|(user-agent|useragent|user agent)"
    "|(crawl-delay|crawldelay|crawl delay)"
    "|(sitemap|site-map)",
    re.ASCII | re.IGNORECASE,
).match
_BYTES_EACH = 300
"""What a rule takes beside its path (as written and as compared), measured; an empty table takes as much as four."""

_NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{0,9})?|[.,]\d{1,9}", re.ASCII).fullmatch
# RFC 9110's token without "*". The RFC's product token has letters, "_" and "-" only; robots with digits
# and dots in their names exist, and "bot2" is not "bot".
_PRODUCT = re.compile(r"[\w.!#$%&'+^`|~-]+", re.ASCII)
# "Mozilla/5.0 (compatible; NAME/1.0)", and "Mozilla/5.0 … (KHTML, like Gecko; compatible; NAME/1.0)".
_COMPATIBLE = re.compile(r"[(;][ \t]*compatible;[ \t]*([\w.!#$%&'+^`|~-]+)", re.ASCII | re.IGNORECASE)
_BLANKS = " \t"  # §2.2: WS; no other character of Unicode's or ASCII's is one
_BLANK = re.compile("[ \t]+")


def product_token(user_agent: str) -> str:
    """Return the lower-case name under which robots.txt may speak of a User-Agent: the first product's
    name, or that of "Mozilla/5.0 (compatible; NAME/1.0)". "" if there is none."""
    user_agent = user_agent.strip(_BLANKS)
    if user_agent[:8].lower() == "mozilla/":
        found = _COMPATIBLE.search(user_agent)
        if found is not None:
            return found[1].lower()
    return _named_by(user_agent)


def _named_by(value: str) -> str:
    """Return the lower-case product token of a user-agent line: what it begins with, whatever follows (§2.2.1)."""
    first = _PRODUCT.match(value)
    return first[0].lower() if first is not None else ""


class _Group:
    """What the file says to one agent, over all groups that name it (§2.2.1: they are combined)."""

    def __init__(self) -> None:
        self.named = False
        self.rules: list[Rule] = []
        self.delay: float | None = None


class RobotsRules:
    """The part of a robots.txt that is about us. ``crawl_delay`` in seconds or None; ``sitemaps`` as written;
    ``group`` is "*", our product token, or None if no group is about us (then all is allowed); ``size`` is
    roughly how many bytes of memory it takes."""

    __slots__ = ("_table", "crawl_delay", "group", "sitemaps", "size")

    def __init__(self, rules: list[Rule], crawl_delay: float | None, sitemaps: list[str], group: str | None) -> None:
        self._table = RuleTable(rules)
        self.crawl_delay = crawl_delay
        self.sitemaps = sitemaps
        self.group = group
        texts = [rule.path for rule in rules] + sitemaps
        self.size = _BYTES_EACH * (len(texts) + 4) + 2 * sum(map(len, texts))

    @classmethod
    def parse(cls, body: bytes, agent: str) -> RobotsRules:
        """Read a file as sent. ``agent`` is a User-Agent or a product token. Nothing in it is an error."""
        token = product_token(agent)
        own, everyone = _Group(), _Group()
        sitemaps = _read(_lines(body), token, own, everyone)
        chosen, name = (own, token) if own.named else (everyone, "*")
        return cls(chosen.rules, chosen.delay, sitemaps, name if chosen.named else None)

    @classmethod
    def allowing_all(cls) -> RobotsRules:
        """Return the rules of a site that has no robots.txt."""
        return cls([], None, [], None)

    def allows(self, url: str) -> bool:
        """Tell whether a URL in normal form may be fetched."""
        rule = self.rule_for(url)
        return rule is None or rule.allow

    def rule_for(self, url: str) -> Rule | None:
        """Return the rule that decides on a URL in normal form, or None: no rule speaks of it."""
        if not len(self._table):
            return None
        paths = targets(url)
        if paths[0] == "/robots.txt":  # §2.2.2: implicitly allowed
            return None
        if len(paths) == 1:
            found = self._table.find(paths[0])
            return None if found is None else found[1]
        answers = [found for path in paths if (found := self._table.find(path)) is not None]
        return max(answers, key=lambda answer: (answer[0], answer[1].allow))[1] if answers else None


def _lines(body: bytes) -> list[str]:
    """Decode and split at CR, LF and CRLF alone (§2.2). A line cut by the size limit could allow or forbid
    what it does not mean: it is dropped."""
    cut = len(body) > SIZE_LIMIT
    body = body[:SIZE_LIMIT]
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        text = body.decode("utf-16", "replace")
    else:
        text = body.decode("utf-8", "surrogateescape")
    # Files glued together carry the byte order mark in the middle, too; it is never part of a path.
    lines = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if cut:
        lines.pop()
    return lines


def _field_and_value(line: str) -> tuple[int | None, str]:
    """Split a line at its colon or, as google/robotstxt does, where that was forgotten between two words."""
    name, colon, value = line.partition("#")[0].strip(_BLANKS).partition(":")
    if not colon:
        words = _BLANK.split(name, 2)
        if len(words) != 2:
            return None, ""
        name, value = words
    found = _FIELD(name)
    return None if found is None else found.lastindex, value.strip(_BLANKS)


def _read(lines: list[str], token: str, own: _Group, everyone: _Group) -> list[str]:
    """Go through the lines once, keeping what is said to ``token`` and to all.

    A rule ends the list of agents it is for, and only a rule does (§2.2.1, §2.2.4). Crawl-delay is no
    record of the RFC's: it is for the agents named last, whatever rules follow, so that
    "agent a, delay, agent b, disallow" forbids both (to the letter) and slows down only a.
    """
    groups: set[_Group] = set()
    delayed: set[_Group] = set()
    sitemaps: list[str] = []
    after_rule = after_delay = False
    for number, line in enumerate(lines, 1):
        field, value = _field_and_value(line)
        if field == _AGENT:
            if after_rule:
                groups = set()
            if after_rule or after_delay:
                delayed = set()
            after_rule = after_delay = False
            named = _named(value, token, own, everyone)
            if named is not None:
                named.named = True
                groups.add(named)
                delayed.add(named)
        elif field in (_ALLOW, _DISALLOW):
            after_rule = True
            if value[:1] in ("/", "*"):  # §2.2: a path starts so; anything else cannot be parsed
                for group in groups:
                    group.rules.append(Rule(field == _ALLOW, value, number))
        elif field == _DELAY:
            after_delay = True
            if _NUMBER(value):
                for group in delayed:  # of several, the longest is obeyed
                    group.delay = max(group.delay or 0.0, float(value.replace(",", ".")))
        elif field == _SITEMAP and value:
            sitemaps.append(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return sitemaps


def _named(value: str, token: str, own: _Group, everyone: _Group) -> _Group | None:
    if value[:1] == "*" and value[1:2] in ("", " ", "\t"):
        return everyone
    return own if token and _named_by(value) == token else None


class RobotsOutcome(Enum):
    """What the answer to a request for robots.txt means (§2.3.1)."""

    PARSE = "parse"
    ALLOW_ALL = "allow all"
    UNREACHABLE = "unreachable"


def robots_outcome(answer: int | Exception) -> RobotsOutcome:
    """Return what a final status (after retries and redirects) or error means.

    2xx: parse. 3xx that could not be followed and 4xx: there is none, all is allowed (§2.3.1.2, §2.3.1.3);
    429, too, once its retries are used up: it asks for patience, which the throttle has. Everything else
    leaves unknown what is allowed, so nothing is (§2.3.1.4) – but for the replay of a cache, whose pages
    were allowed when they were fetched.
    """
    if isinstance(answer, int):
        if 200 <= answer < 300:
            return RobotsOutcome.PARSE
        return RobotsOutcome.ALLOW_ALL if 300 <= answer < 500 else RobotsOutcome.UNREACHABLE
    if isinstance(answer, TooManyRedirects | NotInCache):
        return RobotsOutcome.ALLOW_ALL
    return RobotsOutcome.UNREACHABLE
