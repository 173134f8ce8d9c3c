"""A Control that remembers what was asked of it."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred, succeed

from crawler.errors import SteeringError
from crawler.steering.control import LiveSetting


class Remembered:
    """Each call as one text; ``refuses``: what a setting's value may not be."""

    def __init__(self, refuses: str = "") -> None:
        self.calls: list[str] = []
        self.refusals: list[str] = []
        self._refuses = refuses

    def pause(self, host: str | None, *, who: str) -> str:
        return self._did("pause", host, who)

    def resume(self, host: str | None, *, who: str) -> str:
        return self._did("resume", host, who)

    def set(self, name: str, value: object, *, host: str | None, who: str) -> str:
        if value == self._refuses:
            raise SteeringError(f"{name}: expected a number, got {value!r}")
        return self._did("set", name, value, host, who)

    def add(self, url: str, *, who: str) -> str:
        return self._did("add", url, who)

    def drop(self, host: str, *, who: str) -> Deferred[str]:
        return succeed(self._did("drop", host, who))

    def stop(self, *, who: str) -> str:
        return self._did("stop", who)

    def explain(self, url: str) -> Deferred[list[str]]:
        return succeed([f"{url} in job books (running)", "  It was not accepted."])

    def live(self) -> Mapping[str, LiveSetting]:
        return {"DOWNLOAD_DELAY": LiveSetting(1.5, "the time between two requests", "page")}

    def refused(self, why: str, *, who: str) -> None:
        self.refusals.append(f"{who}: {why}")

    def _did(self, *what: object) -> str:
        self.calls.append(" ".join(map(str, what)))
        return f"did {self.calls[-1]}"
