import msgspec
import pytest

from crawler.errors import UsageError
from crawler.observe.board.shown import HostPage, Now, Series
from tests.observe.board.made_up import MadeUp


@pytest.mark.parametrize(("method", "kind"), [("now", Now), ("series", Series), ("hosts", HostPage)])
def test_what_is_shown_is_json_and_comes_back_as_it_was(method: str, kind: type) -> None:
    source = MadeUp()
    source.tick()
    shown = getattr(source, method)()
    assert msgspec.json.decode(msgspec.json.encode(shown), type=kind) == shown


def test_the_made_up_source_sorts_filters_and_pages_as_the_contract_says() -> None:
    source = MadeUp(450)
    page = source.hosts(9, "name", descending=False)
    assert (page.total, page.page, page.pages, len(page.rows)) == (450, 3, 3, 50)
    assert source.hosts(containing="site-44").total == 11
    with pytest.raises(UsageError, match="sorted by 'shoe'"):
        source.hosts(sort="shoe")


def test_what_changed_in_a_second_is_told_once() -> None:
    source = MadeUp()
    number = source.changes(0).number
    assert source.changes(number).hosts == ()
    source.tick()
    assert [row.name for row in source.changes(number).hosts] == ["site-0.example", "site-1.example"]
