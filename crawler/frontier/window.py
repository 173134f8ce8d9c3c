"""Which of a host's requests are in memory, and which in the store only?

Goals:

- What a host has queued does not matter for memory: a window of its requests is here, the rest in the store.
- The order within a host is the same as if all of them were here.
- No request is handed out twice, and none is forgotten.
- The frontier never waits: what it lacks it names in ``needs``, and goes on with what is here until the answer.

Plan. The rule is that everything of a host that is in the store only sorts behind the host's ``mark``, so that the
smallest key in memory is the smallest of all. Whatever happens keeps to it:

- A new request that sorts before the mark comes in; one behind it goes to the store, and is only counted.
- A window that has run half empty is refilled: what sorts behind the mark is leased, and the mark moves behind it.
- A window twice as full as it should be gives its last half back, and the mark moves before that.
- What is sent again (a retry, a redirect) is pinned: the store may know an older form of it, so it is not given back.
  It may sort behind the mark; then it waits until a refill has brought what comes first (``must_refill_first``).
- Requests that went to the store without passing here may sort anywhere: the mark goes back to the beginning.

A lease is answered later, and the window may have moved meanwhile: ``take_in`` lists what can have happened. And the
store has the rows also of requests that are in memory, in flight or not committed yet; ``claimed`` has the token of
each of these, and a refill skips them. It has to ask again where a lease brought nothing else.

Known limits:

- Every host with something queued has four requests here at least: the memory grows with hosts beyond 16,384.
- Delayed requests take no place in the window, or a host that asked for patience would close it; 16 windows of them
  do. Pinned and carried requests have no bound here: the first are as many as were sent, the others have a bound of
  their own, that of their parents.
- How many are in the store is counted here and may be too high; a lease that brings fewer than asked sets it right.
"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.frontier.host import Entry, HostQueue, Key

FULL_WINDOWS = 1024
"""With more hosts than this each gets a smaller window, so that memory stays bounded."""

SMALLEST = 4

NOWHERE: Key = (2**63, 0)

Leased = Sequence[tuple[Entry, float]]


class Window:
    """The border between memory and store, for all hosts. ``size`` is what each host may have in memory."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.share = size
        self.stored = 0
        self.claimed: set[int] = set()
        self._hungry: dict[HostQueue, None] = {}

    def share_among(self, hosts: int) -> None:
        """Share the memory among so many hosts."""
        self.share = min(self._size, max(SMALLEST, self._size * FULL_WINDOWS // max(hosts, 1)))

    def keeps(self, host: HostQueue, entry: Entry) -> bool:
        """Decide where a new entry that may go now waits; False: in the store, and that is noted."""
        if not entry.token:
            return True
        if not host.stored or (host.mark is not None and entry.key < host.mark):
            self.claimed.add(entry.token)
            return True
        host.stored += 1
        self.stored += 1
        if host.lease_count:
            host.lease_lacks.append(entry.key)
        else:
            self.refill_if_low(host)
        return False

    def must_refill_first(self, host: HostQueue) -> bool:
        """Tell whether the host's next entry in memory sorts behind some in the store, which then come first."""
        key, _, entry, _ = host.ready[0]
        if entry.robots or (host.mark is not None and key <= host.mark):
            return False
        host.waits_for_lease = True
        self.refill_if_low(host)
        return True

    def trim(self, host: HostQueue) -> int:
        """Give the last half of a window of twice its size back to the store; return how many went."""
        if host.waiting <= 2 * self.share or (host.stored and host.mark is None):
            return 0
        gone = host.evict(self.share)
        self.stored += len(gone)
        for entry in gone:
            self.claimed.discard(entry.token)
        return len(gone)

    def refill_if_low(self, host: HostQueue) -> None:
        """Have the host asked for in ``needs`` if it runs low."""
        if host.stored and not host.lease_count and (host.waits_for_lease or host.room(self.share) * 2 > self.share):
            self._hungry[host] = None

    def needs(self, limit: int) -> list[tuple[str, int, Key | None]]:
        """Return (host, count, after) of at most ``limit`` hosts that run low; each until its refill."""
        wanted: list[tuple[str, int, Key | None]] = []
        while self._hungry and len(wanted) < limit:
            host = next(iter(self._hungry))
            del self._hungry[host]
            count = max(host.room(self.share), SMALLEST if host.waits_for_lease else 0)
            if host.lease_count or not host.stored or count <= 0:
                continue
            host.lease_count, host.lease_mark = count, host.mark
            wanted.append((host.name, count, host.mark))
        return wanted

    def resume(self, host: HostQueue, count: int) -> None:
        """Note that ``count`` requests of the host are in the store."""
        self._set_stored(host, count)
        self.refill_if_low(host)

    def more(self, host: HostQueue, count: int) -> None:
        """Note that ``count`` new requests of the host are in the store, wherever they sort.

        The window's end goes back to the beginning: a refill then passes over what is in memory already. A lease
        under way lacks some of them, so its answer must not fit.
        """
        self._set_stored(host, host.stored + count)
        host.mark = None
        if host.lease_count:
            host.lease_mark = NOWHERE
        self.refill_if_low(host)

    def take_in(self, host: HostQueue, leased: Leased) -> Leased:
        """Return what of a lease comes into memory now, and move the window's end behind it.

        1. The window's end moved while the lease was under way: it fits no more, nothing comes in.
        2. Something was stored meanwhile that the lease lacks: what sorts behind it waits for the next lease.
        3. Fewer than asked were leased: nothing else of the host is in the store, whatever was counted.
        """
        asked, late = host.lease_count, host.lease_lacks
        host.lease_count, host.lease_lacks, host.waits_for_lease = 0, [], False
        if host.mark != host.lease_mark:
            return ()
        keys = {entry.key for entry, _ in leased}
        missing = [key for key in late if key not in keys]
        first = min(missing, default=None)
        accepted = leased if first is None else [pair for pair in leased if pair[0].key < first]
        if accepted:
            host.mark = accepted[-1][0].key
        fresh = [pair for pair in accepted if pair[0].token not in self.claimed]
        if len(leased) < asked:
            cut = [pair for pair in leased[len(accepted) :] if pair[0].token not in self.claimed]
            self._set_stored(host, len(missing) + len(cut))
        else:
            self._set_stored(host, max(host.stored - len(fresh), 0))
        self.claimed.update(entry.token for entry, _ in fresh)
        return fresh

    def _set_stored(self, host: HostQueue, count: int) -> None:
        self.stored += count - host.stored
        host.stored = count


class TakenWindow(Window):
    """The border to a store out of which requests are taken: what is here is there no more.

    ``mark`` is the smallest key there, as was told last; so the order is exact on a host that this process alone may
    ask, and by batches on one that others take from, too. What a window gives back lies in ``returned`` until it is
    told. What is there does not count as accepted here: ``stored`` stays 0.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.returned: list[Entry] = []

    def keeps(self, host: HostQueue, entry: Entry) -> bool:
        """See Window. New ones never pass here, for they are taken like all others."""
        return True

    def trim(self, host: HostQueue) -> int:
        """See Window."""
        if host.waiting <= 2 * self.share:
            return 0
        gone = host.evict(self.share)
        self.returned += gone
        return len(gone)

    def refill_if_low(self, host: HostQueue) -> None:
        """See Window. A host that may not be asked needs nothing."""
        if host.limit:
            super().refill_if_low(host)

    def take_in(self, host: HostQueue, leased: Leased) -> Leased:
        """See Window: all of it comes in."""
        host.lease_count, host.waits_for_lease = 0, False
        host.stored = max(host.stored - len(leased), 0)
        return leased

    def tell(self, host: HostQueue, count: int, first: Key | None) -> None:
        """Note that ``count`` requests of the host are there, of which ``first`` is the smallest key.

        What is given back, and was not told yet, is as good as there.
        """
        keys = [entry.key for entry in self.returned if entry.host == host.name]
        host.stored, host.mark = count + len(keys), min([*keys, first] if first is not None else keys, default=None)
        if not count:
            host.waits_for_lease = False
        self.refill_if_low(host)
