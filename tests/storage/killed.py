"""A process that commits until it is killed: run by test_kill.py with the job's path and a seed.

Every commit finishes the oldest open requests; each brings two children and an item named after it, and
writes its counts to a fact and to a stage's memory, so that a reader can tell whether commits are whole.
Odd runs checkpoint the log all the time.
"""

from __future__ import annotations

import sqlite3
import sys
from functools import partial
from pathlib import Path

from crawler.frontier.store import START, Finished, MemoryChange
from crawler.storage.codec import Codec
from crawler.storage.sqlite import SQLiteStore
from tests.storage.support import CallbackQueue, Connection, Spider, offer

GROUP = 5


def main(path: str, run: str) -> None:
    sqlite3.connect = partial(sqlite3.connect, factory=Connection)
    reactor = CallbackQueue()
    store = SQLiteStore(Path(path), reactor=reactor, codec=Codec(Spider()))
    resumed = reactor.wait(store.open())
    if int(run) % 2:  # a checkpoint with nearly every commit, so that kills meet one
        Connection.pragmas.append("wal_autocheckpoint = 4")
    reactor.wait(store.feeds(["out.jl"]))
    done = resumed.done
    if resumed.is_new:
        reactor.wait(store.commit([Finished(START, children=[offer(f"http://a/s{n}") for n in range(GROUP)])]))
    print("ready", flush=True)
    while True:
        leased = reactor.wait(store.lease("a", GROUP, None))
        results = []
        for entry, _ in leased:
            done += 1
            children = [offer(f"http://a/{entry.token}/{n}/{'x' * 300}") for n in range(2)]
            change = MemoryChange("stage", "seen", "set", entry.token, None)
            results.append(Finished(entry.token, children=children, items=[{"of": entry.token}], memory=[change]))
        reactor.wait(store.commit(results, facts={"done": done, "run": run}))
        print(done, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
