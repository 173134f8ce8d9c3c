"""How does a log record become one line, and where does it go?

One record is one line, whatever it holds: what comes from the network may contain line breaks,
terminal escapes or bidirectional overrides, and shall neither forge a record nor move the cursor. A password in a URL
is not written, whoever logs it.
"""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from crawler.config.log_settings import LogSettings
from crawler.config.settings import Settings
from crawler.errors import OutputError
from crawler.model.masking import escape, masked
from crawler.observe.frames import describe, frames_of, near, shorten
from crawler.stats import Stats

DEFAULTS: Final = LogSettings()
_MESSAGE_LIMIT = 5000
"""Most characters of a message of ours: an address may have a million. What users log is their own affair."""


TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class TextLines(logging.Formatter):
    """``2026-11-23 12:00:00 INFO name: message`` or what a template makes of it, the frames of an error behind it."""

    def __init__(self, template: str = TEXT, date: str = "%Y-%m-%d %H:%M:%S") -> None:
        super().__init__(template, date)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        record.message = escape(_message(record))
        record.asctime = self.formatTime(record, self.datefmt)
        try:
            line = self.formatMessage(record)
        except ValueError:  # a template may name what is said in some records only: %(spider)s
            line = TEXT % vars(record)
        return line + "".join(f" | {escape(frame)}" for frame in _trace(record))


class JsonLines(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message and, if there is one, trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        fields = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            # JSON's own escapes would do for line breaks; a reader that prints the decoded text is safe this way.
            "message": escape(_message(record)),
        }
        if trace := _trace(record):
            fields["trace"] = " | ".join(map(escape, trace))
        return msgspec.json.encode(fields).decode()


def _trace(record: logging.LogRecord) -> list[str]:
    given: list[str] | None = getattr(record, "trace", None)
    if given is not None:
        return list(map(masked, given))
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        return list(map(masked, [describe(error), *frames_of(error)]))
    return []


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception as error:  # one line, as all others, and where it was called
        where = f"{near(record.pathname)}:{record.lineno}"
        return masked(f"a log call at {where} cannot be formatted: {error}: {record.msg!r} with {record.args!r}")
    if record.name == "py.warnings":
        return message.partition("\n")[0]  # the second line repeats the source
    return shorten(message, _MESSAGE_LIMIT) if record.name.partition(".")[0] == "crawler" else masked(message)


class Lines(logging.Handler):
    """Writes records as lines through ``write``; a stream that is gone is not an error of the crawl."""

    def __init__(self, write: Callable[[str], object], formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            self._write(self.format(record) + "\n")
        except (OSError, ValueError):
            pass  # a closed pipe or terminal: there is nobody left to tell
        except Exception:
            self.handleError(record)


class LoggedOutput(io.TextIOBase):
    """Stands for sys.stdout where what is printed is logged; its ``buffer`` is where a feed of bytes may go."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout
        self._logger = logging.getLogger("stdout")

    @property
    def buffer(self) -> Any:
        """The stream itself."""
        return self._stdout.buffer

    def write(self, text: str) -> int:
        """Log each line."""
        for line in text.rstrip().splitlines():
            self._logger.info("%s", line.rstrip())
        return len(text)


class LogCount(logging.Handler):
    """Counts records by level in the stats, under Scrapy's keys ``log_count/LEVEL``."""

    def __init__(self, stats: Stats) -> None:
        super().__init__()
        self._stats = stats

    def emit(self, record: logging.LogRecord) -> None:
        """Count one record."""
        self._stats.inc_value(f"log_count/{record.levelname}")


def start_logging(
    settings: LogSettings = DEFAULTS, *, level: str | None = None, write: Callable[[str], object] | None = None
) -> Callable[[], None]:
    """Send log records as lines to LOG_FILE, or to ``write`` (stderr if not given); return how to undo it.

    ``level``: another one than the settings say. Raises OutputError if the file cannot be written.
    """
    root = logging.getLogger()
    before = root.level
    level = level or settings.LOG_LEVEL
    root.setLevel(level)
    # Twisted tells of every factory it starts; that is for debugging it.
    twisted = logging.getLogger("twisted")
    of_twisted = twisted.level
    twisted.setLevel(logging.DEBUG if level == "DEBUG" else logging.WARNING)
    stream = _open(settings) if settings.LOG_FILE is not None and settings.LOG_ENABLED else None
    handler: logging.Handler = logging.NullHandler()
    if settings.LOG_ENABLED:
        handler = Lines(stream.write if stream is not None else write or _to_stderr, formatter_of(settings))
    if settings.LOG_SHORT_NAMES:
        handler.addFilter(_short_name)
    root.addHandler(handler)
    # What Python warns of, a coroutine never awaited for example, is a line like all others.
    logging.captureWarnings(settings.LOG_ENABLED)
    stdout = sys.stdout
    if settings.LOG_STDOUT:
        sys.stdout = LoggedOutput(stdout)

    def stop() -> None:
        sys.stdout = stdout
        logging.captureWarnings(False)
        root.removeHandler(handler)
        root.setLevel(before)
        twisted.setLevel(of_twisted)
        if stream is not None:
            with suppress(OSError):  # a full disk, which has been met at every line
                stream.close()

    return stop


def set_level(level: str) -> None:
    """Log from another level on, of all that the process runs."""
    root = logging.getLogger()
    root.setLevel(level)
    logging.getLogger("twisted").setLevel(logging.DEBUG if level == "DEBUG" else logging.WARNING)
    for handler in root.handlers:
        if isinstance(handler, LogCount):
            handler.setLevel(level)


def formatter_of(settings: LogSettings) -> logging.Formatter:
    """Return what makes lines of records."""
    if settings.LOG_FORMAT == "json":
        return JsonLines()
    template = TEXT if settings.LOG_FORMAT == "text" else settings.LOG_FORMAT
    return TextLines(template, settings.LOG_DATEFORMAT)


def log_for_script(settings: Settings, subscribe: Callable[[], None], stats: Stats) -> Callable[[], None]:
    """Log what happens in a crawl that a script has started; return how to end that. Raises OutputError for LOG_FILE.

    What goes wrong is shown in any case. Where is the script's business if it has set logging up; else it is
    stderr, from WARNING on, or as the crawl's LOG_* settings say. LOG_FILE is written in both cases. ``subscribe()``
    lets lines be made of what happens; ``stats`` count them.
    """
    core = settings.core
    if not core.LOG_ENABLED:
        return _nothing
    stop = _nothing
    root = logging.getLogger()
    own = [each for each in root.handlers if each is not _shared.handler and not isinstance(each, LogCount)]
    of_script = root.level if own else None
    if core.LOG_FILE is not None or of_script is None:
        given = settings.origin("LOG_LEVEL") != "default" or core.LOG_FILE is not None
        level = core.LOG_LEVEL if given else "WARNING"
        stop = _shared.begin(level, core) if core.LOG_FILE is None else start_logging(core, level=level)
        if of_script is not None:
            root.setLevel(of_script)  # its own handlers shall show no more than it wants
    for warning in settings.warnings:
        logging.getLogger("crawler").warning("%s", warning)
    subscribe()
    count = LogCount(stats)
    count.setLevel(core.LOG_LEVEL)
    root.addHandler(count)

    def ended() -> None:
        root.removeHandler(count)
        stop()

    return ended


class _Shared:
    """The lines on stderr of all crawls that scripts have started: one handler, from the first to the last of them."""

    def __init__(self) -> None:
        self.handler: logging.Handler | None = None
        self._crawls = 0
        self._stop: Callable[[], None] = _nothing

    def begin(self, level: str, settings: LogSettings) -> Callable[[], None]:
        """Show what one more crawl logs; return how to end that."""
        root = logging.getLogger()
        if not self._crawls:
            self._stop = start_logging(settings, level=level)
            self.handler = root.handlers[-1]
        root.setLevel(min(root.level, logging.getLevelNamesMapping()[level]))
        self._crawls += 1
        return self._end

    def _end(self) -> None:
        self._crawls -= 1
        if not self._crawls:
            self.handler = None
            self._stop()


def _nothing() -> None:
    pass


_shared = _Shared()


def _open(settings: LogSettings) -> TextIO:
    file = str(settings.LOG_FILE)
    try:
        return Path(file).open(
            "a" if settings.LOG_FILE_APPEND else "w",
            encoding=settings.LOG_ENCODING,
            errors="backslashreplace",
            buffering=1,
        )
    except OSError as error:
        raise OutputError(f"LOG_FILE: cannot write {file}: {error.strerror or error}") from error


def _short_name(record: logging.LogRecord) -> bool:
    """Let a record be of the whole program, not of one of its modules."""
    top = record.name.partition(".")[0]
    if top in ("crawler", "scrapy"):
        record.name = top
    return True


def _to_stderr(line: str) -> None:
    sys.stderr.write(line)  # looked up each time: it may have been redirected meanwhile
