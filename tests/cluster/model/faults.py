"""Faults that one might make in the function library, as patches of its text. Each is found by the model."""

from __future__ import annotations

from tests.cluster.model.library import Patch

FAULTS: dict[str, Patch] = {
    "request fence left out": [
        ("if not known[1] then return LATE end", "known[1] = known[1] or seq - 1"),
        (
            "if not alive or seq ~= known[1] + 1 or not owns(P, w, turn) then return LATE end",
            "if seq ~= known[1] + 1 then return LATE end",
        ),
    ],
    # What somebody is asked for is another one's before the holder has answered.
    "host fence left out": [
        (
            "  h.a[largest] = target\n",
            "  set(P, largest, h, target)\n  if target == 0 then return end\n  h.a[largest] = target\n",
        ),
    ],
    "permits counted twice": [("return max(h.c - h.sum, 0)", "return h.c")],
    "a host given up too early": [
        (
            "'-inf', '('..number(now), 'BYSCORE', 'WITHSCORES')",
            "'-inf', '('..number(now + 9000), 'BYSCORE', 'WITHSCORES')",
        ),
        ("drop_worker(P, late[i], now, tonumber(late[i + 1]), false", "drop_worker(P, late[i], now, now, false"),
    ],
    # Queued now, registered by a later call.
    "dedupe after queueing": [
        (
            "if not register(P, seen, child.fp) and child.check then",
            "call('RPUSH', P..':queued', child.fp)\n  if is_seen(P, seen, child.fp) and child.check then",
        ),
        (
            "  bury_late(P, w, now, seen, touched)\n  wake(P, now, touched)\n",
            "  bury_late(P, w, now, seen, touched)\n  wake(P, now, touched)\n  if #turn.fin == 0 then\n"
            "    for _, fp in ipairs(call('LRANGE', P..':queued', 0, -1)) do register(P, seen, fp) end\n"
            "    call('DEL', P..':queued')\n  end\n",
        ),
    ],
    "end judged without what works aside": [("P..':cq', P..':aside') == 0", "P..':cq') == 0")],
    "an end that nothing calls off": [("if m.over ~= '' then call('HDEL', P..':m', 'over') end\n    m.over = ''", "")],
    # The queue is looked at in one call, what is at work in the next.
    "end judged in two steps": [
        (
            "  return m.queued == 0 and m.taken == 0",
            "  local before = call('HGET', P..':m', 'before')\n  call('HSET', P..':m', 'before', m.queued)\n"
            "  return before == '0' and m.taken == 0",
        ),
    ],
    "no replay": [
        ("if seq == tonumber(known[1]) then", "if false then"),
        ("or seq ~= known[1] + 1 or", "or (seq ~= known[1] + 1 and seq ~= tonumber(known[1])) or"),
    ],
    "number unchecked": [("or seq ~= known[1] + 1 or", "or")],
    "gap from what was told only": [("if h.d > 0 and not told_all then", "if false then")],
    "no grace after a restart": [("if m[3] and m[3] ~= run then", "if false then")],
    "raw clock": [("if passed < 0 or passed > STEP then passed = 0 end", "")],
    "a feed writer that trusts its own mark": [
        ("text(server_run()), int(m.items), list(rows)", "text('1'), int(m.items), list(rows)"),
        ("text(server_run()), int(m.items), list(marks)", "text('1'), int(m.items), list(marks)"),
        ("if (run ~= '' and run ~= server_run()) or reached > items then return text('back') end", ""),
        ("if before ~= was then return text('back') end", ""),
    ],
}

OF_CODE_BY_ITSELF = {"end judged without what works aside", "an end that nothing calls off"}
"""Faults that plain worlds do not show; all others are found in these sooner."""
