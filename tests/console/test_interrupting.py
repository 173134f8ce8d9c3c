"""Does what interrupts code of a console leave the interpreter as it was?"""

from __future__ import annotations

import socket
import subprocess
import sys

import msgspec
import pytest

from crawler.console import spoken
from crawler.console.interrupting import interruptible

TRACED = """
import socket, sys
from crawler.console.interrupting import interruptible
here, there = socket.socketpair()
with interruptible(here):
    pass
sys.settrace(lambda *_: None)
exec("print('traced')")
"""


@pytest.mark.process
def test_code_may_be_debugged_and_profiled_afterwards() -> None:
    ended = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == "traced\n"


def test_what_loops_is_ended_and_what_ends_by_itself_is_not_touched() -> None:
    here, there = socket.socketpair()
    with here, there:
        with interruptible(here):
            done = True
        assert done
        there.sendall(msgspec.json.encode(spoken.Interrupted()) + b"\n")
        with pytest.raises(KeyboardInterrupt), interruptible(here):
            loop()


def loop() -> None:
    while True:
        pass
