"""What must a server be, so that a job on it cannot be lost?

Asked once, before anything starts. What makes a crawl go wrong later is refused, with what to do; what costs two
seconds of work in the worst case is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crawler.errors import UsageError
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.trouble import full, in_cluster_mode

LEAST_VERSION = (7, 0)
"""Functions came with Redis 7.0; Valkey is later than that."""


def check_server(connection: Connection, *, resumed: bool = False) -> list[str]:
    """Return what is to be warned of; raises UsageError for a server that is not fit for jobs.

    ``resumed``: for a job that is there already. A full server may be emptied by going on with it.
    """
    info = server_info(connection)
    at = connection.address.url
    problems = (_version(info), _mode(info, at), _eviction(info), _disk(info), None if resumed else _memory(info, at))
    for problem in problems:
        if problem is not None:
            raise UsageError(problem if at in problem else f"the server at {at} {problem}")
    return [f"The server at {at} {warning}" for warning in _warnings(info)]


def server_info(connection: Connection) -> dict[str, str]:
    """Return what the server says of itself (INFO)."""
    text = connection.command("INFO").decode("utf-8", "replace")
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _version(info: Mapping[str, str]) -> str | None:
    found = info.get("redis_version", "")
    numbers = tuple(map(int, re.findall(r"\d+", found)[:2]))
    if numbers >= LEAST_VERSION:
        return None
    return f"is Redis {found or 'of an unknown version'}; jobs need Redis 7 or newer, or Valkey: use a newer one"


def _mode(info: Mapping[str, str], at: str) -> str | None:
    if info.get("cluster_enabled") == "1" or info.get("redis_mode") == "cluster":
        return in_cluster_mode(at)
    if info.get("redis_mode") == "sentinel":
        return "is a sentinel, which keeps no data: give the URL of the primary that it watches"
    if info.get("role") in ("slave", "replica"):
        primary = f"{info.get('master_host')}:{info.get('master_port')}"
        return f"is a replica, which may be behind and cannot be written to: give the URL of its primary, {primary}"
    return None


def _eviction(info: Mapping[str, str]) -> str | None:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy == "noeviction":
        return None
    return (
        f"removes keys when its memory is full (maxmemory-policy {policy}), and a job would lose pages: set it to "
        "noeviction (`redis-cli config set maxmemory-policy noeviction`, and in its configuration)"
    )


def _disk(info: Mapping[str, str]) -> str | None:
    if info.get("aof_enabled") == "1" and info.get("aof_last_write_status", "ok") != "ok":
        return "cannot write its append-only file, and takes nothing more: see its log, and the space on its disk"
    return None


def _memory(info: Mapping[str, str], at: str) -> str | None:
    limit, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    return full(at) if 0 < limit <= used else None


def _warnings(info: Mapping[str, str]) -> list[str]:
    if info.get("aof_enabled") != "0":
        return []
    return [
        "keeps no append-only file: if it is started again, the crawl loses what was done since its last snapshot, and "
        "does that again (`redis-cli config set appendonly yes`, and in its configuration)"
    ]
