"""Does the set of fingerprints agree with Python's own, in little memory?"""

from __future__ import annotations

import random
import sys
import tracemalloc

from crawler.storage.memory import SeenSet


def test_it_agrees_with_a_set() -> None:
    dice = random.Random(5)
    numbers = [dice.getrandbits(64) for _ in range(20_000)] + [0, 1, 2**64 - 1, 2**63]
    seen, plain = SeenSet(), set()
    for _ in range(60_000):
        number = dice.choice(numbers)
        assert (number in seen) == (number in plain)
        assert seen.add(number) == (number not in plain)
        plain.add(number)
    assert len(seen) == len(plain)
    assert all(number in seen for number in plain)


def test_parts_of_two_neighbours_are_not_a_number() -> None:
    numbers = [0x1111111111111100 + 0x22, 0x2222222222222200 + 0x22]
    seen = SeenSet(numbers)
    raw = b"".join(number.to_bytes(8, sys.byteorder) for number in numbers)
    for shift in range(1, 8):
        assert int.from_bytes(raw[shift : shift + 8], sys.byteorder) not in seen


def test_it_takes_at_most_16_bytes_a_number() -> None:
    dice = random.Random(6)
    tracemalloc.start()
    try:
        seen = SeenSet(dice.getrandbits(64) for _ in range(200_000))
        size, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / len(seen) <= 16
