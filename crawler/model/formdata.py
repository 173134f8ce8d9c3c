"""What would a browser send when this form is submitted?

The rules are those of https://html.spec.whatwg.org/#form-submission-algorithm. The data is sent as
application/x-www-form-urlencoded whatever the form's enctype says; files need ``Request(files=…)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

from crawler.errors import InvalidRequest
from crawler.model.labels import codec_of

_CONTROLS = "input|button|select|textarea"
_CLICKABLE = {"input": ("submit", "image"), "button": ("submit",)}
_NEWLINES = re.compile("\r\n|\r|\n")


class Page(Protocol):
    """What is asked of a response here."""

    @property
    def url(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def selector(self) -> Any: ...
    def urljoin(self, url: str) -> str: ...


class Submission(NamedTuple):
    """A form, filled in: where it goes, how, with which pairs, in which encoding."""

    url: str
    method: str
    pairs: list[tuple[str, Any]]
    encoding: str


def form_encoded(data: Any, encoding: str = "utf-8") -> str:
    """Return application/x-www-form-urlencoded text; a list as value gives the name several times."""
    if isinstance(data, str | bytes):
        raise InvalidRequest("form data must be a mapping or pairs; for text use body=")
    pairs = []
    try:
        for name, value in data.items() if isinstance(data, Mapping) else data:
            values = value if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
            pairs += [(_octets(name, encoding), _octets(each, encoding)) for each in values]
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"form data must be a mapping or pairs, got {data!r}") from error
    return urlencode(pairs)


def _octets(value: Any, encoding: str) -> bytes:
    # The standard sends what the encoding lacks as a numeric character reference.
    return value if isinstance(value, bytes) else str(value).encode(encoding, "xmlcharrefreplace")


def submission(
    page: Page,
    *,
    name: str | None = None,
    id: str | None = None,  # noqa: A002  the attribute's name
    number: int = 0,
    xpath: str | None = None,
    css: str | None = None,
    data: Any = None,
    click: Mapping[str, Any] | None = None,
    dont_click: bool = False,
) -> Submission:
    """Fill in and submit a form of a page; raises InvalidRequest, which lists the forms there are."""
    form = _find(page, name=name, id=id, number=number, xpath=xpath, css=css)
    controls = list(_controls(form))
    button = None if dont_click else _clicked(form, controls, click)
    given = list((data.items() if isinstance(data, Mapping) else data) or ())
    try:
        taken = {field for field, _ in given}
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"form data must be a mapping or pairs, got {data!r}") from error
    encoding = _charset(form, page.encoding)
    pairs = [(field, value) for field, value in _pairs(controls, button, encoding) if field not in taken]
    pairs += [(field, value) for field, value in given if value is not None]
    source = form if button is None else button
    action = (source.get("formaction") or form.get("action") or "").strip("\t\n\f\r ")
    method = (source.get("formmethod") or form.get("method") or "").strip().upper()
    url = page.urljoin(action) if action else page.url
    return Submission(url, method if method == "POST" else "GET", pairs, encoding)


def _find(page: Page, *, name: Any, id: Any, number: int, xpath: str | None, css: str | None) -> Any:  # noqa: A002
    forms = page.selector.root.xpath("//form")
    if xpath is not None or css is not None:
        for found in page.selector.css(css) if css is not None else page.selector.xpath(xpath):
            element = found.root
            while element is not None and getattr(element, "tag", None) != "form":
                element = element.getparent() if hasattr(element, "getparent") else None
            if element is not None:
                return element
        raise _not_found(page, forms, f"no form by {css or xpath!r}")
    for attribute, wanted in (("name", name), ("id", id)):
        if wanted is not None:
            for form in forms:
                if form.get(attribute) == wanted:
                    return form
    if name is not None or id is not None:
        raise _not_found(page, forms, f"no form with {'name' if name is not None else 'id'} {name or id!r}")
    try:
        return forms[number]
    except IndexError:
        raise _not_found(page, forms, f"no form number {number}") from None


def _not_found(page: Page, forms: list[Any], what: str) -> InvalidRequest:
    there = []
    for number, form in enumerate(forms[:20]):
        attributes = [f"{key}={form.get(key)!r}" for key in ("name", "id", "action") if form.get(key)]
        fields = [control.get("name") for control in _controls(form) if control.get("name")]
        there.append(f"{number}: {' '.join([*attributes, 'fields', *fields[:10]])}")
    return InvalidRequest(f"{what} on {page.url}; " + ("forms there: " + "; ".join(there) if there else "it has none"))


def _controls(form: Any) -> Iterator[Any]:
    """Yield a form's enabled controls: those inside, and those elsewhere that name it by form=."""
    own = form.get("id")
    tree = form.getroottree()
    for control in tree.getroot().iter(*_CONTROLS.split("|")):
        owner = control.get("form")
        if owner is None:
            if not any(ancestor is form for ancestor in control.iterancestors("form")):
                continue
        elif owner != own:
            continue
        if not _disabled(control) and next(control.iterancestors("datalist"), None) is None:
            yield control


def _disabled(control: Any) -> bool:
    if control.get("disabled") is not None:
        return True
    for fieldset in control.iterancestors("fieldset"):
        if fieldset.get("disabled") is not None:
            legend = next(fieldset.iterchildren("legend"), None)
            if legend is None or not any(ancestor is legend for ancestor in control.iterancestors("legend")):
                return True
    return False


def _type(control: Any) -> str:
    default = "submit" if control.tag == "button" else "text"
    return (control.get("type") or default).strip().lower()


def _clicked(form: Any, controls: list[Any], click: Mapping[str, Any] | None) -> Any:
    buttons = [control for control in controls if _type(control) in _CLICKABLE.get(control.tag, ())]
    if click is None:
        return buttons[0] if buttons else None
    wanted = dict(click)
    if (number := wanted.pop("nr", None)) is not None and 0 <= number < len(controls):
        return controls[number]
    if wanted:
        candidates = [control for control in controls if _matches(control, wanted)]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise InvalidRequest(f"{len(candidates)} elements of the form match clickdata {dict(click)!r}")
    there = ", ".join(repr(dict(button.attrib)) for button in buttons) or "none"
    raise InvalidRequest(f"no element to click matches clickdata {dict(click)!r}; buttons of the form: {there}")


def _matches(control: Any, wanted: Mapping[str, Any]) -> bool:
    return all(control.get(name) == str(value) for name, value in wanted.items())


def _charset(form: Any, default: str) -> str:
    for label in (form.get("accept-charset") or "").split():
        if codec := codec_of(label):
            return "utf-8" if codec.startswith("utf-16") else codec
    return "utf-8" if default.startswith("utf-16") else default


def _pairs(controls: list[Any], button: Any, encoding: str) -> Iterator[tuple[str, str]]:
    for control in controls:
        name = control.get("name") or ""
        kind = _type(control)
        if control is button:
            yield from _button_pairs(name, kind, control)
        elif control.tag == "select":
            yield from ((name, value) for value in _selected(control) if name)
        elif control.tag == "textarea":
            text = "".join(control.itertext())
            if name:
                yield name, _NEWLINES.sub("\r\n", text[1:] if text.startswith("\n") else text)
        elif control.tag == "input" and name and kind not in ("submit", "image", "reset", "button"):
            if kind in ("checkbox", "radio"):
                if control.get("checked") is not None:
                    yield name, control.get("value", "on")
            elif kind == "hidden" and name == "_charset_":
                yield name, encoding
            else:
                yield name, control.get("value") or ""


def _button_pairs(name: str, kind: str, button: Any) -> Iterator[tuple[str, str]]:
    if kind == "image":
        # A click on an image sends where it was hit.
        yield f"{name}.x" if name else "x", "0"
        yield f"{name}.y" if name else "y", "0"
    elif name:
        yield name, button.get("value") or ""


def _selected(select: Any) -> list[str]:
    options = [option for option in select.iter("option") if not _option_disabled(option)]
    chosen = [option for option in options if option.get("selected") is not None]
    if select.get("multiple") is None:
        # One that shows one line always has a choice: the last selected, else the first.
        chosen = chosen[-1:] or options[:1]
    return [_option_value(option) for option in chosen]


def _option_disabled(option: Any) -> bool:
    group = option.getparent()
    return option.get("disabled") is not None or (group.tag == "optgroup" and group.get("disabled") is not None)


def _option_value(option: Any) -> str:
    value = option.get("value")
    return str(value) if value is not None else " ".join("".join(option.itertext()).split())
