"""Do declared items take their fields and nothing else?"""

from __future__ import annotations

import json

import pytest
from itemadapter import ItemAdapter, is_item

from crawler.model.item import Field, Item


class Book(Item):
    title = Field()
    price = Field(serializer=str)


class Used(Book):
    state = Field()


def test_fields_are_declared_and_inherited() -> None:
    assert list(Book.fields) == ["title", "price"]
    assert list(Used.fields) == ["title", "price", "state"]
    assert Book.fields["price"] == {"serializer": str}


def test_an_item_is_a_mapping_of_its_fields() -> None:
    book = Book(title="a")
    book["price"] = 5
    assert dict(book) == {"title": "a", "price": 5}
    assert book.get("title") == "a"
    assert Book({"title": "b"}) == {"title": "b"}
    assert (book.copy(), type(book.copy()), type(book.deepcopy())) == (book, Book, Book)
    assert json.loads(json.dumps(book)) == book
    assert is_item(book)
    assert ItemAdapter(book)["title"] == "a"


def test_other_names_are_errors() -> None:
    for wrong in (
        lambda: Book(titel="a"),
        lambda: Book().update(state=1),
        lambda: Book().setdefault("x", 1),
        lambda: Book().__setitem__("x", 1),
    ):
        with pytest.raises(KeyError, match="Book does not support field"):
            wrong()
    with pytest.raises(AttributeError, match=r"use item\['title'\]"):
        Book().title = 1
    with pytest.raises(AttributeError, match=r"use item\['title'\]"):
        Book(title="a").title  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute"):
        Book().nothing  # noqa: B018
