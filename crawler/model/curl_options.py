"""Which options has a curl command, and what is known of each?

By https://curl.se/docs/manpage.html. An option takes a value or none; the names below are long ones, each behind
its letter where it has one.
"""

from __future__ import annotations

from crawler.model.invalid import InvalidRequest

BODIES = frozenset({"--data", "--data-ascii", "--data-raw", "--data-binary", "--data-urlencode", "--json"})
FORMS = frozenset({"--form", "--form-string"})
_FLAGS = (
    "-G --get -I --head -g --globoff"
    " -# --progress-bar -0 --http1.0 -4 --ipv4 -6 --ipv6 -f --fail -i --include -J --remote-header-name"
    " -j --junk-session-cookies -k --insecure -L --location -N --no-buffer -O --remote-name -q --disable"
    " -R --remote-time -s --silent -S --show-error -v --verbose -Z --parallel --basic --compressed --create-dirs"
    " --fail-early --fail-with-body --http1.1 --http2 --http2-prior-knowledge --http3 --http3-only --no-keepalive"
    " --no-progress-meter --no-sessionid --path-as-is --raw --retry-all-errors --retry-connrefused --ssl --ssl-reqd"
    " --tcp-fastopen --tcp-nodelay -1 --tlsv1 --tlsv1.0 --tlsv1.1 --tlsv1.2 --tlsv1.3 --tr-encoding --trace-time"
    " --styled-output --xattr --ca-native --doh-insecure"
)
_WITH_VALUE = (
    "-A --user-agent -b --cookie -d --data -e --referer -F --form -H --header -m --max-time -r --range -u --user -U"
    " --proxy-user -x --proxy -X --request"
    " --url --oauth2-bearer --form-string"
    " -c --cookie-jar -D --dump-header -o --output -w --write-out -y --speed-time -Y --speed-limit"
    " --cacert --capath --ciphers --tls13-ciphers --tls-max --curves --connect-timeout --dns-servers --doh-url"
    " --expect100-timeout --happy-eyeballs-timeout-ms --keepalive-time --limit-rate --local-port --max-filesize"
    " --max-redirs --output-dir --parallel-max --proto --proto-default --proto-redir --rate --retry --retry-delay"
    " --retry-max-time --stderr --trace --trace-ascii --trace-config"
)
_NOT_DONE = {
    "-T --upload-file": "the body is in a file; give its text by --data-raw",
    "-K --config": "options are in a file; write them out",
    "-n --netrc --netrc-file --netrc-optional": "the password is in a file; give it by -u NAME:PASSWORD",
    "-: --next": "it begins another request; make one of each command",
    "--digest --ntlm --negotiate --anyauth": "use Request(auth=…) or HTTP_AUTH, which answer as the site asks",
    "--aws-sigv4": "requests are not signed",
    "-E --cert --key --cert-type --key-type --pass": "client certificates are settings (TLS_HOSTS)",
    "-z --time-cond -C --continue-at": "it depends on a file",
    "--variable --expand-url --expand-data --expand-header": "variables are not replaced; write their values",
    "-a --append -Q --quote -l --list-only -B --use-ascii -P --ftp-port -t --telnet-option": "it is not about HTTP",
    "--resolve --connect-to --unix-socket --abstract-unix-socket --interface --noproxy --preproxy --proxy-header"
    " --proxy1.0 --proxytunnel -p --socks4 --socks4a --socks5 --socks5-hostname": "it says how a host is reached;"
    " that is a matter of settings, and of proxy=",
    "--request-target --location-trusted --post301 --post302 --post303 --crlf --url-query --form-escape --http0.9": (
        "such requests are not made"
    ),
}
_OPTIONS: dict[str, tuple[str, bool]] = {}
"""Spelling: the long name, and whether a value follows."""
for _listed, _valued in ((_FLAGS, False), (_WITH_VALUE, True)):
    _names = _listed.split()
    for _number, _name in enumerate(_names):
        _OPTIONS[_name] = (_name if _name.startswith("--") else _names[_number + 1], _valued)
_OPTIONS |= {_name: (_name, True) for _name in BODIES}
_REFUSED = {name: why for names, why in _NOT_DONE.items() for name in names.split()}


class Given:
    """The options of a command, in their order: long name and value (the body's by the spelling used)."""

    def __init__(self, words: list[str]) -> None:
        self.options: list[tuple[str, str]] = []
        self.urls: list[str] = []
        self.unknown: list[str] = []
        self._words = words
        only_urls = False
        while self._words:
            word = self._words.pop(0)
            if only_urls or word == "-" or not word.startswith("-"):
                self.urls.append(word)
            elif word == "--":
                only_urls = True
            elif word.startswith("--"):
                self._option(word)
            else:
                self._letters(word[1:])

    def _letters(self, letters: str) -> None:
        while letters:
            option, letters = f"-{letters[0]}", letters[1:]
            if self._option(option, letters):
                return

    def _option(self, spelling: str, attached: str = "") -> bool:
        """Note an option, and tell whether it took what is attached to it."""
        if spelling in _REFUSED:
            raise InvalidRequest(f"curl {spelling}: {_REFUSED[spelling]}")
        if spelling.startswith("--no-") and (f"--{spelling[5:]}", False) in _OPTIONS.values():
            return False
        if spelling not in _OPTIONS:
            self.unknown.append(spelling)
            return False
        name, has_value = _OPTIONS[spelling]
        if has_value and not attached and not self._words:
            raise InvalidRequest(f"not a curl command that can be read: {spelling}: expected one argument")
        value = (attached or self._words.pop(0)) if has_value else ""
        if name == "--url":
            self.urls.append(value)
        self.options.append((name, value))
        return has_value

    def every(self, *names: str) -> list[str]:
        """Return the values of some options, in their order."""
        return [value for name, value in self.options if name in names]

    def last(self, name: str) -> str | None:
        """Return the value that counts of an option, None if it was not given."""
        return next((value for given, value in reversed(self.options) if given == name), None)

    def has(self, name: str) -> bool:
        """Tell whether an option was given."""
        return any(given == name for given, _ in self.options)

    def seconds(self) -> float | None:
        """Return how long the whole exchange may take; raises InvalidRequest."""
        value = self.last("--max-time")
        try:
            return None if value is None else float(value)
        except ValueError:
            raise InvalidRequest(f"curl -m: invalid float value: {value!r}") from None
