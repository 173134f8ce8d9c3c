"""A class or function that cannot do what its setting is for is refused before anything is fetched."""

from __future__ import annotations

from typing import Any

import pytest

from crawler import Spider, UsageError
from crawler.assembly import prepare, real_world
from tests.download.reactor import reactor


class OfScrapy:
    def process_request(self, request: Any, spider: Any) -> None: ...


class Empty:
    pass


class Half:
    def __init__(self, settings: Any, *, reactor: Any) -> None: ...

    def fetch(self, request: Any, exchange: Any = None) -> None: ...


def one(request: Any) -> None: ...


class Pages(Spider):
    name = "pages"


@pytest.mark.process
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"MIDDLEWARES": [OfScrapy]}, "MIDDLEWARES: OfScrapy has no __call__; expected async def __call__"),
        ({"MIDDLEWARES": [one]}, "MIDDLEWARES: one cannot be called with 2 arguments"),
        ({"REQUEST_FILTERS": [Empty]}, "REQUEST_FILTERS: Empty has no __call__"),
        ({"REQUEST_FILTERS": [one]}, "REQUEST_FILTERS: one cannot be called with 2 arguments"),
        ({"FINGERPRINT": lambda: 1}, "cannot be called with 1 arguments; expected a function (request) -> int"),
        ({"SLOT_KEY": Empty}, "SLOT_KEY: Empty is a class where an instance is needed"),
        ({"DOWNLOADER": Empty}, "DOWNLOADER: Empty cannot be made: too many positional arguments"),
        ({"DOWNLOADER": Half}, "DOWNLOADER: Half has no close()"),
        ({"SCHEMES": {"gopher": Empty}}, "SCHEMES: Empty cannot be made"),
        ({"JOB_STORE": Empty}, "JOB_STORE: Empty cannot be made"),
        ({"JOB_STORE": "redis://h"}, "a crawl on one is begun by a command"),
        ({"FEED_FORMATS": {"x": Empty}}, "FEED_FORMATS['x'] is"),
        ({"PROXIES": ["ftp://proxy.example"]}, "PROXIES: not a proxy URL"),
        ({"PROXIES": ["http://proxy.example:99999"]}, "PROXIES: not a proxy URL"),
        ({"BIND_ADDRESS": "203.0.113.7"}, "BIND_ADDRESS: cannot connect from 203.0.113.7"),
        ({"BIND_ADDRESS": "203.0.113.7", "DOWNLOADER": "twisted"}, "BIND_ADDRESS: cannot connect from 203.0.113.7"),
        ({"FEEDS": {"x.json": {"overwrite": "maybe"}}}, "expected true or false"),
    ],
)
def test_what_does_not_fit_its_setting_is_told_before_the_start(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(Pages, {"JOB_STORE": None, **settings}, world=real_world(reactor))
    assert said in str(caught.value)


@pytest.mark.process
def test_a_function_and_an_instance_are_middlewares_as_well() -> None:
    async def passing(request: Any, fetch: Any) -> Any:
        return await fetch(request)

    class Passing:
        async def __call__(self, request: Any, fetch: Any) -> Any:
            return await fetch(request)

    settings = {"JOB_STORE": None, "MIDDLEWARES": [passing, Passing, Passing()], "BIND_ADDRESS": "127.0.0.1"}
    assert prepare(Pages, settings, world=real_world(reactor))
