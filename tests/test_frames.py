"""Whose a frame is, by its file's name."""

from __future__ import annotations

import asyncio
import code
import json
import pdb
import sys
from pathlib import Path

import parsel
import pytest
import twisted

import crawler
from crawler.frames import at_prompt, is_loops, is_projects, is_users

OURS = Path(crawler.__file__).parent


@pytest.mark.parametrize(
    ("file", "users", "projects", "loops"),
    [
        (OURS / "engine" / "loop.py", False, False, False),
        (OURS.parent / "crawler_shop" / "spiders" / "shop.py", True, True, False),  # a name that begins like ours
        (Path(json.__file__), True, False, False),
        (Path(parsel.__file__), True, False, False),
        (Path(asyncio.__file__), False, False, True),
        (Path(twisted.__file__), False, False, True),
    ],
)
def test_whose_a_frame_is(file: Path, users: bool, projects: bool, loops: bool) -> None:
    assert (is_users(str(file)), is_projects(str(file)), is_loops(str(file))) == (users, projects, loops)


def test_a_debugger_and_a_prompt_wait_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def typed(_: str) -> str:
        seen.append(at_prompt(sys._getframe()))
        raise EOFError

    monkeypatch.setattr("builtins.input", typed)
    code.interact(banner="", exitmsg="")
    pdb.Pdb(nosigint=True, readrc=False).run("1")
    assert seen == [True, True]
    assert not at_prompt(sys._getframe())
