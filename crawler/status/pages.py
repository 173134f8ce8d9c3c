"""Who answers a request to the status page: the door, a file of the page, or a route?"""

from __future__ import annotations

from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

from crawler.status.asked import HTML, TEXT, Answer, Asked, Refused, Route, Routes
from crawler.status.guard import Guard

KINDS = {
    "html": HTML,
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": TEXT,
}
"""The files of the page that are served, by the ends of their names."""


_FORM = "application/x-www-form-urlencoded"
PAGE = files("crawler.status").joinpath("page")


class Pages:
    """What is served: ``routes`` behind a door."""

    def __init__(self, guard: Guard, routes: Routes) -> None:
        self._guard = guard
        self._routes = routes

    def answer(self, asked: Asked) -> Any:
        """Return an Answer, a value that becomes JSON, a stream, or what may be awaited for one. Raises Refused."""
        if asked.path == "/" and "token" in asked.query and asked.method == "GET":
            cookie = self._guard.enter(asked)
            return Answer(b"", TEXT, 303, [("Location", "/"), ("Set-Cookie", cookie)])  # out of the address bar
        asked = asked._replace(csrf=self._guard.allow(asked))
        route = self._routes(asked.path)
        if route is None:
            raise Refused(404, "there is nothing of that name here")
        self._check_method(asked, route)
        if asked.method == "POST":
            asked = asked._replace(form=_form(asked))
            self._guard.check_form(asked.csrf, asked.form.get("csrf", ""))
        return route.answer(asked)

    @staticmethod
    def _check_method(asked: Asked, route: Route) -> None:
        methods = [*route.methods, *(["HEAD"] if "GET" in route.methods else [])]
        if asked.method not in methods:
            said = f"{asked.method[:20]} is not for this; {' and '.join(methods)} are"
            allow = [("Allow", ", ".join(methods))]
            raise Refused(405, said, kind="a method that is not for that", detail=asked.method, headers=allow)


def _form(asked: Asked) -> dict[str, str]:
    if asked.header("content-type").partition(";")[0].strip().lower() != _FORM:
        raise Refused(415, f"a form is sent as {_FORM}", kind="a form of another type")
    try:
        fields = parse_qs(asked.body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise Refused(400, "the form is not UTF-8, or has many fields", kind="a malformed form") from None
    return {name: values[-1] for name, values in fields.items()}


def page_file(name: str) -> Route | None:
    """Return what answers with a file of the page; None if there is none of that name."""
    _, _, end = name.rpartition(".")
    # The names come from the folder: a path with dots in it is none of them.
    if end not in KINDS or name not in {file.name for file in PAGE.iterdir()}:
        return None
    return Route(lambda asked: Answer(PAGE.joinpath(name).read_bytes(), KINDS[end]))


def whole_page(name: str) -> Route:
    """Return what answers with a page that has forms: they bring the session's CSRF token."""
    return Route(lambda asked: Answer(PAGE.joinpath(name).read_bytes().replace(b"{{csrf}}", asked.csrf.encode()), HTML))
