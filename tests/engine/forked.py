"""Work in a process of its own that dies in the midst of it."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable
from typing import Any


def in_a_process(work: Callable[[Callable[[Any], None]], Any]) -> Any:
    """Fork, let the child do ``work(die)``, and return its result, or what it died with."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "wb") as pipe:

            def die(result: Any) -> None:
                pickle.dump(result, pipe)
                pipe.flush()
                os._exit(0)

            try:
                die(work(die))
            except BaseException:
                die(traceback.format_exc())
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pickle.load(pipe)  # noqa: S301  # our own child wrote it
    os.waitpid(child, 0)
    assert not isinstance(result, str), result
    return result
