"""How is a form sent, and one of a page filled in, where a project was written for Scrapy?

By the rules of Scrapy's FormRequest, which are looser than a browser's (``Request.from_form``): what a page disables
is sent as well, the form's own charset and encoding are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from lxml import etree
from parsel.csstranslator import HTMLTranslator
from w3lib.html import strip_html5_whitespace

from crawler.scrapy.http.request import Request

_BUTTONS = ("submit", "image")


class FormRequest(Request):
    """A request with ``formdata``, a mapping or pairs, in its body by POST, or else in its URL's query.

    Raises TypeError for a value that is neither text nor several texts.
    """

    __slots__ = ()

    valid_form_methods: ClassVar[list[str]] = ["GET", "POST"]

    def __init__(self, *args: Any, formdata: Any = None, **kwargs: Any) -> None:
        if formdata and kwargs.get("method") is None:
            kwargs["method"] = "POST"
        super().__init__(*args, **kwargs)
        if formdata:
            encoded = _encoded(formdata.items() if isinstance(formdata, Mapping) else formdata, self.encoding)
            if self.method == "POST":
                self.headers.setdefault(b"Content-Type", b"application/x-www-form-urlencoded")
                self._set_body(encoded)
            else:
                self._set_url(urlunsplit(urlsplit(self.url)._replace(query=encoded)))

    @classmethod
    def from_response(
        cls,
        response: Any,
        formname: str | None = None,
        formid: str | None = None,
        formnumber: int = 0,
        formdata: Any = None,
        clickdata: Mapping[str, Any] | None = None,
        dont_click: bool = False,
        formxpath: str | None = None,
        formcss: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Submit a form of a page, found by name, id, XPath or CSS, or else by number.

        ``formdata`` goes over what the page filled in; a None in it leaves a field out. Raises ValueError where there
        is no such form or button, IndexError for a number that is too high.
        """
        kwargs.setdefault("encoding", response.encoding)
        if formcss is not None:
            formxpath = HTMLTranslator().css_to_xpath(formcss)
        form = _form(response, {"name": formname, "id": formid}, formnumber, formxpath)
        pairs = _pairs(form, formdata, not dont_click, clickdata)
        url = kwargs.pop("url", None)
        if url is None:
            url = strip_html5_whitespace(form.get("action") or "")
        method = kwargs.pop("method", form.method)
        if method is not None and (method := method.upper()) not in cls.valid_form_methods:
            method = "GET"
        return cls(url=urljoin(form.base_url, url), method=method, formdata=pairs, **kwargs)


def _encoded(pairs: Iterable[tuple[Any, Any]], encoding: str) -> str:
    flat = []
    for name, value in pairs:
        several = hasattr(value, "__iter__") and not isinstance(value, str | bytes)
        flat += [(_octets(name, encoding), _octets(each, encoding)) for each in (value if several else [value])]
    return urlencode(flat)


def _octets(value: Any, encoding: str) -> bytes:
    if not isinstance(value, str | bytes):
        raise TypeError(f"form data must be str or bytes, or a list of these, got {type(value).__name__}: {value!r}")
    return value.encode(encoding) if isinstance(value, str) else value


def _form(response: Any, wanted: Mapping[str, str | None], number: int, xpath: str | None) -> Any:
    root = response._tree.root
    forms = root.xpath("//form")
    if not forms:
        raise ValueError(f"No <form> element found in {response}")
    for attribute, value in wanted.items():
        if found := [form for form in forms if value is not None and form.get(attribute) == value]:
            return found[0]
    if xpath is not None:
        nodes = root.xpath(xpath)
        if nodes and (above := next(nodes[0].xpath("ancestor-or-self::form[1]").__iter__(), None)) is not None:
            return above
        raise ValueError(f"No <form> element found with {xpath}")
    try:
        return forms[number]
    except IndexError:
        raise IndexError(f"Form number {number} not found in {response}, which has {len(forms)}") from None


def _clicked(form: Any, wanted: Mapping[str, Any] | None) -> Any:
    """Return the button that is clicked: the first, or the one described; None where there is none."""
    buttons = [control for control in form.iter("input", "button") if _kind(control) in _BUTTONS]
    if not buttons or wanted is None:
        return buttons[0] if buttons else None
    number = wanted.get("nr")
    controls = list(form.inputs)
    if number is not None and -len(controls) <= number < len(controls):
        return controls[number]
    fit = [
        element
        for element in form.iterdescendants(etree.Element)
        if all(element.get(name) == str(value) for name, value in wanted.items())
    ]
    if len(fit) != 1:
        raise ValueError(f"{len(fit) or 'No'} clickable elements matching clickdata: {wanted!r}")
    return fit[0]


def _kind(control: Any) -> str:
    """Return what a control is, as far as it is told apart: a <button> submits unless it says otherwise."""
    kind = control.get("type")
    if control.tag == "button":
        return "submit" if kind is None or kind.lower() == "submit" else ""
    return (kind or "").lower()


def _is_sent(control: Any) -> bool:
    kind = _kind(control)
    if control.tag == "button" or (control.tag == "input" and kind in (*_BUTTONS, "reset")):
        return False
    return kind not in ("checkbox", "radio") or control.tag != "input" or control.get("checked") is not None


def _value(control: Any) -> tuple[str | None, Any]:
    value = control.value
    if control.tag == "select" and value is None and not control.multiple:
        options = control.value_options  # the first, as a browser shows it
        return (control.name, options[0]) if options else (None, None)
    return control.name, value


def _pairs(form: Any, formdata: Any, click: bool, clickdata: Mapping[str, Any] | None) -> list[tuple[Any, Any]]:
    data = formdata or []
    try:
        given = list(data.items() if isinstance(data, Mapping) else data)
        names = dict(given).keys()
    except (ValueError, TypeError):
        raise ValueError(f"formdata should be a dict or iterable of tuples, got {formdata!r}") from None
    sent = map(_value, filter(_is_sent, form.iter("input", "select", "textarea")))
    pairs = [(name, "" if value is None else value) for name, value in sent if name and name not in names]
    button = _clicked(form, clickdata) if click else None
    if button is not None and (name := button.get("name")) is not None and name not in data:
        pairs.append((name, button.get("value") or ""))
    return pairs + [(name, value) for name, value in given if value is not None]
