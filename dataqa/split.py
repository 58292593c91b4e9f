"""The split into training, validation and test rows: by label, without leaks, the same every time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from tunegate.dataqa.entry import Entry
from tunegate.dataqa.row import Split

# A class of three rows or more is put on every side, as long as the side grows by no more than this.
MIN_ROWS_OF_A_CLASS = 3
MAX_GROWTH = 1.5

HELD_OUT: tuple[Split, ...] = ("test", "validation")


def assign(
    entries: Sequence[Entry],
    groups: Sequence[Sequence[int]],
    shares: Mapping[Split, float],
    *,
    stratify: bool,
    seed: int,
) -> list[Split]:
    """Return the split of each row; rows of one group are on one side.

    `shares` are the parts of all rows that go to validation and test. With `stratify` each label is shared out
    alike; a label that occurs once stays in training. Groups are given out one after another, those of the rarest
    label first, each to the side that still lacks most rows of that label (iterative stratification; Sechidis,
    Tsoumakas and Vlahavas 2011). The order among equals follows from the seed and from what the rows say, so the
    order of the lines makes no difference.
    """
    strata = [entry.label or "" if stratify else "" for entry in entries]
    totals = Counter(strata)
    wanted = {side: _wanted(totals, shares.get(side, 0.0)) for side in HELD_OUT}
    room = {side: sum(counts.values()) for side, counts in wanted.items()}
    made: list[Split] = ["train"] * len(entries)
    left = sorted(groups, key=lambda group: _rank(entries, group, strata, totals, seed))
    movable = {stratum: total - 1 for stratum, total in totals.items()}
    for group in left:
        counts = Counter(strata[place] for place in group)
        if any(movable[stratum] < count for stratum, count in counts.items()):
            continue  # the last row of a label stays in training
        rarest = min(counts, key=lambda stratum: (totals[stratum], stratum))
        side = max(HELD_OUT, key=lambda side: (wanted[side][rarest], room[side]))
        if wanted[side][rarest] <= 0 or len(group) > room[side] or len(group) > 2 * wanted[side][rarest]:
            continue
        for place in group:
            made[place] = side
        for stratum, count in counts.items():
            movable[stratum] -= count
            wanted[side][stratum] -= count
        room[side] -= len(group)
    return made


def _wanted(totals: Mapping[str, int], share: float) -> Counter[str]:
    """Return how many rows of each label a side wants, rounded half up."""
    wanted = Counter({stratum: math.floor(share * count + 0.5) for stratum, count in totals.items()})
    if share > 0:
        most = max(math.ceil(MAX_GROWTH * share * sum(totals.values()) - 1e-9), 1)
        for stratum, count in sorted(totals.items(), key=lambda item: (-item[1], item[0])):
            if wanted[stratum] == 0 and count >= MIN_ROWS_OF_A_CLASS and sum(wanted.values()) < most:
                wanted[stratum] = 1
    return wanted


def _rank(
    entries: Sequence[Entry], group: Sequence[int], strata: Sequence[str], totals: Mapping[str, int], seed: int
) -> tuple[int, str, bytes]:
    rarest = min((strata[place] for place in group), key=lambda stratum: (totals[stratum], stratum))
    content = ",".join(sorted(entries[place].row_id for place in group))
    return totals[rarest], rarest, blake2b(f"{seed}:{content}".encode(), digest_size=8).digest()
