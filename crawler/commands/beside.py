"""What is done beside a crawl for whoever runs it: a pid file, a profile, a debugger at the first error?"""

from __future__ import annotations

import cProfile
import os
import pdb
import pstats
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from crawler.commands.options import RunOptions
from crawler.errors import OutputError, UsageError
from crawler.events import Events, ItemFailed, PromptClosed, PromptOpened, SpiderFailed
from crawler.observe.report import check_written_later

SHOWN_FUNCTIONS = 60
"""So many functions are shown of a profile that is printed."""


@contextmanager
def beside(options: RunOptions, *, many: bool) -> Iterator[None]:
    """Do for a crawl what --pidfile, --profile and --pdb ask; ``many``: it is many processes. Raises UsageError."""
    if many and (options.profile is not None or options.debug):
        option = "--pdb" if options.debug else "--profile"
        raise UsageError(f"{option} is for a crawl of one process; leave out --workers, and a JOB_STORE of a server")
    if options.debug and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--pdb needs a terminal, and standard input or output is none")
    with pid_file(options.pidfile), profiled(options.profile):
        yield


def pid_file(path: str | None) -> AbstractContextManager[None]:
    """Keep this process's id in a file. Raises UsageError if that has the id of a process which lives."""
    return nullcontext() if path is None else _pid_file(Path(path).absolute())


@contextmanager
def _pid_file(path: Path) -> Iterator[None]:
    pid = f"{os.getpid()}\n"
    part = path.with_name(f"{path.name}.{os.getpid()}")  # so that the file is never there without its content
    try:
        part.write_text(pid, encoding="ascii")
        try:
            os.link(part, path)
        except FileExistsError:
            _check_dead(path)
            part.replace(path)
    except OSError as error:
        raise OutputError(f"--pidfile: cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # gone, or no longer ours
            if path.read_text(encoding="ascii") == pid:
                path.unlink()


def _check_dead(path: Path) -> None:
    text = path.read_bytes()[:20].strip()
    if not text.isdigit():
        raise UsageError(f"--pidfile: {path} is there and holds no process id; take another name")
    number = int(text)
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return
    except PermissionError:
        pass  # somebody else's, and alive
    if number != os.getpid():  # ours: of an earlier life of this container
        raise UsageError(f"--pidfile: {path} names process {number}, which is running")


def profiled(path: str | None) -> AbstractContextManager[None]:
    """Measure this thread's functions and write that to a file for pstats, for "-" as text to stderr."""
    return nullcontext() if path is None else _profiled(path)


@contextmanager
def _profiled(path: str) -> Iterator[None]:
    if path != "-":
        check_written_later("--profile", path)
        path = str(Path(path).absolute())  # a callback may change the working directory
    import crawler.assembly  # noqa: F401 - what it takes to load the engine is no part of the crawl

    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        if path == "-":
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(SHOWN_FUNCTIONS)
        else:
            try:
                profile.dump_stats(path)
            except OSError as error:
                raise OutputError(f"--profile: cannot write {path}: {error.strerror}") from error


def debug_first_error(events: Events) -> None:
    """Open Python's debugger where the first callback, start() or stage raises; the crawl waits, and goes on then."""
    seen: list[BaseException] = []

    def look(event: SpiderFailed | ItemFailed) -> None:
        if seen or event.error.__traceback__ is None:
            return
        seen.append(event.error)
        events.publish(PromptOpened())
        try:
            print(f"{type(event.error).__name__}: {event.error}", file=sys.stderr)
            debugger = pdb.Pdb(nosigint=True)  # Ctrl-C stops the crawl, as ever
            debugger.reset()
            debugger.interaction(None, event.error.__traceback__)
        finally:
            events.publish(PromptClosed())

    events.subscribe(SpiderFailed, look)
    events.subscribe(ItemFailed, look)
