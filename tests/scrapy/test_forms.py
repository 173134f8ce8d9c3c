"""Is a form sent as a browser sends it?"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import pytest

from crawler.errors import InvalidRequest
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import fingerprint
from crawler.scrapy.forms import FormRequest


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
    assert request.body == b"_charset_=windows-1251&a=%C6"
    assert request.encoding == "cp1251"
    assert FormRequest.from_response(page("<form method=dialog><input name=a value=1>")).method == "GET"


def body_of(html: str, encoding: str = "utf-8", **arguments: Any) -> tuple[bytes, bytes]:
    """Return the body of a form that is posted, its boundary as B, and its Content-Type."""
    request = FormRequest.from_response(page(html, encoding), **arguments)
    assert request.method == "POST"
    kind, _, boundary = request.headers["Content-Type"].partition(b"; boundary=")
    if boundary:
        assert re.fullmatch(rb"[0-9A-Za-z'()+_,./:=?-]{1,70}", boundary)  # RFC 2046 section 5.1.1
    return request.body.replace(boundary, b"B") if boundary else request.body, kind


FIELDS = """<input name=a value="1&amp;2"><input name='q"x' value=é><input type=file name=f>
<textarea name=t>
1
2</textarea><button name=go value=Go>"""


def test_a_multipart_form() -> None:
    body, kind = body_of(f"<form method=post enctype='Multipart/Form-Data'>{FIELDS}")
    assert kind == b"multipart/form-data"
    assert body == (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1&2\r\n'
        b'--B\r\nContent-Disposition: form-data; name="q%22x"\r\n\r\n\xc3\xa9\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n"
        b'--B\r\nContent-Disposition: form-data; name="t"\r\n\r\n1\r\n2\r\n'
        b'--B\r\nContent-Disposition: form-data; name="go"\r\n\r\nGo\r\n'
        b"--B--\r\n"
    )
    html = f"<form method=post enctype=multipart/form-data>{FIELDS}"
    one, again = (FormRequest.from_response(page(html)) for _ in range(2))
    assert fingerprint(one) == fingerprint(again)
    assert fingerprint(one) != fingerprint(FormRequest.from_response(page(html), formdata={"a": "3"}))
    assert (
        b"\r\n\xa4\r\n"
        in body_of("<form method=post enctype=multipart/form-data><input name=a value=€>", "iso-8859-15")[0]
    )
    assert body_of("<form method=post enctype=multipart/form-data>") == (b"--B--\r\n", b"multipart/form-data")


def test_a_plain_form() -> None:
    body, kind = body_of(f"<form method=post enctype=text/plain>{FIELDS}", formdata={"n": [1, None, 2], "a": None})
    assert (kind, body) == (b"text/plain", 'q"x=é\r\nf=\r\nt=1\r\n2\r\ngo=Go\r\nn=1\r\nn=2\r\n'.encode())


@pytest.mark.parametrize(
    ("form", "button", "kind"),
    [
        ("enctype=multipart/form-data", "formenctype=text/plain", b"text/plain"),
        ("enctype=text/plain", "formenctype=x", b"application/x-www-form-urlencoded"),
        ("enctype=nonsense", "", b"application/x-www-form-urlencoded"),
        ("enctype=text/plain", "type=button formenctype=multipart/form-data", b"text/plain"),
    ],
)
def test_the_button_may_say_how_it_is_encoded(form: str, button: str, kind: bytes) -> None:
    assert body_of(f"<form method=post {form}><input name=a value=1><button {button}>")[1] == kind


def test_a_query_is_urlencoded_whatever_the_form_says() -> None:
    request = FormRequest.from_response(
        page("<form enctype=multipart/form-data action='/s?old=1'><input name=a value='1 2'>")
    )
    assert (request.method, request.url, request.body) == ("GET", "http://x.org/s?a=1+2", b"")
    assert "Content-Type" not in request.headers


def test_files_that_are_given_take_the_place_of_the_pages_input() -> None:
    html = f"<form method=post enctype=multipart/form-data>{FIELDS}"
    request = FormRequest.from_response(page(html), files={"f": ("a.txt", BytesIO(b"x"))})
    assert parse_qsl(request.body.decode()) == [("a", "1&2"), ('q"x', "é"), ("t", "1\r\n2"), ("go", "Go")]
    assert list(request.meta["files"]) == ["f"]


@pytest.mark.parametrize("enctype", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])
def test_line_ends_are_cr_lf_and_a_text_has_none(enctype: str) -> None:
    html = f"""<form method=post enctype={enctype}><input type=hidden name=h value="1&#10;2&#13;3&#13;&#10;4">
    <input name=t value="1&#10;2&#13;3"><input type=password name=p value="1&#10;2">
    <input type=odd name=o value="1&#10;">
    <input type=checkbox name=c checked value="1&#10;2"><textarea name=a>1\r\n2\n\n</textarea>"""
    body, _ = body_of(html, formdata={"mine": "1\n2\r\n", "raw": b"1\n2"})
    text = unquote_plus(body.decode())
    assert "1\r\n2\r\n3\r\n4" in text
    assert text.count("123") == 1
    assert "1\r\n2\r\n\r\n" in text
    assert "\n" not in text.replace("\r\n", "").replace("1\n2", "", 1)
    assert "1\n2" in text


@pytest.mark.parametrize(
    ("select", "values"),
    [
        ("<select name=s size=4><option value=1><option value=2></select>", []),
        ("<select name=s size=4><option value=1><option value=2 selected></select>", ["2"]),
        ("<select name=s size=1><option value=1 disabled><option value=2></select>", ["2"]),
        ("<select name=s size=0><option value=1></select>", ["1"]),
        ("<select name=s size=x><option value=1></select>", ["1"]),
        ("<select name=s size=' +2px'><option value=1></select>", []),
        ("<select name=s size=1 multiple><option value=1></select>", []),
        ("<select name=s size=1><option disabled selected value=1><option value=2></select>", []),
        ("<select name=s><option selected value=1><option selected disabled value=2></select>", []),
        ("<select name=s multiple><option selected value=1><option selected disabled value=2></select>", ["1"]),
        ("<select name=s><optgroup disabled><option value=1></optgroup><option value=2></select>", ["2"]),
        ("<select name=s><option>\u00a0 a \n b<!-- c --> <b>d</b> </select>", ["\u00a0 a b d"]),
        ("<select name=s><option value=''>x</select>", [""]),
        ("<select name=s disabled><option value=1></select>", []),
    ],
)
def test_what_a_select_says(select: str, values: list[str]) -> None:
    assert [value for _, value in sent(f"<form method=post>{select}")] == values


@pytest.mark.parametrize(
    ("attributes", "value"),
    [
        ("type=text value=' a\n'", " a"),
        ("type=url value=' http://x\n '", "http://x"),
        ("type=email value=' a@b '", "a@b"),
        ("type=email multiple value=' a@b , c@d'", "a@b,c@d"),
        ("type=number value=1e3", "1e3"),
        ("type=number value=' 5'", ""),
        ("type=number value=1,5", ""),
        ("type=range", "50"),
        ("type=range min=10 max=20 value=5", "10"),
        ("type=range min=10 max=20 value=x", "15"),
        ("type=range min=-5 max=5 step=3 value=0", "1"),
        ("type=range max=1 step=any value=.25", ".25"),
        ("type=range min=120 value=3", "120"),
        ("type=range step=30 max=50 value=49", "49"),
        ("type=color", "#000000"),
        ("type=color value=#ABCDEF", "#abcdef"),
        ("type=color value=red", "#000000"),
        ("type=date value=2024-02-29", "2024-02-29"),
        ("type=date value=2023-02-29", ""),
        ("type=date value=1.2.2024", ""),
        ("type=month value=2024-13", ""),
        ("type=week value=2024-W09", "2024-W09"),
        ("type=time value=24:00", ""),
        ("type=time value=23:59:59.5", "23:59:59.5"),
        ("type=datetime-local value='2024-02-29 10:00:00'", "2024-02-29T10:00"),
        ("type=datetime-local value=2024-02-29T10:00:01.500", "2024-02-29T10:00:01.5"),
        ("type=datetime-local value=2024-02-29", ""),
        ("type=hidden value=' a\n'", " a\r\n"),
        ("type=nonsense value='a\n'", "a"),
        ("type=checkbox checked", "on"),
        ("type=radio checked value=''", ""),
    ],
)
def test_what_an_input_of_each_type_says(attributes: str, value: str) -> None:
    assert sent(f"<form method=post><input name=i {attributes}>") == [("i", value)]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<input type=radio name=r value=1 checked><input type=radio name=r value=2 checked>", [("r", "2")]),
        ("<template><input name=t value=1></template>", []),
        ("<input form='' name=a value=1>", []),
        ("<textarea name=a>\r\n\r\n&lt;b><!--x--></textarea>", [("a", "\r\n<b><!--x-->")]),
        ("<input name=a value=x dirname=a.dir><textarea name=b dirname=b.dir dir=auto>12 \u05d0</textarea>",
         [("a", "x"), ("a.dir", "ltr"), ("b", "12 \u05d0"), ("b.dir", "rtl")]),
        ("<p dir=RTL><input type=date name=a dirname=a.dir><input name=b dirname=b.dir>",
         [("a", ""), ("b", ""), ("b.dir", "rtl")]),
        ("<input type=hidden name=_CHARSET_ value=x>", [("_CHARSET_", "UTF-8")]),
        ("<button type=nonsense name=b value=1>", [("b", "1")]),
        ("<input type=submit value=nameless><button name=b value=1>", []),
        ("<fieldset disabled><legend><legend></legend><input name=in value=1></legend>"
         "<legend><input name=second></legend></fieldset>", [("in", "1")]),
    ],
)  # fmt: skip
def test_odd_controls(html: str, expected: list[tuple[str, str]]) -> None:
    assert sent(f"<form method=post>{html}") == expected


def test_none_is_left_out() -> None:
    assert FormRequest("http://x.org/", formdata={"a": None, "b": "1", "c": [None, 2]}).body == b"b=1&c=2"
    assert Request("http://x.org/", data=[("a", None), ("b", 0)]).body == b"b=0"
    assert FormRequest("http://x.org/", method="GET", formdata={"a": None, "b": ""}).url == "http://x.org/?b="


def test_a_file_as_a_value_says_where_files_go() -> None:
    for made in (
        lambda: Request("http://x.org/", data={"f": BytesIO(b"x")}),
        lambda: sent(LOGIN, formdata={"f": BytesIO()}),
    ):
        with pytest.raises(InvalidRequest, match=r"files=\{'f': …\}"):
            made()


def test_data_is_another_name_for_formdata() -> None:
    request = Request.from_form(page(LOGIN), formid="login", data={"user": "ann"})
    assert ("user", "ann") in parse_qsl(request.body.decode())


def test_an_empty_action_of_the_button_is_the_page() -> None:
    body = "<form action=/a method=post><button formaction='' name=n value=v>"
    assert FormRequest.from_response(page(body)).url == "http://x.org/a/login?x=1"
