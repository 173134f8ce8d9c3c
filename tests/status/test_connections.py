"""What of a client is bounded? Head, body, time, connections; each is refused by name, while it is read."""

from __future__ import annotations

from random import Random

import pytest

from crawler.status.channel import FLUSH_SECONDS, LINGER_SECONDS, MAX_CONNECTIONS, SECONDS
from crawler.status.exchange import MAX_BODY
from tests.status.wire import HOST, TOKEN, Connection, Served, request

OPEN = {"authorization": f"Bearer {TOKEN}"}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_long_body_is_refused_before_any_of_it_is_read() -> None:
    connection = Served(control=True).connect()
    connection.send(request("/do", "POST", content_length="10000000000", **OPEN))
    reply = connection.reply()
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert str(MAX_BODY) in reply.body.decode()


def test_a_length_of_thousands_of_digits_is_refused_and_no_error_of_the_crawl(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    for _ in range(2):
        connection = served.connect()
        connection.send(request("/do", "POST", content_length="9" * 6000) + request("/api/now", **OPEN))
        reply = connection.written
        assert reply.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert reply.count(b"\r\n\r\n") == 1
    assert len(lines(caplog)) == 1
    assert "no more of the kind" in lines(caplog)[0]


def test_a_body_without_a_length_is_refused_while_it_is_read() -> None:
    connection = Served(control=True).connect()
    connection.send(request("/do", "POST", transfer_encoding="chunked", **OPEN))
    sent = 0
    while not (written := connection.written):
        connection.send(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        sent += 0x1000
        assert sent <= 2 * MAX_BODY
    assert written.startswith(b"HTTP/1.1 413 Request Entity Too Large\r\n")
    connection.send(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
    assert connection.written == b""


def test_a_body_of_the_most_bytes_is_read() -> None:
    served = Served(control=True)
    headers = {"cookie": served.cookie(), "origin": f"http://{HOST}"}
    body = b"words=" + b"x" * (MAX_BODY - 6)
    reply = served.ask("/do", "POST", body=body, content_type="application/x-www-form-urlencoded", **headers)
    assert reply.status == 403  # no CSRF token in it


def test_a_client_that_was_sent_away_is_heard_no_more_and_closed_in_the_end() -> None:
    served = Served(control=True)
    connection = served.connect()
    connection.send(request("/do", "POST", content_length="70000") + b"x" * 70_000 + request("/api/now", **OPEN))
    assert connection.written.count(b"HTTP/1.1 ") == 1
    assert connection.wire.half_closed
    connection.send(b"y" * 1_000_000)
    served.clock.advance(LINGER_SECONDS - 0.1)
    assert not connection.lost
    served.clock.advance(0.1)
    assert connection.lost
    assert served.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "trickle",
    [b"G" * 200, request("/api/now").rstrip() + b"x" * 200, request("/do", "POST", content_length="1000") + b"x" * 900],
    ids=["request line", "headers", "body"],
)
def test_a_request_that_trickles_is_ended_in_time(trickle: bytes, caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    connection = served.connect()
    answer = b""
    for byte in trickle:
        if not answer:
            connection.send(bytes([byte]))
            served.clock.advance(0.5)
            answer = connection.written
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert served.clock.seconds() == SECONDS
    assert lines(caplog) == ["The status page refused a request that came too slowly; no more of the kind are logged"]


def test_a_connection_that_is_not_used_is_closed_silently(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    served = Served()
    connection = served.connect()
    served.clock.advance(SECONDS - 1)
    assert connection.ask("/api/now").status == 200
    served.clock.advance(SECONDS - 1)
    assert not connection.wire.disconnecting
    served.clock.advance(1)
    assert connection.wire.disconnecting
    assert connection.written == b""
    assert lines(caplog) == []


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000,
        b"GET /" + b"x" * 20_000,
        b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: x\r\n" % number for number in range(100)) + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: %b\r\n" % (number, b"x" * 1000) for number in range(30)) + b"\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"\x00" * 40_000,
    ],
)
def test_a_malformed_or_large_head_is_refused_by_name(head: bytes, caplog: pytest.LogCaptureFixture) -> None:
    connection = Served().connect()
    connection.send(head)
    assert connection.reply().status == 400
    connection.send(request("/api/now", **OPEN))
    assert connection.written == b""
    assert len(caplog.records) == 1


def test_bytes_one_by_one_make_a_request() -> None:
    connection = Served().connect()
    for byte in request("/api/now", **OPEN):
        connection.send(bytes([byte]))
    assert connection.reply().status == 200


def test_requests_of_one_connection_are_answered_in_turn() -> None:
    connection = Served().connect()
    connection.send(request("/api/now", **OPEN) + request("/", "HEAD", **OPEN) + request("/api/items", **OPEN))
    assert [reply[:3] for reply in connection.written.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"200"]


def test_after_a_refusal_nothing_else_of_a_connection_is_answered() -> None:
    served = Served()
    connection = served.connect()
    connection.send(request("/api/now") * 100)
    assert connection.written.count(b"HTTP/1.1 401") == 1
    assert connection.wire.disconnecting
    served.clock.advance(FLUSH_SECONDS)  # and who does not read that is closed
    assert connection.lost


def test_http_1_0_is_told_what_would_be_right() -> None:
    connection = Served().connect()
    connection.send(request("/api/now", **OPEN).replace(b"HTTP/1.1", b"HTTP/1.0"))
    reply = connection.reply()
    assert (reply.status, b"HTTP/1.1" in reply.body) == (505, True)


def test_connections_are_bounded_and_those_that_are_sent_away_too(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    connections = [served.connect() for _ in range(1000)]
    states = [connection.written[9:12] for connection in connections]
    assert states[:MAX_CONNECTIONS] == [b""] * MAX_CONNECTIONS
    assert states[MAX_CONNECTIONS : 2 * MAX_CONNECTIONS] == [b"503"] * MAX_CONNECTIONS
    assert all(connection.lost for connection in connections[2 * MAX_CONNECTIONS :])
    assert lines(caplog) == [
        f"The status page refused a connection beyond {MAX_CONNECTIONS}; no more of the kind are logged"
    ]
    for connection in connections:
        connection.lose()
    assert served.ask("/api/now").status == 200
    assert served.clock.getDelayedCalls() == []


def test_a_client_that_leaves_in_the_midst_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    for data in (b"", b"GET / HT", request("/do", "POST", content_length="9") + b"x", request("/api/now", **OPEN)):
        connection: Connection = served.connect()
        connection.send(data)
        connection.lose()
    assert served.site.connections == set()
    assert served.clock.getDelayedCalls() == []
    assert lines(caplog) == []


def test_whatever_bytes_come_they_are_answered_or_refused_and_nothing_breaks(caplog: pytest.LogCaptureFixture) -> None:
    random = Random(13)
    good = [
        request("/api/hosts?page=1", **OPEN),
        request("/do", "POST", body=b"words=stop", content_type="application/x-www-form-urlencoded", **OPEN),
        request("/do", "POST", transfer_encoding="chunked", expect="100-continue") + b"3\r\nabc\r\n0\r\n\r\n",
        request("/events", **OPEN),
    ]
    served = Served()
    for _ in range(1500):
        data = bytearray(b"".join(random.choices(good, k=random.randint(1, 3))))
        for _ in range(random.randint(0, 6)):
            at = random.randrange(len(data))
            data[at : at + random.randint(0, 3)] = random.choice((b"", b"\r\n", b"\0", b" ", b":", b"\xff", b"9" * 30))
        connection = served.connect()
        while data and not connection.lost:
            cut = random.randint(1, len(data))
            connection.send(bytes(data[:cut]))
            del data[:cut]
        connection.lose()
    assert served.site.connections == set()
    assert [record.getMessage() for record in caplog.records if record.levelname != "WARNING"] == []


def test_the_end_of_the_crawl_waits_for_who_reads_slowly_a_moment_only() -> None:
    served = Served()
    listening, idle = served.listen(), served.connect()
    served.streams.end()
    closed = served.site.close()
    idle.lose()
    assert (listening.wire.disconnecting, closed.called) == (True, False)
    served.clock.advance(LINGER_SECONDS)
    assert (listening.lost, closed.called) == (True, True)
    assert served.clock.getDelayedCalls() == []
