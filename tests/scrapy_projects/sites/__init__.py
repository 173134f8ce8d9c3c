"""What do the sites answer that the projects crawl? One module a project, each with `answer`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.docs.served import Answer, Asked

__all__ = ["Answer", "Asked", "cookies", "form", "host", "page", "path", "query", "redirect", "shown", "to_json"]


def host(asked: Asked) -> str:
    """Return the host that was asked."""
    return urlsplit(asked.path).netloc


def path(asked: Asked) -> str:
    """Return the path that was asked for, without its query."""
    return urlsplit(asked.path).path or "/"


def query(asked: Asked) -> dict[str, str]:
    """Return the query that was asked for; the last of equal names."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(asked.path).query, keep_blank_values=True).items()}


def form(asked: Asked) -> dict[str, str]:
    """Return the fields of the form that was sent."""
    return {name: values[-1] for name, values in parse_qs(asked.body.decode(), keep_blank_values=True).items()}


def cookies(asked: Asked) -> dict[str, str]:
    """Return the cookies that came along."""
    pairs = [pair.partition("=") for pair in asked.headers.get("Cookie", "").split("; ") if pair]
    return {name: value for name, _, value in pairs}


def page(title: str, *body: str, head: str = "", **headers: str) -> Answer:
    """Return an HTML page."""
    html = f"<!DOCTYPE html><html><head><title>{title}</title>{head}</head><body><h1>{title}</h1>{''.join(body)}</body></html>"
    return Answer(html, 200, {name.replace("_", "-"): value for name, value in headers.items()})


def to_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """Return a JSON answer."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(json.dumps(value), status, {"Content-Type": "application/json", **fields})


def redirect(to: str, status: int = 302, **headers: str) -> Answer:
    """Return a redirect."""
    return Answer("", status, {"Location": to, **{name.replace("_", "-"): value for name, value in headers.items()}})


def shown(asked: Asked) -> dict[str, str]:
    """Return the header fields that came, for pages that say so."""
    return {name.lower(): value for name, value in asked.headers.items()}
