"""What does quotes.toscrape.com answer, made small?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path

SAID = [
    ("Simplicity is prerequisite for reliability.", "Edsger Dijkstra", "simplicity reliability"),
    ("The purpose of computing is insight, not numbers.", "Richard Hamming", "insight"),
    ("A ship in port is safe; but that is not what ships are built for.", "Grace Hopper", "ships humor"),
    ("Make it work, make it right, make it fast.", "Kent Beck", "work simplicity"),
    ("Beware of bugs in the above code.", "Donald Knuth", "humor reliability"),
    ("There are only two hard things.", "Phil Karlton", "humor"),
    ("“Quoted” – with ünïcode & signs", "Grace Hopper", "signs"),
]
PER_PAGE = 3


def answer(asked: Asked) -> Answer | int:
    """Answer listings, those of a tag, and authors."""
    words = [word for word in path(asked).split("/") if word]
    if words[:1] == ["author"] and len(words) == 2 and path(asked).endswith("/"):
        name = words[1].replace("-", " ")
        return page(
            name,
            f'<h3 class="author-title">{name}\n    </h3><span class="author-born-date">May {len(name)}, 1930</span>',
            f'<div class="author-description">\n   Of {name}.\n  </div>',
        )
    if words[:1] == ["author"]:
        return Answer("", 301, {"Location": path(asked) + "/"})
    tag = words[1] if words[:1] == ["tag"] else None
    if words and tag is None and words[0] != "page":
        return 404
    number = int(words[-1]) if len(words) > 1 and words[-2] == "page" else 1
    return _listing(tag, number)


def _listing(tag: str | None, number: int) -> Answer:
    found = [said for said in SAID if tag is None or tag in said[2].split()]
    start = (number - 1) * PER_PAGE
    prefix = "" if tag is None else f"/tag/{tag}"
    rows = [
        f'<div class="quote"><span class="text">{text}</span><span>by <small class="author">{author}</small>'
        f'<a href="/author/{author.replace(" ", "-")}">(about)</a></span><div class="tags">'
        + "".join(f'<a class="tag" href="/tag/{each}/page/1/">{each}</a>' for each in tags.split())
        + "</div></div>"
        for text, author, tags in found[start : start + PER_PAGE]
    ]
    more = (
        f'<li class="next"><a href="{prefix}/page/{number + 1}/">Next</a></li>' if len(found) > start + PER_PAGE else ""
    )
    return page("Quotes", *rows, f'<ul class="pager">{more}</ul>')
