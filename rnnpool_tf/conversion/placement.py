"""Placing buffers in an arena: TFLite Micro's own way, lower bounds, and a better way.

A placement is a list of offsets, one per buffer. Two buffers that are in use at the same time must
not overlap, but for those that an operator allows to (`Overlaps`).
"""

from __future__ import annotations

import random
from bisect import insort
from collections.abc import Mapping, Sequence

from rnnpool_tf.conversion.buffers import Buffer, Overlaps

_SEED = 4
_TRIES = 3000
_WORK = 300_000  # tries times buffers, which bounds the time for large models


def peak(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    """Bytes of arena that a placement takes."""
    return max((o + b.size for b, o in zip(buffers, offsets, strict=True)), default=0)


def greedy(buffers: Sequence[Buffer], fixed: Mapping[int, int] | None = None) -> list[int]:
    """Where TFLite Micro's GreedyMemoryPlanner puts buffers.

    The largest first, the later one of equals first, each into the lowest gap between the buffers
    placed before that are in use at the same time.

    Args:
        buffers: In the planner's order.
        fixed: Offsets of an offline plan, by position; these come first and are not questioned.
    """
    fixed = fixed or {}
    offsets = [fixed.get(i, 0) for i in range(len(buffers))]
    placed: list[tuple[int, int, int]] = []  # offset, turn, position
    online = [i for i in reversed(range(len(buffers))) if i not in fixed]
    order = [*sorted(fixed), *sorted(online, key=lambda i: -buffers[i].size)]
    for turn, i in enumerate(order):
        if i not in fixed:
            lowest = 0
            for offset, _, other in placed:
                if buffers[other].meets(buffers[i]):
                    if offset - lowest >= buffers[i].size:
                        break
                    lowest = max(lowest, offset + buffers[other].size)
            offsets[i] = lowest
        insort(placed, (offsets[i], turn, i))
    return offsets


def live_bytes(buffers: Sequence[Buffer], overlaps: Overlaps | None = None) -> list[int]:
    """Bytes in use at each time; the largest is a lower bound for every placement.

    Args:
        buffers: All buffers.
        overlaps: Which may overlap; None: none.
    """
    end = max((buffer.last for buffer in buffers), default=-1) + 1
    live = [sum(b.size for b in buffers if b.lives_at(time)) for time in range(end)]
    for (x, y), distance in (overlaps or {}).items():
        before, after = buffers[x].size, buffers[y].size
        shared = max(before, after, before - distance)
        live[buffers[y].first] -= max(before + after - shared, 0)
    return live


def improved(buffers: Sequence[Buffer], overlaps: Overlaps) -> list[int]:
    """A placement that takes as little arena as a search finds.

    Buffers are placed one after the other at the lowest offset that is allowed; the search is over
    their order. It begins with several rules of thumb, moves buffers of the best order about at
    random (seeded: equal models get equal plans) and ends when the lower bound is reached.
    """
    bound = max(live_bytes(buffers, overlaps), default=0)
    conflicts = _conflicts(buffers, overlaps)
    chance = random.Random(_SEED)
    best, best_order, best_peak = [], [], None
    for order in _first_orders(buffers):
        offsets = _place(order, conflicts)
        if best_peak is None or peak(buffers, offsets) < best_peak:
            best, best_order, best_peak = offsets, order, peak(buffers, offsets)
    for _ in range(min(_TRIES, _WORK // max(1, len(buffers)))):
        if best_peak <= bound:
            break
        order = _shuffled(best_order, chance)
        offsets = _place(order, conflicts)
        if peak(buffers, offsets) <= best_peak:
            best, best_order, best_peak = offsets, order, peak(buffers, offsets)
    return best


def allowed(buffers: Sequence[Buffer], offsets: Sequence[int], overlaps: Overlaps) -> bool:
    """Whether a placement keeps apart what must be kept apart."""
    conflicts = _conflicts(buffers, overlaps)
    return all(
        not low < offsets[i] - offsets[other] < high
        for i, found in enumerate(conflicts)
        for other, low, high in found
    )


def _conflicts(buffers: Sequence[Buffer], overlaps: Overlaps) -> list[list[tuple[int, int, int]]]:
    """For each buffer: (another, low, high), where offset − the other's must not be in between."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in buffers]
    for i, one in enumerate(buffers):
        for j, other in enumerate(buffers):
            if i == j or not one.size or not other.size or not one.meets(other):
                continue
            low, high = -one.size, other.size
            if (j, i) in overlaps:  # one is written while other is read
                low = overlaps[j, i]
            elif (i, j) in overlaps:
                high = -overlaps[i, j]
            found[i].append((j, low, high))
    return found


def _place(order: Sequence[int], conflicts: list[list[tuple[int, int, int]]]) -> list[int]:
    offsets: list[int | None] = [None] * len(conflicts)
    for i in order:
        barred = sorted(
            (offsets[other] + low, offsets[other] + high)
            for other, low, high in conflicts[i]
            if offsets[other] is not None
        )
        lowest = 0
        for low, high in barred:
            if low < lowest < high:
                lowest = high
        offsets[i] = lowest
    return offsets


def _first_orders(buffers: Sequence[Buffer]) -> list[list[int]]:
    live = live_bytes(buffers)

    def pressure(i: int) -> int:
        return max(live[buffers[i].first : buffers[i].last + 1])

    def area(i: int) -> int:
        return buffers[i].size * (buffers[i].last - buffers[i].first + 1)

    keys = (
        lambda i: (-buffers[i].size, -i),
        lambda i: (-pressure(i), -buffers[i].size),
        lambda i: (-pressure(i), buffers[i].first, -buffers[i].size),
        lambda i: (-pressure(i), -buffers[i].last, -buffers[i].size),
        lambda i: (-area(i), -buffers[i].size),
        lambda i: (buffers[i].first, -buffers[i].size),
        lambda i: (-buffers[i].last, -buffers[i].size),
    )
    return [sorted(range(len(buffers)), key=key) for key in keys]


def _shuffled(order: Sequence[int], chance: random.Random) -> list[int]:
    """The order with one to three of its members moved elsewhere, mostly to the front."""
    changed = list(order)
    for _ in range(chance.randint(1, 3)):
        moved = changed.pop(chance.randrange(len(changed)))
        changed.insert(int(len(changed) * chance.random() ** 2), moved)
    return changed
