"""In what does a project differ when we run it? `python -m tests.scrapy_projects [NAME…] [--log] [--real]`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.scrapy_projects.comparing import differences
from tests.scrapy_projects.projects import PROJECTS
from tests.scrapy_projects.running import run_both


def main() -> None:
    """Run the projects and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--log", action="store_true", help="print our log")
    parser.add_argument("--real", action="store_true", help="print the real one's log")
    parser.add_argument("--show", action="store_true", help="print requests and items of the real one")
    parser.add_argument("--chance", action="store_true", help="compare the real one with itself")
    wanted = parser.parse_args()
    for name in wanted.names or PROJECTS:
        project = PROJECTS[name]
        with tempfile.TemporaryDirectory() as folder:
            for run in project.runs:
                began = time.monotonic()
                real, ours = run_both(
                    project.copier(), run, site=project.site, folder=Path(folder), real_twice=wanted.chance
                )
                found = differences(real, ours, run)
                seconds = time.monotonic() - began
                print(f"== {name}: {' '.join(run.command)}: {len(real.requests)} requests, {len(real.items)} items,",
                      f"exit {real.status}, {seconds:.1f} s: {len(found)} differences")  # fmt: skip
                print("".join(f"   {line}\n" for line in found), end="")
                if wanted.show:
                    print("\n".join(map(str, real.requests)), *real.items, real.files, real.stats, sep="\n")
                if wanted.real:
                    print(real.log)
                if wanted.log:
                    print(ours.log)


if __name__ == "__main__":
    main()
