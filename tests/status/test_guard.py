"""Who is let in, who may act, and what is everyone else told?"""

from __future__ import annotations

import pytest

from crawler.status.asked import Asked, Refused
from crawler.status.guard import Guard
from tests.status.wire import HOST, PORT, TOKEN


def asked(
    method: str = "GET",
    path: str = "/api/now",
    *,
    local: str = "127.0.0.1",
    token: str | None = None,
    **headers: str,
) -> Asked:
    """``token``: that of a query."""
    named = {name.replace("_", "-"): value for name, value in {"host": HOST, **headers}.items()}
    return Asked(method, path, query={} if token is None else {"token": token}, headers=named, local=local)


def bearer(method: str = "GET", *, local: str = "127.0.0.1", **headers: str) -> Asked:
    return asked(method, local=local, authorization=f"Bearer {TOKEN}", **headers)


@pytest.fixture
def guard() -> Guard:
    return Guard(TOKEN, port=PORT)


def cookie_of(guard: Guard, host: str = HOST) -> str:
    opened = Asked("GET", "/", query={"token": TOKEN}, headers={"host": host}, local="127.0.0.1")
    return guard.enter(opened).partition(";")[0]


def refused(guard: Guard, asked: Asked) -> Refused:
    with pytest.raises(Refused) as caught:
        guard.allow(asked)
    return caught.value


def test_the_token_is_asked_for(guard: Guard) -> None:
    found = refused(guard, asked())
    assert (found.status, found.kind) == (401, "a request without its token")
    assert ("WWW-Authenticate", "Bearer") in found.headers
    assert guard.allow(bearer()) == ""


@pytest.mark.parametrize("given", ["", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ü\udcff", f"x {TOKEN}"])
def test_another_token_is_none(guard: Guard, given: str) -> None:
    assert refused(guard, asked(authorization=f"Bearer {given}")).kind == "a request with a wrong token"
    with pytest.raises(Refused, match="this is not the token"):
        guard.enter(asked(path="/", token=given))


def test_no_other_scheme_carries_the_token(guard: Guard) -> None:
    assert refused(guard, asked(authorization=f"Basic {TOKEN}")).status == 401
    assert refused(guard, asked(authorization=TOKEN)).status == 401


def test_the_printed_address_gives_a_cookie_for_this_port_that_no_script_and_no_other_site_gets(guard: Guard) -> None:
    opened = asked(path="/", token=TOKEN)
    cookie = guard.enter(opened)
    assert cookie.startswith(f"crawler-{PORT}=")
    assert cookie.endswith("; HttpOnly; SameSite=Strict; Path=/")
    assert TOKEN not in cookie
    assert guard.enter(opened) != cookie  # each session has its own


def test_the_cookie_lets_in_beside_the_malformed_ones_of_other_programs(guard: Guard) -> None:
    assert guard.allow(asked(cookie=f'other={{"a": "b"}}; x; {cookie_of(guard)}; z=[,]'))


def test_a_cookie_that_was_not_made_here_is_none(guard: Guard) -> None:
    name, _, value = cookie_of(guard).partition("=")
    session, _, signed = value.partition(".")
    csrf = guard.allow(asked(cookie=f"{name}={value}"))
    for wrong in (session, f"{session}.", f".{signed}", f"x{value}", f"{session}.{csrf}", f"{signed}.{session}", ""):
        assert refused(guard, asked(cookie=f"{name}={wrong}")).status == 401
    assert refused(guard, asked(cookie=f"crawler-{PORT + 1}={value}")).status == 401
    assert refused(Guard(TOKEN, port=PORT), asked(cookie=f"{name}={value}")).status == 401  # of another run
    assert refused(Guard("another token of a crawl", port=PORT), asked(cookie=f"{name}={value}")).status == 401


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_the_names_of_loopback_are_served(guard: Guard, host: str) -> None:
    assert guard.allow(bearer(host=f"{host}:{PORT}")) == ""


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", f"evil.example:{PORT}", f"127.0.0.1.evil.example:{PORT}", f"localhost.evil.example:{PORT}",
        "127.0.0.1", "localhost:80", f"127.0.0.1:{PORT}0", f"127.0.0.1:{PORT}, evil.example", f"127.0.0.1:{PORT}@evil",
        f"evil@127.0.0.1:{PORT}", f"127.0.0.2:{PORT}", "127.0.0.1:", f":{PORT}", f"0.0.0.0:{PORT}",
    ],
)  # fmt: skip
def test_a_foreign_host_is_refused_though_the_token_is_right(guard: Guard, host: str) -> None:
    found = refused(guard, bearer(host=host))
    assert (found.status, found.kind) == (421, "a foreign Host")
    with pytest.raises(Refused, match="not served as"):
        guard.enter(asked(host=host, token=TOKEN))


def test_where_it_listens_beyond_loopback_the_address_that_was_connected_to_is_served() -> None:
    guard = Guard(TOKEN, port=PORT, hosts=["0.0.0.0"])
    assert guard.allow(bearer(host=f"192.0.2.7:{PORT}", local="192.0.2.7")) == ""
    assert guard.allow(bearer(host=f"[2001:db8::7]:{PORT}", local="2001:db8::7")) == ""
    assert refused(guard, bearer(host=f"192.0.2.8:{PORT}", local="192.0.2.7")).status == 421


def test_at_a_unix_socket_the_port_is_that_of_a_tunnel() -> None:
    guard = Guard(TOKEN, port=None)
    assert guard.allow(bearer(host="localhost:9000", local="")) == ""
    assert guard.allow(bearer(host="localhost", local="")) == ""
    assert refused(guard, bearer(host="evil.example:9000", local="")).status == 421
    cookie = cookie_of(guard, "localhost:9000")
    assert cookie.startswith("crawler-9000=")
    assert guard.allow(asked(host="localhost:9000", cookie=cookie, origin="http://localhost:9000"))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": f"http://localhost:{PORT}"},
        {"origin": "http://127.0.0.1"}, {"origin": f"http://127.0.0.1:{PORT}.evil.example"},
        {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"},
        {"origin": f"http://{HOST}", "sec_fetch_site": "cross-site"},
    ],
)  # fmt: skip
@pytest.mark.parametrize(("method", "path"), [("POST", "/do"), ("GET", "/events"), ("GET", "/api/now")])
def test_another_site_is_refused_though_it_has_the_cookie(
    guard: Guard, method: str, path: str, headers: dict[str, str]
) -> None:
    found = refused(guard, asked(method, path, cookie=cookie_of(guard), **headers))
    assert (found.status, found.kind) == (403, "a foreign Origin")


def test_a_request_that_acts_has_to_say_where_it_comes_from(guard: Guard) -> None:
    cookie = cookie_of(guard)
    assert refused(guard, asked("POST", "/do", cookie=cookie)).kind == "a foreign Origin"
    assert guard.allow(asked("POST", "/do", cookie=cookie, origin=f"http://{HOST}"))
    assert guard.allow(asked("POST", "/do", cookie=cookie, sec_fetch_site="same-origin"))


def test_a_link_from_elsewhere_may_open_the_page_and_nothing_else(guard: Guard) -> None:
    followed = {"cookie": cookie_of(guard), "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert guard.allow(asked(path="/", **followed))
    assert refused(guard, asked(path="/api/now", **followed)).status == 403
    assert refused(guard, asked("POST", "/", **followed)).status == 403
    assert refused(guard, asked(path="/", **{**followed, "sec_fetch_mode": "no-cors"})).status == 403


def test_the_token_as_bearer_reads_and_does_not_act(guard: Guard) -> None:
    assert refused(guard, bearer("POST", origin=f"http://{HOST}")).status == 401


def test_a_form_brings_the_token_of_its_own_session(guard: Guard) -> None:
    mine = guard.allow(asked(cookie=cookie_of(guard)))
    others = guard.allow(asked(cookie=cookie_of(guard)))
    guard.check_form(mine, mine)
    for right, given in ((mine, others), (mine, ""), (mine, TOKEN), ("", "")):
        with pytest.raises(Refused, match="no CSRF token of this session"):
            guard.check_form(right, given)
