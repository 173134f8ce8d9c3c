"""What is the site that the kill tests crawl: which pages lie on which host, and what links to what?

Six hosts, each an address of loopback, which needs no DNS: a quick one, one with a delay, a slow one, one
that fails at first, one that answers redirects to all others, and one behind a login with a Crawl-delay.
Everything follows from a number of pages and a seed, so the site, the checks and the driver agree on it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

PLAIN, PACED, SLOW, FAILING, MOVING, MEMBERS = HOSTS = [f"127.0.0.{number}" for number in range(2, 8)]
PACED_SECONDS = 0.25
"""The delay of the host that the settings give one."""
MEMBERS_SECONDS = 0.25
"""The Crawl-delay of the host behind the login."""
FAILING_SECONDS = 0.05
RETRY_AFTER_SECONDS = 1
PER_HOST = 4
"""CONCURRENT_REQUESTS_PER_DOMAIN of the crawl."""
CONCURRENCY = {PACED: 1, SLOW: 2, FAILING: 2}
"""How many requests may be under way at once where it is not PER_HOST."""
DELAYS = {PACED: PACED_SECONDS, FAILING: FAILING_SECONDS, MEMBERS: MEMBERS_SECONDS}
ANSWER_SECONDS = {PLAIN: 0.01, PACED: 0.0, SLOW: 0.25, FAILING: 0.01, MOVING: 0.01, MEMBERS: 0.01}
_WEIGHTS = {PLAIN: 32, PACED: 9, SLOW: 9, FAILING: 12, MOVING: 12, MEMBERS: 6}


@dataclass(slots=True)
class Page:
    """A page and what it has links to: other pages by number, and by URL path what is fetched in its own unit."""

    number: int
    host: str
    links: list[int] = field(default_factory=list)
    inline: str = ""
    carried: str = ""

    @property
    def path(self) -> str:
        """The path of its URL."""
        return f"/p/{self.number}"

    @property
    def name(self) -> str:
        """What its item is called."""
        return f"{self.host}{self.path}"


class World:
    """``pages`` pages of the given seed; ``members`` are those that only the login leads to."""

    def __init__(self, pages: int, seed: int) -> None:
        rng = random.Random(seed)
        hosts = rng.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()), k=pages)
        hosts[0] = PLAIN
        self.pages = [Page(number, host) for number, host in enumerate(hosts)]
        self.members = [page.number for page in self.pages if page.host == MEMBERS]
        self._link([page.number for page in self.pages if page.host != MEMBERS], rng)
        self._link(self.members, rng)
        for page in self.pages:
            other = HOSTS[(HOSTS.index(page.host) + 1 + page.number % 3) % 5]
            if page.number % 20 == 7:
                page.inline = f"{other}/d/{page.number}"
            elif page.number % 20 == 13:
                page.carried = f"{other}/c/{page.number}"

    def _link(self, numbers: list[int], rng: random.Random) -> None:
        """Make a tree of them, so that each is reachable from the first, and add links in vain."""
        for place, number in enumerate(numbers[1:], 1):
            self.pages[numbers[rng.randrange(max(0, place - 60), place)]].links.append(number)
        for number in numbers:
            self.pages[number].links += rng.sample(numbers, 3)

    @property
    def items(self) -> set[str]:
        """The name of every item that the crawl must have once."""
        names = {page.name for page in self.pages}
        names |= {page.inline for page in self.pages if page.inline}
        names |= {page.carried for page in self.pages if page.carried}
        return names | {f"group/{page.number // 10}" for page in self.pages}

    def href(self, number: int) -> str:
        """The URL, without scheme and port, by which pages link to one: some by a redirect of another host."""
        page = self.pages[number]
        return f"{MOVING}/r/{number}" if number % 6 == 5 and page.host != MEMBERS else page.name

    def fails_first(self, number: int) -> bool:
        """Whether the first answer for a page is a 503."""
        host = self.pages[number].host
        return (host == FAILING and number % 5 == 1) or (host == PLAIN and number % 61 == 5)

    def retry_after(self, number: int) -> bool:
        """Whether that 503 says how long to wait."""
        return self.pages[number].host == FAILING and number % 3 == 1
