"""Which facts belong to a host, so that whoever is granted it learns them?

Throttle and waits are kept by queue key; robots.txt by origin, and of an origin it is seen with the rows that are taken
which host they wait for. (An origin whose requests wait under several keys has its robots.txt told to the owner of the
last one; the others fetch it themselves.)
"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.storage.cluster.rows import Row
from crawler.storage.cluster.wire import Fact

_BY_HOST = ("throttle:", "wait:")
_BY_ORIGIN = "robots:"


class HostFacts:
    """Knows the hosts of origins."""

    def __init__(self) -> None:
        self._hosts: dict[str, str] = {}

    def note(self, row: Row) -> None:
        """A row was taken."""
        self._hosts[row.payload.origin] = row.host

    def told(self, facts: Sequence[tuple[str, bytes | None]]) -> list[Fact]:
        """Return facts as they are told; what is gone has an empty value."""
        return [Fact(name, value or b"", self._host_of(name)) for name, value in facts]

    def _host_of(self, name: str) -> str:
        kind, _, of = name.partition(":")
        if f"{kind}:" in _BY_HOST:
            return of
        return self._hosts.get(of, "") if f"{kind}:" == _BY_ORIGIN else ""
