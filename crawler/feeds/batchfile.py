"""How does one batch of items get into its file, in place or by a new generation of it?

Most of the time bytes are put behind those that are there. Where that is not enough (a CSV gets a column, a
compressed array has to lose its bracket) or not safe (a new batch's name may belong to a file from before
the job), the file is written aside as FILE.gN; it takes its name when the mark that knows of it is
committed. Until then a new batch's generations lie beside the first batch's file, as FILE.bM.gN: a resume knows
that name and can remove them, while the new one's may have the time in it.
Known limit: a new column costs a copy of the file, so many late columns cost as many copies.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from crawler.feeds.compression import Readable
from crawler.feeds.formats.base import Format
from crawler.feeds.marks import BatchMark, Rename
from crawler.feeds.outfile import NotAsMarked, OutFile

_EDGE = 1 << 16


class BatchFile:
    """The file of one batch. Methods raise OSError, NotAsMarked, and ValueError where an old file does not fit."""

    def __init__(self, path: Path, form: Format, suffix: str, *, follow: bool, beside: Path | None = None) -> None:
        self.path = path
        self._beside = beside or path  # what generations are named after
        self.renames: list[Rename] = []
        self._format = form
        self._suffix = suffix
        self._follow = follow
        self._file: OutFile | None = None
        self._held: OutFile | None = None
        self._replaced: list[OutFile] = []
        self._generation = 0
        self._trailer = 0
        self._begun = False

    def begin(self, *, append: bool, lazy: bool, hold: bool) -> None:
        """Open it in place: behind what is there, or anew.

        ``lazy``: a new file is made when an item comes. ``hold``: it is locked, and left as it is until ``make``.
        """
        old = append and self.path.exists() and self.path.stat().st_size > 0
        if old:
            file = self._file = OutFile(self.path, self._suffix, follow=self._follow)
            if not self._adopt(file):
                file.write(self._format.start())
                self._begun = True
        elif not lazy:
            self._held = OutFile(self.path, self._suffix, follow=self._follow)
            if not hold:
                self.make()

    @property
    def held(self) -> bool:
        """Whether the file is locked, and left as it was."""
        return self._held is not None

    def make(self) -> None:
        """Begin the file anew."""
        file, self._held = self._held, None
        self._file = file or OutFile(self.path, self._suffix, follow=self._follow)
        self._file.clear()
        self._file.write(self._format.start())
        self._begun = True

    def begin_aside(self, *, append: bool) -> None:
        """Open it as a generation, for its name may be taken: what is there is copied, or will be replaced."""
        old = OutFile(self.path, self._suffix, follow=self._follow) if self.path.exists() else None
        if old is not None:
            self._replaced.append(old)
        if old is not None and append and not old.empty and self._adopt(old):
            trailer, self._trailer = self._trailer, 0
            content = old.content()
            self._renew(old, lambda: _without(content, trailer))
        else:
            self._renew(old, lambda: iter((self._format.start(),)))
        self._begun = True

    def resume(self, mark: BatchMark, *, lazy: bool) -> None:
        """Open it where a mark says; ``lazy``: one that is not begun waits for an item."""
        self._generation = mark.generation
        self._trailer = mark.trailer
        self._begun = mark.begun
        remove_uncommitted(self.path, ".g", mark.generation)  # begun by writes that were not committed
        if mark.position is None:
            if not lazy:
                self._held = OutFile(self.path, self._suffix, follow=self._follow)
            return
        if not self.path.exists():
            raise NotAsMarked("it is gone")
        file = self._file = OutFile(self.path, self._suffix, follow=self._follow)
        if mark.end is not None and file.physical != mark.end:
            raise NotAsMarked(
                f"it was changed since the job stopped: {file.physical} bytes, and {mark.end} were written"
            )
        file.go_to(mark.position)
        self._format.restore(mark.state)
        # A write that was not committed may have begun what the mark knows as untouched.
        self._begun = mark.begun or file.physical != mark.original

    @property
    def _open_file(self) -> OutFile:
        assert self._file is not None
        return self._file

    def write(self, items: Sequence[dict[str, Any]]) -> bool:
        """Add items; tell whether all so far was handed to the system."""
        if self._file is None:
            self.make()
        file = self._open_file
        if self._trailer:
            trailer, self._trailer = self._trailer, 0
            content = file.content()
            self._renew(file, lambda: _without(content, trailer))
            file = self._open_file
        if not self._format.fits(items):
            self._renew(file, lambda: self._rewritten(file, items))
            file = self._open_file
        self._begun = True
        return file.write(self._format.encode(items))

    def sync(self, *, durable: bool) -> None:
        """Hand all to the system, and to the disk if durable."""
        if self._file is not None:
            if durable:
                self._file.sync()
            else:
                self._file.drain()

    def mark(self) -> BatchMark:
        """Return where the file stands, after ``sync``."""
        position = self._file.position() if self._file is not None else None
        state = self._format.state() if position is not None else {}
        return BatchMark(
            str(self.path),
            position,
            generation=self._generation,
            trailer=self._trailer,
            begun=self._begun,
            original=None if self._begun or self._file is None else self._file.physical,
            state=state,
        )

    def finish(self, *, durable: bool) -> BatchMark:
        """Write the trailer, so that the file is valid; return the mark before it, with the whole size as end."""
        self.sync(durable=False)
        mark = self.mark()
        if self._file is None:
            return mark
        if self._begun:
            self._file.end(self._format.finish())
            self.sync(durable=durable)
        return replace(mark, end=self._file.physical)

    def release(self) -> None:
        """All generations have taken the file's name: let go of those that were replaced."""
        self._beside = self.path
        for file in self._replaced:
            file.close()
        self._replaced.clear()

    def close(self) -> None:
        """Close without writing anything more."""
        self.release()
        for file in (self._file, self._held):
            if file is not None:
                file.close()

    def _adopt(self, file: OutFile) -> bool:
        """Let the format look at an old file; False if it holds nothing, as an empty compressed one does."""
        head = tail = b""
        for piece in file.content():
            if len(head) < self._format.head_size:
                head = (head + piece)[: self._format.head_size]
            tail = (tail + piece)[-_EDGE:]
        if not head:
            return False
        trailer = self._format.adopt(head, tail)
        if self._suffix:
            self._trailer = trailer
        else:
            file.go_back(trailer)
        return True

    def _rewritten(self, file: OutFile, items: Sequence[dict[str, Any]]) -> Iterator[bytes]:
        return self._format.rewrite(io.BufferedReader(Readable(file.content()), _EDGE), items)

    def _renew(self, old: OutFile | None, pieces: Callable[[], Iterator[bytes]]) -> None:
        if old is not None:
            old.drain()
        aside = self._generation_path(self._generation + 1)
        new = OutFile(aside, self._suffix, follow=False, fresh=True)
        try:
            for piece in pieces():
                new.write(piece)
            new.drain()
            if old is not None:
                new.like(old)
        except BaseException:
            new.close()
            aside.unlink(missing_ok=True)
            raise
        self._generation += 1
        self.renames.append(Rename(str(aside), str(self.path), -1 if old is None else old.physical))
        if old is not None:
            self._replaced.append(old)
        self._file = new

    def _generation_path(self, generation: int) -> Path:
        return self._beside.with_name(f"{self._beside.name}.g{generation}")


def rename(entry: Rename) -> None:
    """Give a committed generation its name, unless that is done. Raises NotAsMarked if another file took it."""
    source, target = Path(entry.source), Path(entry.target)
    if not source.exists():
        return
    size = target.stat().st_size if target.exists() else -1
    if size != entry.size:
        raise NotAsMarked(f"it was changed before {source.name} could take its place")
    os.replace(source, target)  # noqa: PTH105 - the word for it


def beside(path: Path, batch: int) -> Path:
    """Return after what the generations of a new batch are named; ``path`` is the first batch's file."""
    return path.with_name(f"{path.name}.b{batch}")


def remove_uncommitted(path: Path, suffix: str, *committed: int) -> None:
    """Remove what a killed process had begun: files named after ``path``, ``suffix`` and numbers behind these.

    Generations of the file are ``.g`` and a number, those of another batch ``.b``, its number and that. Raises OSError.
    """
    begun = path.name + suffix
    for each in path.parent.iterdir() if path.parent.is_dir() else ():
        numbers = each.name.removeprefix(begun).split(".g")
        if not each.name.startswith(begun) or len(numbers) != len(committed) or not all(map(str.isdecimal, numbers)):
            continue
        if tuple(map(int, numbers)) > committed:
            each.unlink(missing_ok=True)


def _without(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Yield all but the last ``count`` bytes."""
    kept = b""
    for piece in pieces:
        kept += piece
        if len(kept) > count:
            yield kept[: len(kept) - count]
            kept = kept[len(kept) - count :]
