"""What does a crawl look like in a terminal? Draws docs/terminal.svg, which the README shows, from a real one.

``python docs/picture.py [FILE [PORT]]`` crawls the sample bookshop on loopback, kills the crawl in its middle,
resumes it, and writes what was on the screen.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
WIDTH = 100
# The pages the crawl has when it is killed; on a busy machine the line is written seldom.
PAGES = re.compile(rb"[4-9]\d pages")
# The fonts of the reader's machine: nothing is asked of others.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def run(command: str, folder: Path, *, kill_at: re.Pattern[bytes] | None = None) -> str:
    """Run a command of the crawler in a terminal and return all that it wrote there."""
    ours, its = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"COLUMNS": str(WIDTH), "LINES": "40", "TERM": "xterm-256color", "PYTHONPATH": str(folder)}
    program = [sys.executable, "-m", *command.split()]
    process = subprocess.Popen(program, cwd=folder, env=environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
            if kill_at and kill_at.search(written):
                process.send_signal(signal.SIGKILL)
    except OSError:  # how the end of a terminal is told
        pass
    os.close(ours)
    process.wait()
    return written.decode() + ("\r\nKilled\r\n" if kill_at else "")


def screen(written: str) -> Text:
    """Return what is on the screen in the end: the live line is erased and written anew over and over."""
    lines = [""]
    for part in re.split(r"(\r?\n|\x1b\[2K|\x1b\[1A)", re.sub(r"\x1b\[\?25[lh]", "", written)):
        if part in ("\n", "\r\n"):
            lines.append("")
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif part == "\x1b[1A":
            lines.pop()
        else:
            lines[-1] += part.strip("\r")
    return Text.from_ansi("\n".join(lines).rstrip("\n"))


def main(file: Path = ROOT / "docs" / "terminal.svg", port: str = "8000") -> None:
    """Draw the picture."""
    shop = subprocess.Popen(
        [sys.executable, "-m", "crawler.sample", "--port", port], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
    try:
        assert shop.stdout is not None
        url = shop.stdout.readline().strip()
        if not url:
            raise SystemExit(f"python docs/picture.py: somebody else has port {port}; give another behind the file")
        with tempfile.TemporaryDirectory() as folder:
            for name in ("spiders", "pipelines"):
                shutil.copytree(ROOT / name, Path(folder) / name)
            (Path(folder) / "settings.py").write_text("DOWNLOAD_DELAY = 0.015\n")
            commands = (f"crawler crawl books -a url={url} -O books.jsonl", "crawler resume")
            for command, kill_at in zip(commands, (PAGES, None), strict=True):
                console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
                console.print(screen(run(command, Path(folder), kill_at=kill_at)), soft_wrap=True)
    finally:
        shop.terminate()
        shop.wait()
    file.write_text(console.export_svg(title="A crawl that is killed, and goes on", code_format=FORMAT), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]), *sys.argv[2:])
