"""Which words does a shell make of a command line?

Of the POSIX shells with bash's $'…', and of Windows' cmd with what its programs do to their command line. A
request is made of one command alone: what a shell would expand, or run besides, is an error that names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from crawler.model.invalid import InvalidRequest

_OPERATORS = "|&;<>()"
_ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# Outside of a POSIX shell's quotes nobody writes a lone "^": cmd continues lines and escapes quotes by it.
_QUOTED_FOR_POSIX = re.compile(r"""\$'(?:[^'\\]|\\.)*'|'[^']*'|"(?:[^"\\]|\\.)*"|\\.""", re.DOTALL)
_FOR_CMD = re.compile(r"(?:^|\s)\^(?:\s|$)|\^\n")
# Where one line has none, a quote doubled inside a word is how older browsers wrote one for cmd.
_SINGLY_QUOTED = re.compile(r'(?:[^"\\]++|\\.|"(?:[^"\\]|\\.)*+"(?!"))*+', re.DOTALL)
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_LINE_END = re.compile(r"[ \t]*\n")
_BY_BROWSER = re.compile(r'\s\^"')
_BACKSLASHES = re.compile(r'(\\*)("?)')


def words_of(command: str) -> list[str]:
    """Return the words of a command as its shell gives them to the program; raises InvalidRequest.

    Bytes that are no UTF-8 ("\\xe9" in $'…') come as lone surrogates, as in os.fsdecode.
    """
    command = command.replace("\r\n", "\n").strip(" \t\n\r")
    if _FOR_CMD.search(_QUOTED_FOR_POSIX.sub("", command)) or ("'" not in command and _has_doubled(command)):
        return _split_for_program(_unescaped_for_cmd(command), doubled=_BY_BROWSER.search(command) is not None)
    return _Posix(command).words()


def _has_doubled(command: str) -> bool:
    found = _SINGLY_QUOTED.match(command)
    return found is not None and found.end() < len(command)


def _refused(what: str) -> InvalidRequest:
    return InvalidRequest(f"not a curl command that can be read: {what}")


def _operator(character: str) -> InvalidRequest:
    return _refused(f"{character!r} outside of quotes: give one command alone, and quote a URL that has one")


class _Posix:
    """A command on its way to words, by the Shell Command Language of POSIX, section 2.2."""

    def __init__(self, command: str) -> None:
        self._text = command
        self._at = 0
        self._word: str | None = None
        self._quotings: dict[str, Callable[[], str]] = {
            "'": self._single,
            '"': self._double,
            "\\": self._escaped,
            "$": self._dollar,
        }

    def words(self) -> list[str]:
        found = []
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in " \t\n":
                if self._word is not None:
                    found.append(self._word)
                    self._word = None
                if character == "\n" and self._text[self._at :].strip(" \t\n"):
                    raise _refused("a line ends without \\ and another follows")
                self._at += 1
            elif self._text[self._at : self._at + 2] in ("\\\n", "\\"):  # also where nothing follows any more
                self._at += 2
            elif character == "#" and self._word is None:
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif character in _OPERATORS:
                raise _operator(character)
            elif character == "`":
                raise _refused("a backtick outside of single quotes, which a shell would run or PowerShell continue at")
            else:
                self._word = (self._word or "") + self._quotings.get(character, self._plain)()
        return found if self._word is None else [*found, self._word]

    def _plain(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise _refused("No closing quotation")
        text, self._at = self._text[self._at + 1 : end], end + 1
        return text

    def _escaped(self) -> str:
        following = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        return "" if following == "\n" else following

    def _dollar(self) -> str:
        following = self._text[self._at + 1 : self._at + 2]
        if following == "'":
            found = _ANSI.match(self._text, self._at)
            if found is None:
                raise _refused("No closing quotation")
            self._at = found.end()
            return _ansi_text(found[1])
        if following == '"':
            self._at += 1
            return self._double()
        return self._expansion(following)

    def _expansion(self, following: str) -> str:
        if following and (following.isalnum() or following in "_{(@*#?$!-"):
            raise _refused(f"${following}… outside of single quotes, which a shell would replace by a value")
        return self._plain()

    def _double(self) -> str:
        self._at += 1
        text = ""
        while self._at < len(self._text):
            character = self._text[self._at]
            following = self._text[self._at + 1 : self._at + 2]
            if character == '"':
                self._at += 1
                return text
            if character == "`":
                raise _refused("a backtick outside of single quotes, which a shell would run")
            if character == "$":
                text += self._expansion(following if following not in "'\"" else "")
            elif character == "\\" and following and following in '$`"\\\n':
                text += self._escaped()
            else:
                text += self._plain()
        raise _refused("No closing quotation")


def _ansi_text(quoted: str) -> str:
    """Return the text of $'…'. Escapes by number below 256 are bytes, those by \\u are characters."""
    octets = bytearray()
    position = 0
    for escape in _ESCAPE.finditer(quoted):
        octets += quoted[position : escape.start()].encode("utf-8", "surrogatepass")
        position = escape.end()
        if code := escape[1] or escape[2]:
            number = int(code, 16)
            octets += chr(number if number <= 0x10FFFF else 0xFFFD).encode("utf-8", "surrogatepass")
        elif escape[3] or escape[4]:
            octets.append(int(escape[3], 16) if escape[3] else int(escape[4], 8) & 0xFF)
        elif escape[5]:
            octets.append(ord(escape[5]) & 0x1F)
        else:
            octets += _LETTERS.get(escape[6], escape[6] if escape[6] in "\\'\"?" else f"\\{escape[6]}").encode()
    octets += quoted[position:].encode("utf-8", "surrogatepass")
    try:
        text = octets.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return octets.decode("utf-8", "surrogateescape")
    # Some browsers write what is beyond 16 bits as two \u.
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text)


def _unescaped_for_cmd(command: str) -> str:
    """Return the command line that cmd hands on: carets taken away outside of quotes."""
    handed = []
    quoted = False
    position = 0
    while position < len(command):
        character = command[position]
        position += 1
        if character == "^" and not quoted:
            if (ending := _LINE_END.match(command, position)) is not None:
                position = ending.end()
            # Whatever follows is plain, also a quote, and a line end behind a line that is continued.
            handed.append(command[position : position + 1])
            position += 1
            continue
        if character == "\n":
            if command[position:].strip():
                raise _refused("a line ends without ^ and another follows")
            break
        if character == '"':
            quoted = not quoted
        elif character in "|&<>" and not quoted:
            raise _operator(character)
        handed.append(character)
    return "".join(handed)


def _split_for_program(line: str, *, doubled: bool) -> list[str]:
    """Split as Microsoft's C runtime does: backslashes are special before a quote, "" inside quotes is one.

    Browsers double all of them (``doubled``), which that runtime would leave so; what was copied is meant.
    """
    words: list[str] = []
    word: str | None = None
    quoted = False
    position = 0
    while position < len(line):
        character = line[position]
        if character in " \t" and not quoted:
            words += [] if word is None else [word]
            word = None
            position += 1
            continue
        found = _BACKSLASHES.match(line, position)
        backslashes, quote = (found[1], found[2]) if found else ("", "")
        position += len(backslashes) + len(quote)
        word = word or ""
        if not quote:
            word += backslashes[: (len(backslashes) + 1) // 2] if doubled else backslashes
            if not backslashes:
                word += character
                position += 1
        elif len(backslashes) % 2:
            word += backslashes[: len(backslashes) // 2] + '"'
        else:
            word += backslashes[: len(backslashes) // 2]
            if quoted and line[position : position + 1] == '"':
                word += '"'
                position += 1
            else:
                quoted = not quoted
    if quoted:
        raise _refused("No closing quotation")
    return words if word is None else [*words, word]
