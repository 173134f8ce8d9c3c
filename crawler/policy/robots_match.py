"""Which rule of a robots.txt speaks about a URL?

RFC 9309 §2.2.2 and §2.2.3: of the rules that match, the one whose path has most octets; allow before
disallow where they are as long. ``*`` stands for any run of characters, ``$`` at the end for the end.

Goals: a rule costs the same however it is written, and a file written to hurt costs little. Literal
rules, nearly all there are, wait in dictionaries, so that thousands of them cost a look-up for each
distinct length. Rules with ``*`` are tried from the longest down, each by its literal pieces from left
to right, which never goes back (the leftmost place is always as good as any other); a piece that is not
in the URL at all refuses most of them at once. No regular expression is made from what a site sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from crawler.model.url import canonical_escape, without_fragment

_SHOWN = 200


class Rule(NamedTuple):
    """One line of a robots.txt: ``path`` as it was written (bytes that are no UTF-8 as lone surrogates),
    ``line`` counted from 1."""

    allow: bool
    path: str
    line: int

    def __str__(self) -> str:
        """Say it in one short printable line, whatever the site wrote."""
        path = self.path if self.path.isascii() and self.path.isprintable() else comparable_pattern(self.path)
        shown = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"
        return f"{'Allow' if self.allow else 'Disallow'}: {shown} (line {self.line})"


class _Wildcard:
    """A rule with ``*``: literal pieces that must follow each other."""

    __slots__ = ("_anchored", "_last", "_middle", "_prefix", "longest", "rule", "weight")

    def __init__(self, pattern: str, rule: Rule) -> None:
        self.rule = rule
        self.weight = (len(pattern), rule.allow)
        self._anchored = pattern.endswith("$")
        if self._anchored:
            pattern = pattern[:-1]
        pieces = [piece for piece in pattern.split("*") if piece]
        self.longest = max(pieces, key=len, default="")
        self._prefix = pieces.pop(0) if pattern[0] != "*" else ""
        self._last = pieces.pop() if pattern[-1] != "*" else ""
        self._middle = pieces

    def matches(self, path: str) -> bool:
        if not path.startswith(self._prefix):
            return False
        position = len(self._prefix)
        for piece in self._middle:
            position = path.find(piece, position)
            if position < 0:
                return False
            position += len(piece)
        if self._anchored:
            return len(path) - len(self._last) >= position and path.endswith(self._last)
        return path.find(self._last, position) >= 0


_weight = attrgetter("weight")
_MANY = 50  # from so many wildcards on, looking up what a URL contains is cheaper than trying each


class RuleTable:
    """The rules of one group, ready to be asked."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._literal: dict[str, Rule] = {}
        self._exact: dict[str, Rule] = {}
        wildcards: dict[str, Rule] = {}
        for rule in rules:
            pattern = comparable_pattern(rule.path)
            if "*" in pattern:
                table = wildcards
            elif pattern.endswith("$"):
                table, pattern = self._exact, pattern[:-1]
            else:
                table = self._literal
            known = table.get(pattern)
            if known is None or (rule.allow and not known.allow):
                table[pattern] = rule
        self._lengths = sorted({len(path) for path in self._literal}, reverse=True)
        self._wildcards = sorted(map(_Wildcard, wildcards, wildcards.values()), key=_weight, reverse=True)
        self._by_gram: dict[str, list[_Wildcard]] = {}
        if len(self._wildcards) > _MANY:
            for wildcard in self._wildcards:
                self._by_gram.setdefault(wildcard.longest[-3:], []).append(wildcard)

    def __len__(self) -> int:
        return len(self._literal) + len(self._exact) + len(self._wildcards)

    def find(self, path: str) -> tuple[int, Rule] | None:
        """Return (octets, rule) of the rule that counts for a path as ``targets`` spells it, or None."""
        best = self._exact.get(path)
        length = -1 if best is None else len(path) + 1  # "$" is an octet, so no literal rule is longer
        if best is None:
            for each in self._lengths:
                if each <= len(path) and (best := self._literal.get(path[:each])) is not None:
                    length = each
                    break
        weight = (length, best is not None and best.allow)
        for wildcard in self._likely(path) if self._by_gram else self._wildcards:
            if wildcard.weight <= weight:
                break
            if wildcard.longest in path and wildcard.matches(path):
                return wildcard.weight[0], wildcard.rule
        return None if best is None else (length, best)

    def _likely(self, path: str) -> list[_Wildcard]:
        """Return the wildcards, longest first, whose longest piece may be in the path: its last three
        characters are, or it is shorter."""
        grams = {path[at : at + 3] for at in range(len(path) - 2)}
        present = [gram for gram in self._by_gram if len(gram) < 3 or gram in grams]
        return sorted(chain.from_iterable(map(self._by_gram.__getitem__, present)), key=_weight, reverse=True)


_NOTHING_TO_DO = re.compile(r"[A-Za-z0-9._~/?:@!&'()+,;=\[\]-]*", re.ASCII).fullmatch
# An escape, or what is neither reserved nor unreserved and so never stands in a URL as it is; and "$" and
# "*" where they are not special.
_IN_URL = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~/?:@!&'()+,;=\[\]%-]", re.ASCII)
_IN_PATTERN = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~/?:@!&'()+,;=\[\]%*-]", re.ASCII)


def comparable(text: str) -> str:
    """Return the one spelling of a URL's path or query (RFC 9309 §2.2.2): escapes of unreserved characters
    decoded, other escapes in upper case, everything that may not stand in a URL escaped; so are ``*`` and
    ``$``, which are special in rules (§2.2.3)."""
    return text if _NOTHING_TO_DO(text) else _IN_URL.sub(_canonical, text)


def comparable_pattern(text: str) -> str:
    """Return the one spelling of a rule's path: the same, but ``*``, and ``$`` at the end, stay special.

    Bytes that are no UTF-8 come as lone surrogates, and are escaped as the bytes they were.
    """
    if _NOTHING_TO_DO(text):
        return text
    if text.endswith("$"):
        return _IN_PATTERN.sub(_canonical, text[:-1]) + "$"
    return _IN_PATTERN.sub(_canonical, text)


def _canonical(found: re.Match[str]) -> str:
    text = found[0]
    if text[0] == "%":
        return canonical_escape(text)
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


_QUERY_ESCAPES = {"%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%27": "'"}
_ANY_QUERY_ESCAPE = re.compile("%3A|%2F|%3F|%40|%27")
_ANY_QUERY_LITERAL = re.compile("[:/?@']")
_SHORTEST = len("http://h")  # behind it, the first slash of a normal URL begins its path


def targets(url: str) -> tuple[str, ...]:
    """Return the path and query of a normal URL, in each spelling that a rule may mean.

    One, nearly always. In a query ``: / ? @`` mean the same escaped or not, and the RFC's example has
    ``?baz=https://foo.bar`` compare equal to ``?baz=https%3A%2F%2Ffoo.bar`` (and in a normal URL an
    apostrophe there is always escaped): then there are up to three.
    """
    url = without_fragment(url)
    slash = url.find("/", _SHORTEST)
    path, mark, query = url[slash:].partition("?") if slash > 0 else ("/", "", "")
    path = comparable(path)
    if not mark:
        return (path,)
    query = comparable(query)
    as_is = f"{path}?{query}"
    if not (_ANY_QUERY_LITERAL.search(query) or _ANY_QUERY_ESCAPE.search(query)):
        return (as_is,)
    literal = _ANY_QUERY_ESCAPE.sub(lambda found: _QUERY_ESCAPES[found[0]], query)
    escaped = _ANY_QUERY_LITERAL.sub(lambda found: f"%{ord(found[0]):02X}", query)
    return tuple(dict.fromkeys((as_is, f"{path}?{literal}", f"{path}?{escaped}")))
