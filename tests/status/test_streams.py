"""What do those who listen hear, and what becomes of those who do not read?"""

from __future__ import annotations

from json import loads
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from crawler.observe.board.shown import Changes, ErrorKind
from crawler.status.streams import MAX_MISSED, MAX_STREAMS
from tests.observe.board.made_up import MadeUp
from tests.status.wire import TOKEN, Connection, Served, request


def events(connection: Connection) -> list[tuple[str, Any]]:
    """Read the events that were written, whatever chunks they came in."""
    written = (
        connection.written.partition(b"\r\n\r\n")[2] if connection.wire.value()[:5] == b"HTTP/" else connection.written
    )
    data = b""
    while written:
        size, _, rest = written.partition(b"\r\n")
        data, written = data + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    found = []
    for event in data.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in event.split("\n"))
        if "event" in fields:
            found.append((fields["event"], json.decode(fields["data"])))
    return found


def test_who_listens_hears_at_once_and_then_every_second() -> None:
    served = Served()
    connection = served.listen()
    first = dict(events(connection))
    assert first["now"]["now"]["totals"]["hosts"] == 3
    assert {"hosts", "errors", "items"} <= first.keys()
    served.clock.advance(1)
    ((name, data),) = events(connection)
    assert (name, data["now"]["job"]["spider"]) == ("now", "shop")
    assert data["point"].keys() == {"time", "pages", "items", "bytes", "queued", "p50", "p90", "p99", "lag", "memory"}


def test_hosts_are_told_when_they_have_changed() -> None:
    served = Served()
    connection = served.listen()
    events(connection)
    served.source.tick()
    served.clock.advance(1)
    assert [row["name"] for row in dict(events(connection))["hosts"]] == ["site-0.example", "site-1.example"]


def test_what_is_told_is_read_once_for_all() -> None:
    class Counted(MadeUp):
        asked = 0

        def changes(self, since: int) -> Changes:
            self.asked += 1
            return super().changes(since)

    source = Counted()
    served = Served(source=source)
    connections = [served.listen() for _ in range(MAX_STREAMS)]
    source.asked = 0
    source.tick()
    served.clock.advance(1)
    assert source.asked == 1
    assert len({connection.written for connection in connections[1:]}) == 1


def test_while_nobody_listens_nothing_is_done() -> None:
    served = Served()
    assert served.clock.getDelayedCalls() == []
    connection = served.listen()
    assert len(served.clock.getDelayedCalls()) == 1
    connection.lose()
    served.clock.advance(1)
    assert served.clock.getDelayedCalls() == []


def test_of_a_thousand_event_streams_the_most_are_served_and_the_others_told_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = Served()
    answered = []
    for _ in range(1000):
        connection = served.listen()
        answered.append(connection.wire.value()[9:12])
        if answered[-1] != b"200":
            connection.lose()
    assert answered == [b"200"] * MAX_STREAMS + [b"503"] * (1000 - MAX_STREAMS)
    reply = served.ask("/events")
    assert (reply.headers["retry-after"], "close one" in reply.values()["error"]) == ("10", True)
    assert served.ask("/api/now").status == 200
    assert [record.getMessage() for record in caplog.records] == [
        f"The status page refused an event stream beyond {MAX_STREAMS}; no more of the kind are logged"
    ]


def test_a_place_is_free_again_when_a_reader_leaves() -> None:
    served = Served()
    connections = [served.listen() for _ in range(MAX_STREAMS)]
    connections[3].lose()
    assert served.listen().wire.value()[9:12] == b"200"


def test_who_stops_reading_is_written_no_more_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    slow, quick = served.listen(), served.listen()
    slow.written, slow.channel.pauseProducing()  # as its transport says once 64 kB wait to be sent
    for _ in range(MAX_MISSED):
        served.source.tick()
        served.clock.advance(1)
    assert (slow.written, slow.lost) == (b"", False)
    served.clock.advance(1)
    assert slow.lost
    assert len(events(quick)) > MAX_MISSED
    assert [record.getMessage() for record in caplog.records] == [
        "The status page refused an event stream that nobody reads; no more of the kind are logged"
    ]


def test_who_reads_again_in_time_hears_all_that_changed_meanwhile_once() -> None:
    served = Served()
    connection = served.listen()
    events(connection)
    connection.channel.pauseProducing()
    for _ in range(MAX_MISSED - 1):
        served.source.tick()
        served.clock.advance(1)
    connection.channel.resumeProducing()
    served.clock.advance(1)
    told = events(connection)
    assert [name for name, _ in told].count("hosts") == 1
    assert dict(told)["hosts"][0]["pages"] == MAX_MISSED - 1


def test_the_end_of_the_crawl_is_the_last_that_is_heard() -> None:
    served = Served()
    connections = [served.listen() for _ in range(3)]
    for connection in connections:
        events(connection)
    served.source.state = "finished"
    served.streams.end()
    for connection in connections:
        written = connection.wire.value()
        told = events(connection)
        assert told[0][1]["now"]["job"]["state"] == "finished"
        name, last = told[-1]
        assert name == "end"
        assert last.keys() == {"hosts", "errors", "items", "slow", "settings", "feeds", "workers", "history"}
        assert last["hosts"]["total"] == 3
        assert written.endswith(b"0\r\n\r\n")
    assert served.listen().wire.value()[9:12] == b"503"


def test_an_error_of_the_source_ends_neither_the_stream_nor_the_crawl(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MadeUp):
        broken = True

        def newest(self) -> Any:
            if self.broken:
                raise RuntimeError("broken")
            return super().newest()

    source = Broken()
    served = Served(source=source)
    connection = served.listen()
    served.clock.advance(5)
    source.broken = False
    served.clock.advance(1)
    assert dict(events(connection))["now"]
    assert len(caplog.records) == 1


def test_head_of_the_events_ends() -> None:
    served = Served()
    connection = served.connect()
    reply = connection.ask("/events", "HEAD")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream")
    connection.send(request("/api/now", authorization=f"Bearer {TOKEN}"))
    assert connection.reply().status == 200


class Odd(MadeUp):
    """A crawl one of whose errors says what UTF-8 cannot write."""

    def errors(self) -> list[ErrorKind]:
        return [replace(kind, message="half \ud800") for kind in super().errors()]


def test_half_of_a_surrogate_pair_takes_no_list_and_no_end_away(caplog: pytest.LogCaptureFixture) -> None:
    served = Served(source=Odd())
    assert loads(served.ask("/api/errors").body)[0]["message"] == "half \ud800"
    connection = served.listen()
    assert connection.written
    served.streams.end()
    assert b'"half \\ud800"' in connection.written
    assert caplog.records == []
