"""Is the example of a GPS receiver in docs/schemes.md right?"""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT, blocks

DOCUMENT = "docs/schemes.md"


def sentence(text: str) -> bytes:
    """Return a sentence with its checksum (NMEA 0183: the exclusive or of what is between $ and *)."""
    return f"${text}*{reduce(xor, text.encode()):02X}\r\n".encode()


RMC = sentence("GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230326,003.1,W")
GGA = sentence("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,")
SEARCHING = sentence("GPGGA,,,,,,0,00,,,M,,M,,") + sentence("GPRMC,,V,,,,,,,,,")
HALF_A_LINE = b"038,N,01131.000,E*47\r\n"
OTHERS = sentence("GNGSA,A,3,04,05") + b"\xff\x00noise\r\n" + GGA.replace(b"545.4", b"945.4")
FIX = {
    "latitude": pytest.approx(48.1173),
    "longitude": pytest.approx(11.516667),
    "altitude": 545.4,
    "time": "2026-03-23T12:35:19",
}


@contextmanager
def receiver(*said: bytes) -> Iterator[str]:
    """Serve a receiver that says this to each who connects; give its URL."""

    class Talks(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"".join(said))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talks) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"nmea://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def track(url: str, folder: Path, *settings: str) -> tuple[list[Any], str]:
    """Run the spider; return its items and the log."""
    (folder / "track.py").write_text(next(block.text for block in blocks(ROOT / DOCUMENT) if block.file == "track.py"))
    command = [sys.executable, "-m", "crawler", "run", "track.py", "-a", f"url={url}", "-O", "track.jsonl"]
    command += ["-a", "fixes=2", "-s", "JOB_STORE=none", "-s", "DOWNLOAD_DELAY=0", "-s", "RETRY_TIMES=0"]
    for setting in settings:
        command += ["-s", setting]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    lines = (folder / "track.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines], ended.stderr


def test_positions_become_items_whatever_else_is_said(outside: None, tmp_path: Path) -> None:
    with receiver(HALF_A_LINE, SEARCHING, OTHERS, RMC, GGA) as url:
        items, log = track(url, tmp_path)
    assert items == [FIX, FIX], log


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (SEARCHING * 100, "BadResponse: 200 lines, and no position in them"),
        (SEARCHING, "ConnectionLost"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "ConnectionLost"),
    ],
)
def test_what_gives_no_position_fails_by_name(outside: None, tmp_path: Path, said: bytes, error: str) -> None:
    with receiver(said) as url:
        items, log = track(url, tmp_path)
    assert items == []
    assert error in log
