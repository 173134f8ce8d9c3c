#!lua name=@NAME@
-- What becomes of a job's keys on the server: all that changes one is here, so each change is whole.
--
-- Every function has one key, P, what the job's keys begin with. House rules: everything is checked before the first
-- write, and behind it nothing may raise (what was written stays); numbers come and go as texts; no unpack beyond 7,000.
--
--   m               counters and the like of the job          w          workers: name -> end of the lease
--   w:NAME          a worker: its last call, and its answer   dying      buried workers that still have rows
--   t:NAME          rows that it has: token -> row            hw:NAME    hosts that it holds
--   ask:NAME        hosts that others ask it for              wt:NAME    hosts that it waits for
--   dirty:NAME      its hosts whose queue has changed
--   cl:NAME         its claims: token -> fingerprints         sg:NAME    its tokens with staged children
--   sg:NAME:TOKEN   staged children, not yet decided          u:NUMBER   decided ones, to be queued (those in `unfold`)
--   h:HOST          permits by worker, delay, next request    wait:HOST  workers that something waits for it at
--   q:HOST          its queue                                 hot        hosts to be had: name -> when
--   share           shared hosts with rows                    later      rows that wait: row -> when
--   s:NUMBER        fingerprints, by bucket                   c          claimed: fingerprint -> worker and token
--   cq              children that a claim keeps waiting       o, feeds, marks, numbers   items, and how far feeds are
--   mem:..., mems   memory of stages                          f, fv, hf:HOST             facts, by version, by host
--   by:NAME:...     facts of which each worker has one        digests    of results of start()
--   x               records of what has ended                 hungry     workers with nothing to do: name -> when
--   aside           workers in which code works for itself

local STEP = 3000      -- milliseconds: a longer time between two calls, or a step of the clock, counts nothing
local AHEAD = 1000     -- hosts that are due so soon are given out already
local KEPT = 1000      -- so long a host that was just given out is not asked back
local SLICE = 1000     -- rows that one call moves or unfolds beside its own
local BUCKET = 190     -- fingerprints of a bucket, on average: at most some 400, where 512 end its small form
local EXCLUSIVE = 1000000  -- permits of a host's only owner, who follows its limits itself

-- The server's libraries are not there yet while this is loaded.
local function call(...) return redis.call(...) end
local function floor(n) return n - n % 1 end
local function max(a, b) return a > b and a or b end
local function number(n) return string.format('%.0f', n) end
local function min(a, b) return a < b and a or b end

-- Time, and the server that tells it

local function server_time()
  local x = call('TIME')
  return x[1] * 1000 + floor(x[2] / 1000)
end

local process
local function server_run()
  -- What is local ends with the process.
  if not process then process = string.match(call('INFO', 'server'), 'run_id:(%w+)') or '' end
  return process
end

local function clock(P)
  -- The job's clock: a step of the server's, or its absence, expires nothing.
  local t = server_time()
  local m = call('HMGET', P..':m', 'clock', 'time', 'run', 'lease')
  local now, last = tonumber(m[1] or 0), tonumber(m[2] or t)
  local passed = t - last
  if passed < 0 or passed > STEP then passed = 0 end
  now = now + passed
  local run = server_run()
  call('HSET', P..':m', 'clock', number(now), 'time', number(t), 'run', run)
  if m[3] and m[3] ~= run then
    -- Another process, or an older state: what seems free may be somebody's, until all that are known have called or
    -- expired, and one that has joined since that state would have expired.
    local known = call('ZRANGE', P..':w', 0, -1)
    for _, w in ipairs(known) do call('SADD', P..':unsure', w) end
    if #known > 0 then call('HSET', P..':m', 'grace', number(now + (tonumber(m[4]) or 0))) end
  end
  return now
end

-- MessagePack

local function int(n) return '\211'..struct.pack('>i8', n) end
local function text(s) return '\219'..struct.pack('>I4', #s)..s end
local function bytes(s) return '\198'..struct.pack('>I4', #s)..s end
local function list(a) return '\221'..struct.pack('>I4', #a)..table.concat(a) end
local NONE = '\192'

-- Rows: a queue's member is its place (as a double, whose bytes sort like the number), the deaths, the payload. The
-- place is the token; where the newest goes first it is behind all tokens, and counted down; that of one of start()
-- is behind those, and counted up.

local function score_of(priority)
  if priority == '0' then return '0' end
  if string.sub(priority, 1, 1) == '-' then return string.sub(priority, 2) end
  return '-'..priority
end

local function member_of(token, deaths, payload) return struct.pack('>d', token)..string.char(deaths)..payload end
local NEWEST = 2 ^ 52
local function place_of(member) return (struct.unpack('>d', member)) end
local function placed(token, order)
  if order == 1 then return NEWEST - token end
  return order == 2 and NEWEST + token or token
end
local function token_of(member)
  local place = place_of(member)
  if place > NEWEST then return place - NEWEST end
  return place > NEWEST / 2 and NEWEST - place or place
end
local function row_of(score, due, host, member) return struct.pack('>ddI2', score, due, #host)..host..member end
local function parts_of(row)
  local score, due, length = struct.unpack('>ddI2', row)
  return score, due, string.sub(row, 19, 18 + length), string.sub(row, 19 + length)
end

-- Hosts

local function host(P, name)
  local fields = call('HGETALL', P..':h:'..name)
  local h = {name = name, c = 1, d = 0, next = 0, share = 0, sum = 0, count = 0, p = {}, a = {}, g = {}}
  for i = 1, #fields, 2 do
    local field, value = fields[i], tonumber(fields[i + 1])
    local kind = string.sub(field, 1, 2)
    if kind == 'p:' then
      h.p[string.sub(field, 3)] = value; h.sum = h.sum + value; h.count = h.count + 1
    elseif kind == 'a:' then h.a[string.sub(field, 3)] = value
    elseif kind == 'g:' then h.g[string.sub(field, 3)] = value
    else h[field] = value end
  end
  return h
end

local function free_of(h)
  if h.share == 1 then return max(h.c - h.sum, 0) end
  return h.count == 0 and EXCLUSIVE or 0
end

local function arm(P, h)
  -- Whoever holds it learns what is in its queue; it is to be had while it has rows and permits.
  local rows = call('EXISTS', P..':q:'..h.name) == 1
  for w in pairs(h.p) do call('SADD', P..':dirty:'..w, h.name) end
  if rows and free_of(h) > 0 then call('ZADD', P..':hot', number(h.next), h.name) else call('ZREM', P..':hot', h.name) end
  if rows and h.share == 1 and h.count > 0 then call('SADD', P..':share', h.name) else call('SREM', P..':share', h.name) end
  -- A host without rows and holders is remembered while it must not be asked, and where it was told of.
end

local function set(P, w, h, permits)
  local key, old = P..':h:'..h.name, h.p[w] or 0
  if permits == old then return end
  h.sum = h.sum - old + permits
  if permits > 0 then
    if old == 0 then h.count = h.count + 1; call('SADD', P..':hw:'..w, h.name) end
    h.p[w] = permits
    call('HSET', key, 'p:'..w, permits)
    if h.a[w] and permits <= h.a[w] then h.a[w] = nil; call('HDEL', key, 'a:'..w) end
  else
    h.count = h.count - 1
    h.p[w], h.a[w], h.g[w] = nil, nil, nil
    call('HDEL', key, 'p:'..w, 'a:'..w, 'g:'..w)
    call('SREM', P..':hw:'..w, h.name)
    call('SREM', P..':dirty:'..w, h.name)
    call('SREM', P..':ask:'..w, h.name)
  end
end

local function grant(P, w, h, now)
  if call('EXISTS', P..':unsure') == 1 or now < tonumber(call('HGET', P..':m', 'grace') or 0) then return 0 end
  local free = free_of(h)
  if free <= 0 or h.a[w] then return 0 end
  set(P, w, h, (h.p[w] or 0) + free)
  h.g[w] = max(now, h.next) + KEPT
  call('HSET', P..':h:'..h.name, 'g:'..w, number(h.g[w]))
  return h.p[w]
end

local function ask(P, h, now, goal)
  -- The largest holder is asked, and not before it could send something itself.
  local largest, permits = nil, 0
  for w, n in pairs(h.p) do
    if n > permits or (n == permits and w < largest) then largest, permits = w, n end
  end
  if not largest or h.a[largest] or now < (h.g[largest] or 0) then return end
  local target = goal(permits)
  if target >= permits then return end
  h.a[largest] = target
  call('HSET', P..':h:'..h.name, 'a:'..largest, target)
  call('SADD', P..':ask:'..largest, h.name)
end

local function ask_to_leave(P, h, keeper)
  for w in pairs(h.p) do
    if w ~= keeper and h.a[w] ~= 0 then
      h.a[w] = 0
      call('HSET', P..':h:'..h.name, 'a:'..w, 0)
      call('SADD', P..':ask:'..w, h.name)
    end
  end
end

local function waits_first(P, name)
  while true do
    local w = call('ZRANGE', P..':wait:'..name, 0, 0)[1]
    if not w then return nil end
    if call('ZSCORE', P..':w', w) then return w end
    call('ZREM', P..':wait:'..name, w)
  end
end

local function wait_no_more(P, w, name)
  call('ZREM', P..':wait:'..name, w)
  call('SREM', P..':wt:'..w, name)
end

local function state_of(P, name)
  -- How many rows of a host are in its queue, and the first of them.
  local count = call('ZCARD', P..':q:'..name)
  if count == 0 then return int(0), NONE end
  local first = call('ZRANGE', P..':q:'..name, 0, 0, 'WITHSCORES')
  return int(count), list({int(tonumber(first[2])), int(place_of(first[1]))})
end

-- Queues. `touched` gathers hosts that are to be armed.

local function enqueue(P, name, score, member, due, now, touched)
  if due > now then
    call('ZADD', P..':later', number(due), row_of(score, due, name, member))
  else
    call('ZADD', P..':q:'..name, number(score), member)
    touched[name] = true
  end
  call('HINCRBY', P..':m', 'queued', 1)
end

local function wake(P, now, touched)
  for _, row in ipairs(call('ZRANGE', P..':later', '-inf', number(now), 'BYSCORE', 'LIMIT', 0, SLICE)) do
    local score, _, name, member = parts_of(row)
    call('ZREM', P..':later', row)
    call('ZADD', P..':q:'..name, number(score), member)
    touched[name] = true
  end
end

local function take(P, w, name, count)
  local popped = call('ZPOPMIN', P..':q:'..name, count)
  local rows = {}
  for i = 1, #popped, 2 do
    local member, score = popped[i], tonumber(popped[i + 1])
    local token = token_of(member)
    call('HSET', P..':t:'..w, number(token), row_of(score, 0, name, member))
    rows[#rows + 1] = list({int(place_of(member)), int(-score), int(string.byte(member, 9)), bytes(string.sub(member, 10))})
  end
  if #rows > 0 then
    call('HINCRBY', P..':m', 'taken', #rows)
    call('HINCRBY', P..':m', 'queued', -#rows)
  end
  return rows
end

-- Fingerprints: linear hashing, so that no bucket leaves the small form of a set of numbers

local function bucket_of(fingerprint, buckets, whole)
  local x = tonumber(string.sub(fingerprint, -9))  -- a pattern that ends in "$" costs thirty times as much
  if x < 0 then x = -x end
  local number = x % (whole * 2)
  if number >= buckets then number = x % whole end
  return number
end

local function open_seen(P)
  local m = call('HMGET', P..':m', 'buckets', 'seen')
  local seen = {buckets = tonumber(m[1] or 1), count = tonumber(m[2] or 0), whole = 1, changed = false, duplicates = 0}
  seen.claims = call('EXISTS', P..':c') == 1
  while seen.whole * 2 <= seen.buckets do seen.whole = seen.whole * 2 end
  return seen
end

local function split(P, seen)
  local old = seen.buckets - seen.whole
  local buckets, moved = seen.buckets + 1, {}
  for _, fingerprint in ipairs(call('SMEMBERS', P..':s:'..old)) do
    if bucket_of(fingerprint, buckets, seen.whole) ~= old then moved[#moved + 1] = fingerprint end
  end
  for i = 1, #moved, 5000 do
    local last = min(i + 4999, #moved)
    call('SREM', P..':s:'..old, unpack(moved, i, last))
    call('SADD', P..':s:'..seen.buckets, unpack(moved, i, last))
  end
  seen.buckets = buckets
  if buckets == seen.whole * 2 then seen.whole = buckets end
end

local function register(P, seen, fingerprint)
  local key = P..':s:'..bucket_of(fingerprint, seen.buckets, seen.whole)
  if call('SADD', key, fingerprint) == 0 then return false end
  seen.count = seen.count + 1
  seen.changed = true
  if seen.count > seen.buckets * BUCKET then split(P, seen) end
  return true
end

local function is_seen(P, seen, fingerprint)
  return call('SISMEMBER', P..':s:'..bucket_of(fingerprint, seen.buckets, seen.whole), fingerprint) == 1
end

local function close_seen(P, seen)
  if seen.duplicates > 0 then
    call('HINCRBY', P..':m', 'duplicates', seen.duplicates)
    seen.duplicates = 0
  end
  if seen.changed then call('HSET', P..':m', 'buckets', seen.buckets, 'seen', seen.count) end
end

-- A child that meets the claim of somebody waits for what becomes of the claim.

local function keep_waiting(P, fingerprint, token, child)
  call('HSETNX', P..':cq', fingerprint, row_of(tonumber(child.score), 0, child.host,
    member_of(placed(token, child.order), 0, child.payload)))
end

local function free_claims(P, seen, claims, now, touched)
  -- Whoever claimed these does not register them.
  for fingerprint in string.gmatch(claims, '%S+') do
    call('HDEL', P..':c', fingerprint)
    local row = call('HGET', P..':cq', fingerprint)
    if row then
      call('HDEL', P..':cq', fingerprint)
      if register(P, seen, fingerprint) then
        local score, _, name, member = parts_of(row)
        enqueue(P, name, score, member, 0, now, touched)
      end
    end
  end
end

local function free_claims_of(P, seen, w, token, now, touched)
  local claims = call('HGET', P..':cl:'..w, token)
  if not claims then return end
  call('HDEL', P..':cl:'..w, token)
  free_claims(P, seen, claims, now, touched)
end

local function offer(P, seen, child, token, now, touched)
  -- A new request: tell whether it was queued, under this token.
  if seen.claims and child.check and call('HEXISTS', P..':c', child.fp) == 1 then
    keep_waiting(P, child.fp, token, child)
    return false
  end
  if not register(P, seen, child.fp) and child.check then
    seen.duplicates = seen.duplicates + 1
    return false
  end
  call('ZADD', P..':q:'..child.host, child.score, member_of(placed(token, child.order), 0, child.payload))
  touched[child.host] = true
  return true
end

local function pack_child(child)
  return struct.pack('>I2I2I2B', #child.fp, #child.score, #child.host, child.order * 2 + (child.check and 1 or 0))
    ..child.fp..child.score..child.host..child.payload
end

local function unpack_child(s)
  local f, r, h, check = struct.unpack('>I2I2I2B', s)
  local at = 8
  return {fp = string.sub(s, at, at + f - 1), score = string.sub(s, at + f, at + f + r - 1),
    host = string.sub(s, at + f + r, at + f + r + h - 1), check = check % 2 == 1, order = floor(check / 2), payload = string.sub(s, at + f + r + h)}
end

local function unfold(P, seen, now, touched)
  -- Children of a committed page that came ahead of its commit.
  local left, queued = SLICE, 0
  while left > 0 do
    local which = call('LINDEX', P..':unfold', 0)
    if not which then break end
    local children = call('LPOP', P..':u:'..which, left) or {}
    local token = tonumber(call('HGET', P..':m', 'u:'..which) or 0)
    for _, packed in ipairs(children) do
      token = token + 1
      if offer(P, seen, unpack_child(packed), token, now, touched) then queued = queued + 1 end
    end
    left = left - #children
    if call('EXISTS', P..':u:'..which) == 0 then
      call('LPOP', P..':unfold')
      call('HDEL', P..':m', 'u:'..which)
    else
      call('HSET', P..':m', 'u:'..which, number(token))
    end
  end
  if queued > 0 then call('HINCRBY', P..':m', 'queued', queued) end
end

-- The end of a worker: its name first, which is the fence, then its hosts, then its rows, some at a time

local function drop_staged(P, w, token)
  call('UNLINK', P..':sg:'..w..':'..token)
  call('SREM', P..':sg:'..w, token)
end

local function drop_worker(P, w, now, ended, told_all, seen, touched)
  if call('ZREM', P..':w', w) == 1 then
    call('ZADD', P..':dying', number(ended), w)
    if not told_all then call('DEL', P..':w:'..w) end
    call('SREM', P..':unsure', w)
    call('ZREM', P..':hungry', w)
    call('SREM', P..':aside', w)
    for _, name in ipairs(call('SMEMBERS', P..':hw:'..w)) do
      local h = host(P, name)
      -- It may have sent until its own fence, and told nobody.
      if h.d > 0 and not told_all then
        h.next = max(h.next, ended + h.d)
        call('HSET', P..':h:'..name, 'next', number(h.next))
      end
      set(P, w, h, 0)
      touched[name] = true
    end
    for _, name in ipairs(call('SMEMBERS', P..':wt:'..w)) do wait_no_more(P, w, name) end
    call('DEL', P..':hw:'..w, P..':ask:'..w, P..':dirty:'..w)
    if call('HGET', P..':m', 'start') == w then call('HDEL', P..':m', 'start') end
    for _, token in ipairs(call('SMEMBERS', P..':sg:'..w)) do drop_staged(P, w, token) end
  end
  local claims = call('HRANDFIELD', P..':cl:'..w, SLICE, 'WITHVALUES')
  for i = 1, #claims, 2 do
    call('HDEL', P..':cl:'..w, claims[i])
    free_claims(P, seen, claims[i + 1], now, touched)
  end
  local rows = call('HRANDFIELD', P..':t:'..w, SLICE, 'WITHVALUES')
  for i = 1, #rows, 2 do
    local score, due, name, member = parts_of(rows[i + 1])
    call('HDEL', P..':t:'..w, rows[i])
    enqueue(P, name, score, member, due, now, touched)
  end
  if #rows > 0 then call('HINCRBY', P..':m', 'taken', -#rows / 2) end
  if call('EXISTS', P..':t:'..w, P..':cl:'..w) == 0 then call('ZREM', P..':dying', w) end
end

local function bury_late(P, me, now, seen, touched)
  local late = call('ZRANGE', P..':w', '-inf', '('..number(now), 'BYSCORE', 'WITHSCORES')
  for i = 1, #late, 2 do
    if late[i] ~= me then drop_worker(P, late[i], now, tonumber(late[i + 1]), false, seen, touched) end
  end
  local dying = call('ZRANGE', P..':dying', 0, 0)[1]
  if dying then drop_worker(P, dying, now, now, false, seen, touched) end
end

local function arm_all(P, touched)
  for name in pairs(touched) do arm(P, host(P, name)) end
end

-- Reading a call. Whatever is wrong is raised here, before anything is written.

local function reader(A, at)
  local r = {at = at}
  function r.text()
    local value = A[r.at]
    if value == nil then error('a call ends too early') end
    r.at = r.at + 1
    return value
  end
  function r.number()
    local value = tonumber(r.text())
    if not value then error('a call has no number where one belongs') end
    return value
  end
  function r.digits()
    local value = r.text()
    if not string.match(value, '^%-?%d+$') then error('a call has no number where one belongs') end
    return value
  end
  function r.many(read)
    local all = {}
    for i = 1, r.number() do all[i] = read() end
    return all
  end
  function r.child()  -- a call has thousands of them
    local i = r.at
    local fingerprint, rank, payload = A[i], A[i + 3], A[i + 4]
    if payload == nil then error('a call ends too early') end
    if not string.find(fingerprint, '^%-?%d+$') or not string.find(rank, '^%-?%d+$') then
      error('a call has no number where one belongs')
    end
    r.at = i + 5
    local check = tonumber(A[i + 1]) or 0
    return {fp = fingerprint, check = check % 2 == 1, order = floor(check / 2), host = A[i + 2], score = score_of(rank),
      payload = payload}
  end
  function r.put()
    return {token = r.digits(), host = r.text(), score = score_of(r.digits()), payload = r.text(), wait = r.number()}
  end
  return r
end

local sections = {
  tell = function(r) return {host = r.text(), wait = r.number(), share = r.number(), c = r.number(), d = r.number()} end,
  fact = function(r) return {name = r.text(), value = r.text(), host = r.text()} end,
  post = function(r) return r.put() end,
  ret = function(r) return r.put() end,
  move = function(r) local put = r.put(); put.fp = r.digits(); return put end,
  claim = function(r) return {token = r.digits(), fp = r.digits()} end,
  stage = function(r) return {token = r.digits(), children = r.many(r.child)} end,
  fin = function(r)
    local f = {token = r.digits(), outcome = r.text(), reason = r.text(), record = r.text(), count = r.number(),
      ended = r.number() == 1}
    f.digests, f.children, f.items = r.many(r.digits), r.many(r.child), r.many(r.text)
    f.memory = r.many(function()
      return {stage = r.text(), name = r.text(), op = r.text(), key = r.text(), value = r.text(), item = r.number()}
    end)
    f.fps = r.many(r.digits)
    return f
  end,
  hold = function(r) return {host = r.text(), permits = r.number()} end,
  want = function(r) return r.text() end,
  take = function(r) return {host = r.text(), count = r.number()} end,
  know = function(r) return r.text() end,
  room = function(r) return r.number() end,
  stop = function(r) return r.text() end,
  aside = function(r) return r.number() end,
  leave = function() return true end,
}

local function read(A, at)
  local r, turn = reader(A, at), {}
  for name in pairs(sections) do turn[name] = {} end
  turn.empty = at > #A
  while r.at <= #A do
    local name = r.text()
    local section = sections[name]
    if not section then error('a call has a section that is not known') end
    if name == 'leave' then turn.leaves = true end
    turn[name] = r.many(function() return section(r) end)
  end
  return turn
end

local function owns(P, w, turn)
  -- Whether all rows that it speaks of are the worker's.
  for _, name in ipairs({'post', 'ret', 'move', 'claim', 'stage', 'fin'}) do
    for _, each in ipairs(turn[name]) do
      if each.token == '-1' then
        -- Results of start() are its owner's; code that works for itself, in any worker, has that token, too.
        local of_start = name == 'fin' and (each.count > 0 or each.ended)
        if of_start and call('HGET', P..':m', 'start') ~= w then return false end
      elseif call('HEXISTS', P..':t:'..w, each.token) == 0 then return false end
    end
  end
  return true
end

-- The parts of a turn

local function tell_hosts(P, w, turn, now, touched, granted)
  for _, t in ipairs(turn.tell) do
    local h = host(P, t.host)
    if h.p[w] then
      if h.count == 1 then
        h.next, h.share, h.c, h.d = now + t.wait, t.share, max(t.c, 1), t.d
      else
        -- What one of several holders knows does not undo what another one has learnt.
        h.next, h.share, h.c, h.d = max(h.next, now + t.wait), min(h.share, t.share), max(min(h.c, t.c), 1), max(h.d, t.d)
      end
      call('HSET', P..':h:'..t.host, 'next', number(h.next), 'share', h.share, 'c', h.c, 'd', h.d)
      if t.share == 0 and h.count > 1 then ask_to_leave(P, h, w) end
      if h.count == 1 then
        local limit = h.share == 1 and h.c or EXCLUSIVE
        if h.p[w] < limit and not h.a[w] then granted[t.host] = true end
        if not h.a[w] then set(P, w, h, limit) end
      end
      touched[t.host] = true
    elseif t.d > h.d then
      -- It is only wanted. Whoever is granted it may ask it at once, and die before it has told anything.
      call('HSETNX', P..':h:'..t.host, 'd', t.d)
    end
  end
end

local function tell_all(P, name, value)
  call('HSET', P..':f', name, value)
  call('ZADD', P..':fv', call('HINCRBY', P..':m', 'version', 1), name)
end

local function keep_facts(P, w, turn)
  local own = {}
  for _, f in ipairs(turn.fact) do
    if f.name == 'stats' or f.name == 'errors' or f.name == 'kinds' then
      call('HSET', P..':by:'..f.name, w, f.value)
    elseif string.sub(f.name, 1, 7) == 'cookie:' or string.sub(f.name, 1, 5) == 'live:' then
      tell_all(P, f.name, f.value)
      own[f.name] = true
    elseif f.value == '' then
      call('HDEL', P..':f', f.name)
      if f.host ~= '' then call('SREM', P..':hf:'..f.host, f.name) end
    else
      call('HSET', P..':f', f.name, f.value)
      if f.host ~= '' then call('SADD', P..':hf:'..f.host, f.name) end
    end
  end
  return own
end

local function changed_row(P, w, put)
  local _, _, _, member = parts_of(call('HGET', P..':t:'..w, put.token))
  return string.sub(member, 1, 9)..put.payload
end

local function post(P, w, put, now)
  local due = put.wait > 0 and now + put.wait or 0
  call('HSET', P..':t:'..w, put.token, row_of(tonumber(put.score), due, put.host, changed_row(P, w, put)))
end

local function give_back(P, w, put, now, seen, touched)
  local member = changed_row(P, w, put)
  call('HDEL', P..':t:'..w, put.token)
  call('HINCRBY', P..':m', 'taken', -1)
  free_claims_of(P, seen, w, put.token, now, touched)
  drop_staged(P, w, put.token)
  enqueue(P, put.host, tonumber(put.score), member, put.wait > 0 and now + put.wait or 0, now, touched)
end

local function move(P, w, put, now, seen, touched)
  local claim = call('HGET', P..':c', put.fp)
  if (claim and claim ~= w..' '..put.token) or not register(P, seen, put.fp) then return 'duplicate' end
  if call('HEXISTS', P..':h:'..put.host, 'p:'..w) == 1 then
    post(P, w, put, now)
    return 'here'
  end
  give_back(P, w, put, now, seen, touched)
  return 'elsewhere'
end

local function claim(P, w, c, seen)
  if call('HEXISTS', P..':c', c.fp) == 1 or is_seen(P, seen, c.fp) then return '0' end
  call('HSET', P..':c', c.fp, w..' '..c.token)
  seen.claims = true
  local before = call('HGET', P..':cl:'..w, c.token)
  call('HSET', P..':cl:'..w, c.token, before and before..' '..c.fp or c.fp)
  return '1'
end

local function stage(P, w, s)
  local key = P..':sg:'..w..':'..s.token
  for _, child in ipairs(s.children) do call('RPUSH', key, pack_child(child)) end
  call('SADD', P..':sg:'..w, s.token)
end

local function settle_staged(P, w, token, tokens)
  -- From now on they are to be queued, ahead of what the commit brings; return the last token.
  local key = P..':sg:'..w..':'..token
  local count = call('LLEN', key)
  if count > 0 then
    local which = call('HINCRBY', P..':m', 'unfolds', 1)
    call('RENAME', key, P..':u:'..which)
    call('HSET', P..':m', 'u:'..which, number(tokens))
    call('RPUSH', P..':unfold', which)
  end
  call('SREM', P..':sg:'..w, token)
  return tokens + count
end

local function memory_key(P, change) return P..':mem:'..#change.stage..':'..change.stage..change.name end

local function keep_memory(P, f)
  -- An item whose change adds what is there already is left out, with all of its changes.
  local dropped, places = {}, {}
  local by_item = {}
  for _, change in ipairs(f.memory) do
    by_item[change.item] = by_item[change.item] or {}
    table.insert(by_item[change.item], change)
  end
  for item = -1, #f.items - 1 do
    local changes, drop = by_item[item] or {}, false
    if item >= 0 then
      for _, change in ipairs(changes) do
        if change.op == 'add' and call('HEXISTS', memory_key(P, change), change.key) == 1 then drop = true end
      end
    end
    if drop then
      dropped[item] = true
      places[#places + 1] = int(item)
    else
      for _, change in ipairs(changes) do
        call('SADD', P..':mems', #change.stage..':'..change.stage..change.name)
        if change.op == 'del' then call('HDEL', memory_key(P, change), change.key)
        else call('HSET', memory_key(P, change), change.key, change.value) end
      end
    end
  end
  return dropped, places
end

local function keep_items(P, f, dropped, has_feeds)
  local first, bytes_kept = tonumber(call('HGET', P..':m', 'items') or 0) + 1, 0
  local last = first - 1
  for i, item in ipairs(f.items) do
    if not dropped[i - 1] then
      last = last + 1
      if has_feeds then
        call('XADD', P..':o', number(last)..'-0', 'i', item)
        bytes_kept = bytes_kept + #item
      end
    end
  end
  if last >= first then call('HSET', P..':m', 'items', number(last)) end
  if bytes_kept > 0 then call('HINCRBY', P..':m', 'backlog', bytes_kept) end
  return first
end

local function finish_start(P, f)
  local count = tonumber(call('HGET', P..':m', 'start_count') or 0)
  call('HSET', P..':m', 'start_count', number(max(count, f.count)))
  for _, digest in ipairs(f.digests) do call('RPUSH', P..':digests', digest) end
  if f.ended then
    call('HSET', P..':m', 'start_ended', 1)
    call('HDEL', P..':m', 'start')
  end
end

local function settle_claims(P, w, f, seen)
  local claims = call('HGET', P..':cl:'..w, f.token)
  if claims and f.token == '-1' then
    -- Of many units: each registers its own.
    local own, left = {}, {}
    for _, fingerprint in ipairs(f.fps) do own[fingerprint] = true end
    for fingerprint in string.gmatch(claims, '%S+') do
      if not own[fingerprint] then left[#left + 1] = fingerprint end
    end
    if #left > 0 then call('HSET', P..':cl:'..w, '-1', table.concat(left, ' ')) else call('HDEL', P..':cl:'..w, '-1') end
    claims = nil
  elseif claims then call('HDEL', P..':cl:'..w, f.token) end
  for _, fps in ipairs({claims or '', table.concat(f.fps, ' ')}) do
    for fingerprint in string.gmatch(fps, '%S+') do
      register(P, seen, fingerprint)
      call('HDEL', P..':c', fingerprint)
      call('HDEL', P..':cq', fingerprint)
    end
  end
end

local function finish(P, w, f, now, seen, touched, has_feeds)
  if f.token == '-1' then finish_start(P, f) else
    call('HDEL', P..':t:'..w, f.token)
    call('HINCRBY', P..':m', 'taken', -1)
    call('HINCRBY', P..':m', 'done', 1)
    if f.outcome ~= 'answered' then call('HINCRBY', P..':m', f.outcome, 1) end
    if f.record ~= '' then call('HSET', P..':x', f.token, f.record) end
  end
  settle_claims(P, w, f, seen)
  local tokens = tonumber(call('HGET', P..':m', 'tokens') or 0)
  local before = tokens
  tokens = settle_staged(P, w, f.token, tokens)
  local marks, queued = {}, 0
  for i, child in ipairs(f.children) do
    if offer(P, seen, child, tokens + 1, now, touched) then queued = queued + 1; marks[i] = '1' else marks[i] = '0' end
    tokens = tokens + 1
  end
  if tokens ~= before then call('HSET', P..':m', 'tokens', number(tokens)) end
  if queued > 0 then call('HINCRBY', P..':m', 'queued', queued) end
  local dropped, places = keep_memory(P, f)
  local first = keep_items(P, f, dropped, has_feeds)
  return list({text(table.concat(marks)), int(first), list(places)})
end

local function granted_host(P, h, w, now)
  local count, first = state_of(P, h.name)
  return list({text(h.name), int(h.p[w]), int(max(0, h.next - now)), count, first})
end

local function fact_of(name, value)
  return list({text(name), value and value ~= '' and bytes(value) or NONE})
end

local function facts_of_host(P, name, facts)
  for _, fact in ipairs(call('SMEMBERS', P..':hf:'..name)) do
    facts[#facts + 1] = fact_of(fact, call('HGET', P..':f', fact))
  end
end

local function want(P, w, name, now, touched, granted)
  local h = host(P, name)
  if h.p[w] then
    wait_no_more(P, w, name)
    return
  end
  call('ZADD', P..':wait:'..name, 'NX', number(now), w)
  call('SADD', P..':wt:'..w, name)
  if waits_first(P, name) == w and grant(P, w, h, now) > 0 then
    wait_no_more(P, w, name)
    touched[name], granted[name] = true, true
  else
    ask(P, h, now, function(permits) return h.share == 1 and floor(permits / 2) or 0 end)
  end
end

local function others_lack(P, w, h, now)
  -- Whether somebody has nothing to do who could have a part of a host that this one holds already.
  for _, other in ipairs(call('ZRANGE', P..':hungry', number(now - 2000), '+inf', 'BYSCORE')) do
    if other ~= w and not h.p[other] and call('ZSCORE', P..':w', other) then return true end
  end
  return false
end

local function want_no_others(P, w, turn)
  -- What is not wanted any more is free for others. (A call without anything only renews the lease.)
  if turn.empty then return end
  local wanted = {}
  for _, name in ipairs(turn.want) do wanted[name] = true end
  for _, name in ipairs(call('SMEMBERS', P..':wt:'..w)) do
    if not wanted[name] then wait_no_more(P, w, name) end
  end
end

local function give_hosts(P, w, room, now, touched, granted)
  for _, name in ipairs(call('ZRANGE', P..':hot', '-inf', number(now + AHEAD), 'BYSCORE', 'LIMIT', 0, room)) do
    local h, first = host(P, name), waits_first(P, name)
    local free = not first and not (h.p[w] and others_lack(P, w, h, now)) or first == w
    if free and grant(P, w, h, now) > 0 then
      if first then wait_no_more(P, w, name) end
      granted[name] = true
      room = room - 1
    end
    touched[name] = true
  end
  return room
end

local function ask_for_share(P, w, now)
  for _, name in ipairs(call('SRANDMEMBER', P..':share', 3)) do
    local h = host(P, name)
    if not h.p[w] then ask(P, h, now, function(permits) return floor((permits + 1) / 2) end) end
  end
end

local function begin_start(P, w)
  local m = call('HMGET', P..':m', 'start', 'start_ended', 'start_count')
  if m[1] or m[2] == '1' then return NONE end
  call('HSET', P..':m', 'start', w)
  local digests = {}
  for i, digest in ipairs(call('LRANGE', P..':digests', 0, -1)) do digests[i] = text(digest) end
  return list({int(tonumber(m[3] or 0)), list(digests)})
end

local function is_idle(P, m)
  return m.queued == 0 and m.taken == 0 and call('EXISTS', P..':unfold', P..':dying', P..':cq', P..':aside') == 0
end

local function is_over(P, m)
  -- One question in one call: nothing waits, is at work, unfolds, dies or is not yet written.
  return m.ended and m.backlog == 0 and is_idle(P, m)
end

local function judge_end(P, m)
  -- What code that works for itself brings has no row before: it may come behind the end, which is called off then.
  if not is_over(P, m) then
    if m.over ~= '' then call('HDEL', P..':m', 'over') end
    m.over = ''
  elseif m.over == '' and m.stop == '' then
    m.over = 'finished'
    call('HSET', P..':m', 'over', m.over)
  end
end

local function counters(P)
  local m = call('HMGET', P..':m', 'queued', 'taken', 'done', 'items', 'backlog', 'start_ended', 'stop', 'over')
  return {queued = tonumber(m[1] or 0), taken = tonumber(m[2] or 0), done = tonumber(m[3] or 0),
    items = tonumber(m[4] or 0), backlog = tonumber(m[5] or 0), ended = m[6] == '1', stop = m[7] or '', over = m[8] or ''}
end

local function outcome(P, w, now, parts, touched, granted, facts, room)
  -- What others have changed, and what this worker may do now.
  local begin, hungry = NONE, 0
  local m = counters(P)
  judge_end(P, m)
  if room and m.stop == '' and m.over == '' then
    begin = begin_start(P, w)
    local left = give_hosts(P, w, room, now, touched, granted)
    if left == room and begin == NONE and not parts.some then
      ask_for_share(P, w, now)
      call('ZADD', P..':hungry', number(now), w)
    else
      call('ZREM', P..':hungry', w)
    end
  elseif parts.some or m.over ~= '' then call('ZREM', P..':hungry', w) end
  arm_all(P, touched)
  hungry = call('ZCOUNT', P..':hungry', number(now - 2000), '+inf')
  if call('ZSCORE', P..':hungry', w) then hungry = max(hungry - 1, 0) end
  local grants, asks, stored = {}, {}, {}
  for name in pairs(granted) do
    local h = host(P, name)
    if h.p[w] then
      grants[#grants + 1] = granted_host(P, h, w, now)
      facts_of_host(P, name, facts)
    end
  end
  for _, name in ipairs(call('SMEMBERS', P..':ask:'..w)) do
    local h = host(P, name)
    if h.a[w] then asks[#asks + 1] = list({text(name), int(h.a[w])}) end
  end
  for _, name in ipairs(call('SMEMBERS', P..':dirty:'..w)) do
    if not granted[name] then
      local count, first = state_of(P, name)
      stored[#stored + 1] = list({text(name), count, first})
    end
  end
  call('DEL', P..':ask:'..w, P..':dirty:'..w)
  m.workers = call('ZCARD', P..':w')
  if m.over == '' and not m.ended and is_idle(P, m) and call('HGET', P..':m', 'start') == w then
    m.over = 'idle'  -- but for start(), whose owner is told
  end
  return list({text(parts.word), list(parts.fins), text(table.concat(parts.claims)), list(parts.moves), list(parts.takes),
    list(grants), list(asks), list(stored), list(facts), begin, int(hungry), int(m.backlog), text(m.stop), text(m.over),
    list({int(m.queued), int(m.taken), int(m.done), int(m.items), int(m.workers)})})
end

local function news(P, w, own, facts)
  -- Cookies and what is told to all that others have changed since this worker's last call.
  local known = call('HGET', P..':w:'..w, 'version') or '0'
  local version = call('HGET', P..':m', 'version') or '0'
  if version == known then return end
  for _, name in ipairs(call('ZRANGE', P..':fv', '('..known, '+inf', 'BYSCORE')) do
    if not own[name] then facts[#facts + 1] = fact_of(name, call('HGET', P..':f', name)) end
  end
  call('HSET', P..':w:'..w, 'version', version)
end

local LATE = '\221\0\0\0\1\219\0\0\0\4late'

local function carry_out(P, w, turn, now, full)
  local seen, touched, granted, facts = open_seen(P), {}, {}, {}
  local parts = {word = full and 'full' or 'ok', fins = {}, claims = {}, moves = {}, takes = {}, some = false}
  bury_late(P, w, now, seen, touched)
  wake(P, now, touched)
  tell_hosts(P, w, turn, now, touched, granted)
  local own = keep_facts(P, w, turn)
  if not full then for _, put in ipairs(turn.post) do post(P, w, put, now) end end
  for _, put in ipairs(turn.ret) do give_back(P, w, put, now, seen, touched) end
  if not full then
    local has_feeds = call('EXISTS', P..':feeds') == 1
    for i, put in ipairs(turn.move) do parts.moves[i] = text(move(P, w, put, now, seen, touched)) end
    for i, c in ipairs(turn.claim) do parts.claims[i] = claim(P, w, c, seen) end
    for _, s in ipairs(turn.stage) do stage(P, w, s) end
    for i, f in ipairs(turn.fin) do parts.fins[i] = finish(P, w, f, now, seen, touched, has_feeds) end
    unfold(P, seen, now, touched)
  end
  close_seen(P, seen)
  for _, hold in ipairs(turn.hold) do
    local h = host(P, hold.host)
    if h.p[w] and hold.permits < h.p[w] then set(P, w, h, hold.permits) end
    touched[hold.host] = true
  end
  if turn.stop[1] then call('HSETNX', P..':m', 'stop', turn.stop[1]) end
  if turn.aside[1] then call(turn.aside[1] == 1 and 'SADD' or 'SREM', P..':aside', w) end
  arm_all(P, touched)
  touched = {}
  if turn.leaves then
    drop_worker(P, w, now, now, true, seen, touched)
    close_seen(P, seen)
    arm_all(P, touched)
    return outcome(P, w, now, parts, {}, {}, facts, nil)
  end
  want_no_others(P, w, turn)
  for _, name in ipairs(turn.want) do want(P, w, name, now, touched, granted) end
  if not full then
    for i, t in ipairs(turn.take) do
      local held = call('HEXISTS', P..':h:'..t.host, 'p:'..w) == 1
      local rows = held and t.count > 0 and take(P, w, t.host, t.count) or {}
      parts.takes[i] = list(rows)
      touched[t.host] = true
      parts.some = parts.some or #rows > 0
    end
  end
  for _, name in ipairs(turn.know) do facts[#facts + 1] = fact_of(name, call('HGET', P..':f', name)) end
  news(P, w, own, facts)
  return outcome(P, w, now, parts, touched, granted, facts, not full and turn.room[1] or nil)
end

local function turn_of(K, A, full)
  local P, w, seq, lease = K[1], A[1], tonumber(A[2]), tonumber(A[3])
  local turn = read(A, 4)
  local known = call('HMGET', P..':w:'..w, 'seq', 'reply', 'word')
  if not known[1] then return LATE end
  local now = clock(P)
  local alive = call('ZSCORE', P..':w', w)
  if seq == tonumber(known[1]) then
    if alive then call('ZADD', P..':w', number(now + lease), w) end
    return known[2] or LATE
  end
  if not alive or seq ~= known[1] + 1 or not owns(P, w, turn) then return LATE end
  call('ZADD', P..':w', number(now + lease), w)
  call('SREM', P..':unsure', w)
  local reply = carry_out(P, w, turn, now, full)
  call('HSET', P..':w:'..w, 'seq', number(seq), 'reply', reply, 'at', number(server_time()), 'lease', lease)
  if turn.leaves then call('PEXPIRE', P..':w:'..w, lease * 4) end
  return reply
end

local function turn(K, A) return turn_of(K, A, false) end
local function drain(K, A) return turn_of(K, A, true) end

-- The other calls: each may be made twice

local function join(K, A)
  local P, w, lease, called, machine = K[1], A[1], tonumber(A[2]), A[3] or '', A[4] or ''
  local now = clock(P)
  if call('EXISTS', P..':w:'..w) == 0 then
    call('ZADD', P..':w', number(now + lease), w)
    call('HSET', P..':m', 'lease', lease)
    local version = call('HGET', P..':m', 'version') or '0'
    call('HSET', P..':w:'..w, 'seq', 0, 'version', version, 'at', number(server_time()), 'lease', lease, 'machine', machine)
    if called ~= '' then call('HSET', P..':called', w, called) end
  end
  local facts, memory = {}, {}
  for _, name in ipairs(call('ZRANGE', P..':fv', 0, -1)) do facts[#facts + 1] = fact_of(name, call('HGET', P..':f', name)) end
  for i, name in ipairs(call('SMEMBERS', P..':mems')) do memory[i] = text(name) end
  local m = counters(P)
  return list({list(facts), list(memory), int(m.done), int(m.items), text(m.stop), text(m.over)})
end

local function bury(K, A)
  local P, w, blamed = K[1], A[1], A[2] or '0'
  local now = clock(P)
  local seen, touched = open_seen(P), {}
  if call('ZSCORE', P..':w', w) then
    local row = blamed ~= '0' and call('HGET', P..':t:'..w, blamed)
    if row then
      local score, due, name, member = parts_of(row)
      member = member_of(place_of(member), min(string.byte(member, 9) + 1, 255), string.sub(member, 10))
      call('HSET', P..':t:'..w, blamed, row_of(score, due, name, member))
    end
    drop_worker(P, w, now, now, false, seen, touched)
  elseif call('ZSCORE', P..':dying', w) then
    drop_worker(P, w, now, now, false, seen, touched)
  end
  close_seen(P, seen)
  arm_all(P, touched)
  return text('ok')
end

local function stop(K, A)
  call('HSETNX', K[1]..':m', 'stop', A[1])
  return text('ok')
end

local function know(K, A)
  -- Fingerprints that count as seen.
  local seen = open_seen(K[1])
  for i = 1, #A do register(K[1], seen, A[i]) end
  close_seen(K[1], seen)
  return text('ok')
end

local function again(K, A)
  -- Requests that failed go back into their queues, and the job is not over: token, host, priority and payload of each.
  local P, r, rows, touched, count = K[1], reader(A, 1), {}, {}, 0
  while r.at <= #A do
    rows[#rows + 1] = {token = r.digits(), host = r.text(), score = score_of(r.digits()), payload = r.text()}
  end
  local now = clock(P)
  for _, row in ipairs(rows) do
    if call('HDEL', P..':x', row.token) == 1 then
      enqueue(P, row.host, tonumber(row.score), member_of(tonumber(row.token), 0, row.payload), 0, now, touched)
      count = count + 1
    end
  end
  call('HINCRBY', P..':m', 'done', -count)
  call('HINCRBY', P..':m', 'failed', -count)
  call('HDEL', P..':m', 'over')
  call('HSET', P..':m', 'stopped', 'failed')
  arm_all(P, touched)
  return text('ok')
end

local function create(K, A)
  -- A starter begins: the crawl goes on, and these are its feeds.
  local P = K[1]
  clock(P)
  call('HDEL', P..':m', 'stop', 'ended')
  call('DEL', P..':feeds')
  for i = 1, #A do call('SADD', P..':feeds', A[i]) end
  local marks = {}
  for i = 1, #A do
    local mark = call('HGET', P..':marks', A[i])
    marks[i] = list({text(A[i]), mark and bytes(mark) or NONE})
  end
  local m = counters(P)
  return list({text(server_run()), int(m.items), list(marks)})
end

local function outbox(K, A)
  -- Items above a number, in order.
  local P, after, count = K[1], tonumber(A[1]), tonumber(A[2])
  local rows, size = {}, 0
  for _, entry in ipairs(call('XRANGE', P..':o', '('..number(after)..'-0', '+', 'COUNT', count)) do
    local item = entry[2][2]
    size = size + #item
    if size > 8388608 and #rows > 0 then break end
    rows[#rows + 1] = list({int(tonumber(string.match(entry[1], '^(%d+)'))), bytes(item)})
  end
  local m = counters(P)
  return list({text(server_run()), int(m.items), list(rows)})
end

local function fed(K, A)
  -- A feed's mark, against the mark before and in the run in which its items came: run, feed, number, mark, mark before.
  local P, run, feed, reached, mark, was = K[1], A[1], A[2], tonumber(A[3]), A[4], A[5]
  local before = call('HGET', P..':marks', feed) or ''
  local items = tonumber(call('HGET', P..':m', 'items') or 0)
  if (run ~= '' and run ~= server_run()) or reached > items then return text('back') end
  if before ~= mark then
    if before ~= was then return text('back') end
    call('HSET', P..':marks', feed, mark)
    call('HSET', P..':numbers', feed, number(reached))
  end
  local least
  for _, name in ipairs(call('SMEMBERS', P..':feeds')) do
    local n = tonumber(call('HGET', P..':numbers', name) or 0)
    least = least and min(least, n) or n
  end
  if not least then return text('ok') end
  local gone = 0
  while true do
    local entries = call('XRANGE', P..':o', '-', number(least)..'-0', 'COUNT', SLICE)
    if #entries == 0 then break end
    for _, entry in ipairs(entries) do gone = gone + #entry[2][2] end
    call('XTRIM', P..':o', 'MINID', number(tonumber(string.match(entries[#entries][1], '^(%d+)')) + 1)..'-0')
  end
  if gone > 0 then call('HINCRBY', P..':m', 'backlog', -gone) end
  return text('ok')
end

local function by_worker(P, name)
  local fields, all = call('HGETALL', P..':by:'..name), {}
  for i = 1, #fields, 2 do
    all[#all + 1] = list({text(call('HGET', P..':called', fields[i]) or ''),
      int(call('ZSCORE', P..':w', fields[i]) and 1 or 0), bytes(fields[i + 1])})
  end
  return list(all)
end

local function living(P)
  -- Workers that have called lately, by the wall: nothing expires while nobody calls.
  local count, t = 0, server_time()
  for _, w in ipairs(call('ZRANGE', P..':w', 0, -1)) do
    local at = call('HMGET', P..':w:'..w, 'at', 'lease')
    if at[1] and math.abs(t - tonumber(at[1])) < tonumber(at[2]) then count = count + 1 end
  end
  return count
end

local function state(K, A)
  local P = K[1]
  local living_workers = living(P)
  if A[1] == 'look' then
    local now = clock(P)
    local seen, touched = open_seen(P), {}
    bury_late(P, '', now, seen, touched)
    close_seen(P, seen)
    arm_all(P, touched)
  end
  local m = counters(P)
  if A[1] == 'look' then judge_end(P, m) end
  local more = call('HMGET', P..':m', 'failed', 'dropped', 'duplicates', 'seen', 'stopped')
  return list({int(m.queued), int(m.taken), int(m.done), int(m.items), int(call('ZCARD', P..':w')), int(living_workers),
    text(m.stop), text(m.over), int(m.backlog), int(tonumber(more[1] or 0)), int(tonumber(more[2] or 0)),
    int(tonumber(more[3] or 0)), int(tonumber(more[4] or 0)), text(more[5] or ''),
    by_worker(P, 'stats'), by_worker(P, 'errors')})
end

local function tell(K, A)
  -- Facts of whoever looks after the job, name and value of each; those of "live:" reach all workers.
  for i = 1, #A, 2 do
    if string.sub(A[i], 1, 5) == 'live:' then tell_all(K[1], A[i], A[i + 1])
    elseif A[i + 1] == '' then call('HDEL', K[1]..':f', A[i])
    else call('HSET', K[1]..':f', A[i], A[i + 1]) end
  end
  return text('ok')
end

local function workers(K, A)
  -- Those that live: what they are called, their machine, milliseconds since they called, their hosts and rows.
  local P, all, t = K[1], {}, server_time()
  for _, w in ipairs(call('ZRANGE', P..':w', 0, -1)) do
    local known = call('HMGET', P..':w:'..w, 'at', 'machine')
    all[#all + 1] = list({text(call('HGET', P..':called', w) or w), text(known[2] or ''), int(t - tonumber(known[1] or t)),
      int(call('SCARD', P..':hw:'..w)), int(call('HLEN', P..':t:'..w))})
  end
  return list(all)
end

local function hosts(K, A)
  -- How the named hosts stand: queued, milliseconds until it may be asked, delay, concurrency, permits given out.
  local P, rows = K[1], {}
  local now = tonumber(call('HGET', P..':m', 'clock') or 0)
  for i = 1, #A do
    local h = host(P, A[i])
    rows[i] = list({text(A[i]), int(call('ZCARD', P..':q:'..A[i])), int(max(h.next - now, 0)), int(h.d),
      int(tonumber(call('HGET', P..':h:'..A[i], 'c') or 0)), int(h.count)})
  end
  return list(rows)
end

local function taken(K, A)
  -- How many rows of each host a worker has taken.
  local counts, rows = {}, {}
  for _, row in ipairs(call('HVALS', K[1]..':t:'..A[1])) do
    local _, _, name = parts_of(row)
    counts[name] = (counts[name] or 0) + 1
  end
  for name, count in pairs(counts) do rows[#rows + 1] = list({text(name), int(count)}) end
  return list(rows)
end

local function add(K, A)
  -- One more request, as if start() had yielded it.
  local P, child = K[1], reader(A, 1).child()
  local now = clock(P)
  local seen, touched = open_seen(P), {}
  local queued = offer(P, seen, child, call('HINCRBY', P..':m', 'tokens', 1), now, touched)
  if queued then call('HINCRBY', P..':m', 'queued', 1) end
  close_seen(P, seen)
  arm_all(P, touched)
  return int(queued and 1 or 0)
end

local function drop(K, A)
  -- Requests of a host end here by hand: of each its place ("q": its queue, "later"), its row, and what is kept of it.
  local P, name, count = K[1], A[1], 0
  for i = 2, #A, 3 do
    local place, row, record = A[i], A[i + 1], A[i + 2]
    local member = row
    if place == 'later' then member = select(4, parts_of(row)) end
    if call('ZREM', place == 'later' and P..':later' or P..':q:'..name, row) == 1 then
      call('HSET', P..':x', number(token_of(member)), record)
      count = count + 1
    end
  end
  call('HINCRBY', P..':m', 'queued', -count)
  call('HINCRBY', P..':m', 'done', count)
  call('HINCRBY', P..':m', 'dropped', count)
  arm(P, host(P, name))
  return int(count)
end

local function finish_job(K, A)
  -- A starter ends, for a reason.
  call('HSET', K[1]..':m', 'stopped', A[1])
  return text('ok')
end

local function define(name, callback, flags)
  redis.register_function{function_name = '@NAME@_'..name, callback = callback, flags = flags}
end

define('turn', turn, {})
define('drain', drain, {'allow-oom'})
define('join', join, {'allow-oom'})
define('bury', bury, {'allow-oom'})
define('stop', stop, {'allow-oom'})
define('know', know, {})
define('again', again, {})
define('create', create, {'allow-oom'})
define('outbox', outbox, {'allow-oom'})
define('fed', fed, {'allow-oom'})
define('state', state, {'allow-oom'})
define('finish', finish_job, {'allow-oom'})
define('tell', tell, {'allow-oom'})
define('workers', workers, {'no-writes'})
define('hosts', hosts, {'no-writes'})
define('taken', taken, {'no-writes'})
define('add', add, {})
define('drop', drop, {'allow-oom'})
