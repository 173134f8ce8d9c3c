"""Is a form sent as a browser sends it?"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from crawler.errors import InvalidRequest
from crawler.model.forms import FormRequest
from crawler.model.request import Request
from crawler.model.response import Response


def page(body: str, encoding: str = "utf-8") -> Response:
    headers = {"Content-Type": f"text/html; charset={encoding}"}
    return Response("http://x.org/a/login?x=1", body=body.encode(encoding), headers=headers)


def sent(body: str, **arguments: Any) -> list[tuple[str, str]]:
    request = FormRequest.from_response(page(body), **arguments)
    data = request.body.decode() if request.method == "POST" else request.url.partition("?")[2]
    return parse_qsl(data, keep_blank_values=True)


LOGIN = """<form name=search action=/find><input name=q></form>
<form id=login name=in action="do?k=1" method=post>
<input type=hidden name=csrf value="t0ken&amp;"><input name=user value=me><input type=password name=pass>
<input type=checkbox name=keep checked><input type=submit name=go value=Go><button name=no value=1>No</button>
</form>"""


def test_a_login_with_a_token() -> None:
    request = FormRequest.from_response(
        page(LOGIN), formid="login", formdata={"user": "ann", "pass": "s&cret"}, callback=print, meta={"a": 1}
    )
    assert type(request) is FormRequest
    assert (request.url, request.method) == ("http://x.org/a/do?k=1", "POST")
    assert parse_qsl(request.body.decode()) == [
        ("csrf", "t0ken&"),
        ("keep", "on"),
        ("go", "Go"),
        ("user", "ann"),
        ("pass", "s&cret"),
    ]
    assert request.headers["Content-Type"] == b"application/x-www-form-urlencoded"
    assert (request.callback, request.meta) == (print, {"a": 1})
    assert type(Request.from_form(page(LOGIN), formname="in")) is Request


@pytest.mark.parametrize(
    "where",
    [
        {"formname": "in"},
        {"formid": "login"},
        {"formnumber": 1},
        {"formxpath": "//input[@name='csrf']"},
        {"formcss": "form[method=post]"},
        {"formnumber": -1},
    ],
)
def test_ways_to_name_a_form(where: dict[str, Any]) -> None:
    assert FormRequest.from_response(page(LOGIN), **where).url == "http://x.org/a/do?k=1"


@pytest.mark.parametrize(
    "where", [{"formname": "x"}, {"formid": "x"}, {"formnumber": 9}, {"formxpath": "//x"}, {"formcss": "x"}]
)
def test_a_form_that_is_not_there_lists_those_that_are(where: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"no form.*forms there: 0: name='search'.*fields q; 1:.*csrf user pass"):
        FormRequest.from_response(page(LOGIN), **where)
    with pytest.raises(InvalidRequest, match="it has none"):
        FormRequest.from_response(page("<p>"), **where)


def test_a_get_form_goes_into_the_query() -> None:
    request = FormRequest.from_response(page(LOGIN), formdata={"q": "a b"})
    assert (request.method, request.url, request.body) == ("GET", "http://x.org/find?q=a+b", b"")
    # The form's data replaces the query of the page itself, where there is no action.
    assert FormRequest.from_response(page("<form><input name=a value=b>")).url == "http://x.org/a/login?a=b"


CONTROLS = """<form method=POST>
<input name=text value=v><input name=empty><input value=unnamed><input name=off value=1 disabled>
<input type=radio name=r value=1><input type=radio name=r value=2 checked><input type=radio name=s value=1>
<input type=checkbox name=c value=1 checked><input type=checkbox name=c value=2 checked><input type=CHECKBOX name=d>
<input type=reset name=re value=1><input type=button name=bu value=1><input type=file name=f>
<select name=one><option value=1>a<option value=2 selected>b</select>
<select name=first><option disabled>no<option> two  words </select>
<select name=many multiple><option value=1 selected><option value=2 selected><option value=3></select>
<select name=none multiple><option value=1></select><select name=nil></select>
<textarea name=area>
 a
b</textarea>
<fieldset disabled><legend><input name=leg value=1></legend><input name=fs value=1></fieldset>
<datalist><input name=dl value=1></datalist>
<button type=button name=b1>x</button><button name=b2 value=2>y</button><input type=image name=img>
</form><input form=other name=outside value=1>"""


def test_every_control() -> None:
    assert sent(CONTROLS) == [
        ("text", "v"),
        ("empty", ""),
        ("r", "2"),
        ("c", "1"),
        ("c", "2"),
        ("f", ""),
        ("one", "2"),
        ("first", "two words"),
        ("many", "1"),
        ("many", "2"),
        ("area", " a\r\nb"),
        ("leg", "1"),
        ("b2", "2"),
    ]


def test_controls_elsewhere_belong_by_their_form_attribute() -> None:
    body = (
        "<form id=a method=post><input name=x value=1><input form=b name=y value=2></form><input form=a name=z value=3>"
    )
    assert sent(body) == [("x", "1"), ("z", "3")]


@pytest.mark.parametrize(
    ("click", "expected"),
    [
        ({"dont_click": True}, []),
        ({}, [("go", "Go")]),
        ({"clickdata": {"name": "no"}}, [("no", "1")]),
        ({"clickdata": {"nr": 5}}, [("no", "1")]),
        ({"clickdata": {"value": "Go", "type": "submit"}}, [("go", "Go")]),
    ],
)
def test_clicks(click: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [pair for pair in sent(LOGIN, formid="login", **click) if pair[0] in ("go", "no")] == expected


def test_a_click_on_nothing_lists_the_buttons() -> None:
    with pytest.raises(InvalidRequest, match=r"buttons of the form: .*'go'.*'no'"):
        sent(LOGIN, formid="login", clickdata={"name": "x"})
    with pytest.raises(InvalidRequest, match="2 elements"):
        sent("<form><input type=submit name=a><input type=submit name=a>", clickdata={"name": "a"})


def test_an_image_says_where_and_a_button_may_redirect_the_form() -> None:
    assert sent("<form method=post><input type=image name=i>") == [("i.x", "0"), ("i.y", "0")]
    body = "<form action=/a><button formaction=/b formmethod=post name=n value=v>"
    request = FormRequest.from_response(page(body))
    assert (request.method, request.url, request.body) == ("POST", "http://x.org/b", b"n=v")


def test_given_data_goes_over_the_forms() -> None:
    body = "<form method=post><input name=a value=1><input name=b value=2>"
    assert sent(body, formdata={"a": "x"}) == [("b", "2"), ("a", "x")]
    assert sent(body, formdata={"a": None}) == [("b", "2")]
    assert sent(body, formdata=[("a", "x"), ("a", "y")]) == [("b", "2"), ("a", "x"), ("a", "y")]
    assert sent(body, formdata={"c": ["1", "2"]})[2:] == [("c", "1"), ("c", "2")]
    with pytest.raises(InvalidRequest, match="mapping or pairs"):
        sent(body, formdata=[1])
    request = FormRequest.from_response(page(body), url="/other", method="GET")
    assert request.url == "http://x.org/other?a=1&b=2"


def test_base_and_encodings() -> None:
    response = page("<base href=/q/><form action=' go ' method=post><input name=é value=€ä>", "iso-8859-15")
    request = FormRequest.from_response(response)
    assert request.url == "http://x.org/q/go"
    assert request.body == b"%E9=%A4%E4"
    body = "<form accept-charset='nonsense windows-1251' method=post><input name=_charset_ type=hidden>"
    body += "<input name=a value=Ж>"
    request = FormRequest.from_response(page(body))
    assert request.body == b"_charset_=cp1251&a=%C6"
    assert request.encoding == "cp1251"
    assert FormRequest.from_response(page("<form method=dialog><input name=a value=1>")).method == "GET"
