"""Which HTML pages of a site does `wget -r` find, and how long does it take?"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def program() -> str | None:
    """Return the path of wget, None if it is not installed."""
    return shutil.which("wget")


def html_pages(url: str) -> tuple[set[str], float]:
    """Return the absolute paths of all HTML pages that wget finds from ``url``, and the seconds it took.

    Only a and area links count, as for the `site` spider; base says what they are relative to. A page
    whose path ends with a slash has the name wget gives it: index.html.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["wget", "--recursive", "--level=inf", "--no-host-directories", "--follow-tags=a,area,base"]
        command += ["--no-verbose", "--no-proxy", f"--directory-prefix={folder}/site", url]
        began = time.perf_counter()
        # wget ends with 8 when a page was a 404, which is no matter here.
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=600)
        seconds = time.perf_counter() - began
        root = Path(folder) / "site"
        found = {f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file() and _is_html(path)}
    return found, seconds


def named_like_wget(path: str) -> str:
    """Return the path under which wget keeps a page."""
    return f"{path}index.html" if path.endswith("/") else path


def _is_html(path: Path) -> bool:
    return path.suffix in {".html", ".htm"} or path.read_bytes()[:200].lstrip().lower().startswith(
        (b"<!doctype", b"<html")
    )
