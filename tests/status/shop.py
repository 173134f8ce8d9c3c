"""The spider of tests of real crawls: it looks at its own process, and at its own page as a browser does."""

from __future__ import annotations

SPIDER = '''\
import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

from crawler import Spider


def listening():
    """What this process listens on, as the system says."""
    mine = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            mine.add(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            pass
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == ("0A" if "tcp" in table else "07") and f"socket:[{fields[9]}]" in mine:
                found.append([table, fields[1].split(":")[0]])
    for line in Path("/proc/self/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "00010000" and f"socket:[{fields[6]}]" in mine:
            found.append(["unix", fields[7]])
    return found


def act(opener, base, csrf, words):
    form = f"words={words}&csrf={csrf}".encode()
    try:
        return json.load(opener.open(urllib.request.Request(base + "do", form, {"Origin": base.rstrip("/")})))
    except urllib.error.HTTPError as error:
        return {"status": error.code, **json.load(error)}


def look(url):
    """Open the page as a browser does, and try two actions."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    page = opener.open(url).read().decode()
    csrf = page.partition('name="csrf" content="')[2].partition('"')[0]
    base = url.partition("?")[0]
    now = json.load(opener.open(base + "api/now"))
    done = [act(opener, base, csrf, words) for words in ("pause", "resume")][0]
    return {"now": now, "done": done, "address": opener.open(base).url}


class Shop(Spider):
    name = "shop"
    start_urls = ["data:text/html,x"]

    async def parse(self, response):
        entries = [json.loads(file.read_text()) for file in Path(".crawler/jobs").glob("*.status")]
        modes = [oct(file.stat().st_mode & 0o777) for file in Path(".crawler/jobs").glob("*.status")]
        seen = await asyncio.to_thread(look, entries[0]["url"]) if entries else None
        yield {"listening": listening(), "entries": entries,
               "imported": [name for name in sys.modules if name.startswith(("crawler.status", "crawler.console"))],
               "modes": modes, "seen": seen}
'''
