"""What must hold on the server after every call, and what must be gone when a crawl is over?"""

from __future__ import annotations

from crawler.storage.cluster.client import Connection

KEY = "crawler:model"

SCRIPT = """
local P, broken = KEYS[1], {}
local taken, queued = 0, 0
for _, key in ipairs(redis.call('KEYS', P..':*')) do
  local name = string.sub(key, #P + 2)
  local kind = string.match(name, '^(%l+):')
  if kind == 't' then taken = taken + redis.call('HLEN', key)
  elseif kind == 'q' then queued = queued + redis.call('ZCARD', key)
  elseif kind == 's' and redis.call('SCARD', key) > 400 then broken[#broken + 1] = 'a large bucket '..key
  elseif kind == 'h' then
    local h, sum, count, leaving, limit = redis.call('HGETALL', key), 0, 0, 0, {c = 1}
    for i = 1, #h, 2 do
      if string.sub(h[i], 1, 2) == 'p:' then sum = sum + h[i + 1]; count = count + 1
      else limit[h[i]] = tonumber(h[i + 1]) end
      if string.sub(h[i], 1, 2) == 'a:' and h[i + 1] == '0' then leaving = leaving + 1 end
    end
    if count > 1 and sum > limit.c then broken[#broken + 1] = sum..' permits of '..limit.c..' at '..name end
    if count - leaving > 1 and (limit.d or 0) > 0 then broken[#broken + 1] = count..' owners and a delay at '..name end
  end
end
queued = queued + redis.call('ZCARD', P..':later')
local m = redis.call('HMGET', P..':m', 'queued', 'taken')
if tonumber(m[1] or 0) ~= queued then broken[#broken + 1] = 'queued '..(m[1] or 0)..', but there are '..queued end
if tonumber(m[2] or 0) ~= taken then broken[#broken + 1] = 'taken '..(m[2] or 0)..', but there are '..taken end
return broken
"""

_BY_NAME = ("t", "cl", "sg", "u", "q", "wait", "hw", "ask", "dirty")
_WHOLE = ("c", "cq", "later", "dying", "unfold", "aside")


class Broken(Exception):
    """A rule does not hold."""


def check(connection: Connection, script: bytes) -> None:
    """Look at the rules; raises Broken. ``script`` is the name of the loaded SCRIPT."""
    broken = connection.command("EVALSHA", script, 1, KEY)
    if broken:
        raise Broken("; ".join(each.decode() for each in broken))


def check_left(connection: Connection) -> None:
    """What is bounded by the work under way is gone when there is none; raises Broken."""
    living = {name.decode() for name in connection.command("ZRANGE", f"{KEY}:w", 0, -1)}
    for key in connection.command("KEYS", f"{KEY}:*"):
        name = key.decode()[len(KEY) + 1 :]
        kind, _, rest = name.partition(":")
        if kind in ("hw", "ask", "dirty", "wait", "w") and (rest in living or kind == "wait" or not rest):
            continue
        if kind == "w" and connection.command("PTTL", key) > 0:  # one that has left: its last answer goes by itself
            continue
        if (kind in (*_BY_NAME, "w") and rest) or name in _WHOLE:
            raise Broken(f"over, but {name} is left")
