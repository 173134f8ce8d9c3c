"""What does a site answer that tries every way out of a middleware?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path, redirect, shown


def answer(asked: Asked) -> Answer | int:
    """Answer by the path."""
    words = path(asked).strip("/").split("/")
    match words:
        case ["robots.txt"]:
            return Answer("User-agent: *\nDisallow: /forbidden\n", 200, {"Content-Type": "text/plain"})
        case ["captcha"] if "x-solved" not in shown(asked):
            return page("captcha")
        case ["pending", _]:
            return 202
        case ["nothing"]:
            return Answer("", 204)
        case ["moved", "0"]:
            return page("Moved")
        case ["moved", number]:
            return redirect(f"/moved/{int(number) - 1}", 301 + int(number) % 2)
        case ["loop"]:
            return redirect("/loop?more", 307)
        case ["to-login"]:
            return redirect("/login?next=/")
        case ["missing"] | ["retry", _]:
            return 404 if words[0] == "missing" else int(words[1])
        case ["refresh"]:
            return page("R", head='<noscript><meta http-equiv="refresh" content="0;url=/js"></noscript>'
                        '<meta http-equiv="refresh" content="1; url=/refreshed?x=1">')  # fmt: skip
    return page(f"REPLACE {path(asked)}", shown(asked).get("x-async", "no"))
