"""Is a request that was written as a dict the same when it is made again?"""

from __future__ import annotations

from typing import Any

import pytest

from crawler.errors import InvalidRequest
from crawler.model.request import Request
from crawler.scrapy.forms import FormRequest, JsonRequest, request_from_dict


class Spider:
    """Has callbacks."""

    def page(self, response: Any) -> None:
        """Take a page."""

    def failed(self, failure: Any) -> None:
        """Take an error."""


@pytest.mark.parametrize(
    "request_",
    [
        Request("http://a.test/"),
        Request("http://a.test/", method="PUT", body=b"x", headers={"A": ["b", "c"]}, cookies={"k": "v"}, priority=3),
        Request("http://a.test/", meta={"a": 1}, cb_kwargs={"b": 2}, flags=["f"], dont_filter=True, encoding="cp1252"),
        FormRequest("http://a.test/", formdata={"a": "b"}),
        JsonRequest("http://a.test/", data={"b": 1, "a": 2}, dumps_kwargs={"sort_keys": False}),
    ],
    ids=repr,
)
def test_there_and_back(request_: Request) -> None:
    spider = Spider()
    request_ = request_.replace(callback=spider.page, errback=spider.failed)
    made = request_from_dict(request_.to_dict(spider=spider), spider=spider)
    assert type(made) is type(request_)
    assert made.callback == spider.page
    for name in request_.attributes:
        assert getattr(made, name) == getattr(request_, name), name


def test_what_cannot_be_made() -> None:
    with pytest.raises(InvalidRequest, match="'gone'"):
        request_from_dict({"url": "http://a.test/", "callback": "gone"}, spider=Spider())
    with pytest.raises(InvalidRequest, match="not imported"):
        request_from_dict({"url": "http://a.test/", "_class": "subprocess.Popen"})


def test_a_dict_written_before_a_class_moved_gives_the_same_class() -> None:
    fields = {**FormRequest("http://a.test/").to_dict(), "_class": "crawler.model.forms.FormRequest"}
    assert type(request_from_dict(fields)) is FormRequest
