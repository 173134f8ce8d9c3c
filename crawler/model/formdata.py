"""What would a browser send when this form is submitted?

The rules are those of https://html.spec.whatwg.org/#form-submission-algorithm. Files need ``Request(files=…)``.
How a form travels that is not urlencoded: #multipart-form-data and #plain-text-form-data. The boundary is made of
the content, so that the same form is the same request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import urlencode

from crawler.model.checks import is_plain
from crawler.model.controls import NoFile, controls_of, entries, is_clickable
from crawler.model.fields import Files, FormData
from crawler.model.invalid import InvalidRequest
from crawler.model.labels import codec_of
from crawler.model.octets import encode, output_encoding

if TYPE_CHECKING:  # lxml and parsel take 40 ms to import, which a store or a command has no use for
    from lxml import etree

    from crawler.model.selector import Page

_NEWLINES = re.compile("\r\n|\r|\n")
_ENCTYPES = frozenset(("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"))

Text: TypeAlias = str | bytes


class Submission(NamedTuple):
    """A form, filled in: where it goes, how, with which pairs, in which encoding. ``pairs`` have one str or bytes
    for each value, with line ends as they are sent."""

    url: str
    method: str
    enctype: str
    pairs: list[tuple[str | bytes, str | bytes]]
    encoding: str


def form_encoded(data: FormData, encoding: str = "utf-8") -> str:
    """Return application/x-www-form-urlencoded text; a list as value gives the name several times, None leaves
    it out. Raises InvalidRequest."""
    return urlencode([(_octets(name, encoding), _octets(value, encoding)) for name, value in _flat(data)])


def _flat(data: FormData) -> list[tuple[str | bytes, str | bytes]]:
    """Return form data as pairs of texts."""
    if isinstance(data, str | bytes):
        raise InvalidRequest("form data must be a mapping or pairs; for text use body=")
    pairs = []
    try:
        for pair in data.items() if isinstance(data, Mapping) else data:
            if isinstance(pair, str | bytes):
                raise TypeError("a text is no pair")
            name, value = pair
            if isinstance(value, Mapping):
                raise InvalidRequest(f"form field {name!r} must be text, a number or a list of these, got a dict")
            values = value if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
            if hasattr(value, "read"):
                raise InvalidRequest(f"the value of {name!r} in form data is a file; files go by files={{{name!r}: …}}")
            pairs += [(_text(name), _text(each)) for each in values if each is not None]
    except InvalidRequest:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"form data must be a mapping or pairs, got {data!r}") from error
    return pairs


def _text(value: Any) -> str | bytes:
    if isinstance(value, str | bytes):
        return value
    if not is_plain(value):
        raise InvalidRequest(f"form data has a {type(value).__name__} where text, a number or a list of these fits")
    return str(value)


def _octets(value: str | bytes, encoding: str) -> bytes:
    # The standard sends what the encoding lacks as a numeric character reference.
    return value if isinstance(value, bytes) else encode(value, output_encoding(encoding), "&#{};")


def submission(
    page: Page,
    *,
    name: str | None = None,
    id: str | None = None,  # noqa: A002  the attribute's name
    number: int = 0,
    xpath: str | None = None,
    css: str | None = None,
    data: FormData | None = None,
    click: Mapping[str, Any] | None = None,
    dont_click: bool = False,
    files: Files | None = None,
) -> Submission:
    """Fill in and submit a form of a page; raises InvalidRequest, which lists the forms there are.

    ``data`` goes over what the page filled in; its names, and those of ``files``, are not sent from the page.
    """
    form = _find(page, name, id, number, xpath, css)
    controls = list(controls_of(form))
    button = None if dont_click else _clicked(controls, click)
    given = list((data.items() if isinstance(data, Mapping) else data) or ())
    try:
        taken = {field for field, _ in given}
    except InvalidRequest:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"form data must be a mapping or pairs, got {data!r}") from error
    taken |= {name for name, _ in (files.items() if isinstance(files, Mapping) else files or ())}
    encoding = _charset(form, page.encoding)
    filled_in = [(field, value) for field, value in entries(controls, button, encoding) if field not in taken]
    action = (_said("action", form, button) or "").strip("\t\n\f\r ")
    method = (_said("method", form, button) or "").strip().upper()
    enctype = (_said("enctype", form, button) or "").strip().lower()
    return Submission(
        page.urljoin(action) if action else page.url,
        "POST" if method == "POST" else "GET",
        enctype if enctype in _ENCTYPES else "application/x-www-form-urlencoded",
        [(_lines(field), _lines(value)) for field, value in [*filled_in, *_flat(given)]],
        encoding,
    )


def _said(name: str, form: etree._Element, button: etree._Element | None) -> str | None:
    """Return what the clicked button says of the form, or else the form."""
    if button is not None and is_clickable(button) and (said := button.get(f"form{name}")) is not None:
        return str(said)
    said = form.get(name)
    return None if said is None else str(said)


def _lines(value: Text) -> Text:
    """Return a text with the line ends with which forms are sent."""
    if isinstance(value, bytes) or ("\n" not in value and "\r" not in value):
        return value
    return _NEWLINES.sub("\r\n", value)


def _find(
    page: Page, name: str | None, wanted_id: str | None, number: int, xpath: str | None, css: str | None
) -> etree._Element:
    forms: list[etree._Element] = page.selector.root.xpath("//form")
    if xpath is not None or css is not None:
        for found in page.selector.css(css) if css is not None else page.selector.xpath(xpath or ""):
            element: etree._Element | None = found.root
            while element is not None and getattr(element, "tag", None) != "form":
                element = element.getparent() if hasattr(element, "getparent") else None
            if element is not None:
                return element
        raise _not_found(page, forms, f"no form by {css or xpath!r}")
    for attribute, wanted in (("name", name), ("id", wanted_id)):
        if wanted is not None:
            for form in forms:
                if form.get(attribute) == wanted:
                    return form
    if name is not None or wanted_id is not None:
        raise _not_found(page, forms, f"no form with {'name' if name is not None else 'id'} {name or wanted_id!r}")
    try:
        return forms[number]
    except IndexError:
        raise _not_found(page, forms, f"no form number {number}") from None


def _not_found(page: Page, forms: list[etree._Element], what: str) -> InvalidRequest:
    there = []
    for number, form in enumerate(forms[:20]):
        attributes = [f"{key}={form.get(key)!r}" for key in ("name", "id", "action") if form.get(key)]
        fields = [name for control in controls_of(form) if (name := control.get("name"))]
        there.append(f"{number}: {' '.join([*attributes, 'fields', *fields[:10]])}")
    return InvalidRequest(f"{what} on {page.url}; " + ("forms there: " + "; ".join(there) if there else "it has none"))


def _clicked(controls: list[etree._Element], click: Mapping[str, Any] | None) -> etree._Element | None:
    buttons = [control for control in controls if is_clickable(control)]
    if click is None:
        return buttons[0] if buttons else None
    wanted: dict[str, Any] = dict(click)
    number: int | None = wanted.pop("nr", None)
    if number is not None and 0 <= number < len(controls):
        return controls[number]
    if wanted:
        candidates = [control for control in controls if _matches(control, wanted)]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise InvalidRequest(f"{len(candidates)} elements of the form match clickdata {dict(click)!r}")
    there = ", ".join(repr(dict(button.attrib)) for button in buttons) or "none"
    raise InvalidRequest(f"no element to click matches clickdata {dict(click)!r}; buttons of the form: {there}")


def _matches(control: etree._Element, wanted: Mapping[str, Any]) -> bool:
    return all(control.get(name) == str(value) for name, value in wanted.items())


def _charset(form: etree._Element, default: str) -> str:
    for label in (form.get("accept-charset") or "").split():
        if codec := codec_of(label):
            return output_encoding(codec)
    return output_encoding(default)


_IN_NAMES = {ord("\r"): "%0D", ord("\n"): "%0A", ord('"'): "%22"}


class Typed(bytes):
    """A value that says what it is: ``content_type`` is the media type of its part."""

    content_type = b""


def multipart_encoded(pairs: Iterable[tuple[str | bytes, str | bytes]], encoding: str) -> tuple[bytes, bytes]:
    """Return the body of a form sent as multipart/form-data, and its Content-Type."""
    parts = []
    for name, value in pairs:
        head = b'Content-Disposition: form-data; name="%b"' % _octets(_escaped(name), encoding)
        if isinstance(value, NoFile):
            head += b'; filename=""\r\nContent-Type: application/octet-stream'
        elif isinstance(value, Typed):
            head += b"\r\nContent-Type: " + value.content_type
        parts.append(b"%b\r\n\r\n%b\r\n" % (head, _octets(value, encoding)))
    boundary = b"----FormBoundary" + blake2b(b"\0".join(parts), digest_size=12).hexdigest().encode()
    body = b"".join(b"--%b\r\n%b" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary
    return body, b"multipart/form-data; boundary=" + boundary


def plain_encoded(pairs: Iterable[tuple[str | bytes, str | bytes]], encoding: str) -> tuple[bytes, bytes]:
    """Return the body of a form sent as text/plain, and its Content-Type."""
    lines = [b"%b=%b\r\n" % (_octets(name, encoding), _octets(value, encoding)) for name, value in pairs]
    return b"".join(lines), b"text/plain"


def _escaped(name: str | bytes) -> str | bytes:
    if isinstance(name, str):
        return name.translate(_IN_NAMES)
    return name.replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b'"', b"%22")
