"""Which controls has a form, and what does each of them say?

"Constructing the entry list" of https://html.spec.whatwg.org/#constructing-the-form-data-set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from unicodedata import bidirectional

from crawler.model.inputs import TYPES, sanitized
from crawler.model.labels import codec_of

if TYPE_CHECKING:
    from lxml import etree

_NEWLINES = re.compile("\r\n|\r|\n")
_SPACES = re.compile("[\t\n\f\r ]+")
_DIRECTED = frozenset({"hidden", "text", "search", "tel", "url", "email", "password", "submit", "reset", "button"})
_CHARSETS = (
    *("UTF-8", "IBM866", "KOI8-R", "KOI8-U", "macintosh", "x-mac-cyrillic", "windows-874", "ISO-8859-8-I"),
    *(f"ISO-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
    *(f"windows-{page}" for page in range(1250, 1259)),
    *("GBK", "Big5", "EUC-JP", "ISO-2022-JP", "Shift_JIS", "EUC-KR"),
)
"""The standard's names of encodings, as a page's ``document.characterSet`` shows them."""


class NoFile(str):
    """What an input for files says when none is chosen: an empty text, but for multipart."""

    __slots__ = ()


NO_FILE = NoFile()


def controls_of(form: etree._Element) -> Iterator[etree._Element]:
    """Yield a form's enabled controls: those inside, and those elsewhere that name it by form=."""
    own = form.get("id")
    for control in form.getroottree().getroot().iter("input", "button", "select", "textarea"):
        owner = control.get("form")
        if owner is None:
            if not any(ancestor is form for ancestor in control.iterancestors("form")):
                continue
        elif not owner or owner != own:
            continue
        # What is in a template is no part of the page.
        if not _disabled(control) and next(control.iterancestors("datalist", "template"), None) is None:
            yield control


def _disabled(control: etree._Element) -> bool:
    if control.get("disabled") is not None:
        return True
    for fieldset in control.iterancestors("fieldset"):
        if fieldset.get("disabled") is not None:
            legend = next(fieldset.iterchildren("legend"), None)
            if legend is None or not any(ancestor is legend for ancestor in control.iterancestors("legend")):
                return True
    return False


def type_of(control: etree._Element) -> str:
    """Return the type of an input or button, "" of others; what it is, where the page says what is none."""
    if control.tag == "input":
        said = (control.get("type") or "").strip().lower()
        return said if said in TYPES else "text"
    if control.tag == "button":
        said = (control.get("type") or "").strip().lower()
        return said if said in ("reset", "button") else "submit"
    return ""


def is_clickable(control: etree._Element) -> bool:
    """Tell whether a click on it submits the form."""
    return type_of(control) == "submit" or (control.tag == "input" and type_of(control) == "image")


def entries(controls: list[etree._Element], button: etree._Element | None, encoding: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of what is sent when ``button`` is clicked (None: nothing is); line ends as they are."""
    chosen = {  # of the radio buttons of a name, the last that is checked
        control.get("name"): control
        for control in controls
        if type_of(control) == "radio" and control.get("checked") is not None
    }
    for control in controls:
        name = control.get("name") or ""
        kind = type_of(control)
        if control is button or kind not in ("submit", "image", "reset", "button"):
            for value in _values(control, kind, chosen, encoding):
                if kind == "image":
                    yield (f"{name}.{value}" if name else value), "0"  # where it was hit
                elif name:
                    yield name, value
                    if (field := control.get("dirname")) and (kind in _DIRECTED or control.tag == "textarea"):
                        yield field, _direction(control, value)


def _values(control: etree._Element, kind: str, chosen: dict[str | None, etree._Element], encoding: str) -> list[str]:
    if kind == "image":
        return ["x", "y"]
    if control.tag == "select":
        return _selected(control)
    if control.tag == "textarea":
        return [_NEWLINES.sub("\n", "".join(control.itertext())).removeprefix("\n")]
    if kind == "file":
        return [NO_FILE]
    if kind in ("checkbox", "radio"):
        is_on = control.get("checked") is not None and (kind == "checkbox" or chosen[control.get("name")] is control)
        return [control.get("value", "on")] if is_on else []
    if kind == "hidden" and (control.get("name") or "").lower() == "_charset_":
        return [next((name for name in _CHARSETS if codec_of(name) == encoding), encoding)]
    return [sanitized(kind, control.get("value"), control)]


def _selected(select: etree._Element) -> list[str]:
    options = list(select.iter("option"))
    chosen = [option for option in options if option.get("selected") is not None]
    if select.get("multiple") is None:
        chosen = chosen[-1:]
        if not chosen and _is_menu(select):
            # One that shows one line always has a choice: the first that can be chosen.
            chosen = [option for option in options if not _option_disabled(option)][:1]
    return [_option_value(option) for option in chosen if not _option_disabled(option)]


def _is_menu(select: etree._Element) -> bool:
    size = re.match(r"[\t\n\f\r ]*\+?(\d{1,9})", select.get("size") or "", re.ASCII)
    return size is None or int(size[1]) <= 1


def _option_disabled(option: etree._Element) -> bool:
    group = option.getparent()
    in_disabled = group is not None and group.tag == "optgroup" and group.get("disabled") is not None
    return in_disabled or option.get("disabled") is not None


def _option_value(option: etree._Element) -> str:
    value = option.get("value")
    return str(value) if value is not None else _SPACES.sub(" ", "".join(option.itertext())).strip(" ")


def _direction(control: etree._Element, value: str) -> str:
    for element in (control, *control.iterancestors()):
        said = (element.get("dir") or "").lower()
        if said in ("ltr", "rtl"):
            return said
        if said == "auto":
            text = value if element is control else "".join(element.itertext())
            strong = next((found for found in map(bidirectional, text) if found in ("L", "R", "AL")), "L")
            return "ltr" if strong == "L" else "rtl"
    return "ltr"
