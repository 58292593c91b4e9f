"""The pairs of texts that are alike, found without comparing all with all.

Order the shingles of the set by how many texts hold them, rarest first. Two texts whose likeness is t or more
share at least one shingle among the first n - ceil(t n) + 1 of each, n being how many shingles a text has (prefix
filtering; Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007). So only texts that share one of these
rare shingles are compared, and no pair is missed. Every comparison that counts is exact, over the shingles
themselves and not over hashes.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from tunegate.dataqa.shingles import LENGTH, Shingle, jaccard, shingles, units

# Below this many characters in all, importing numpy takes longer than doing without; where it is there already,
# below this many a call of it does.
_SMALL = 400_000
_TINY = 20_000

# Texts whose shingles are kept for the next comparison; a long one takes a megabyte.
CACHED = 512


class Neighbours:
    """Texts prepared for the search of pairs: each has keys, rare shingles of which it must share one with others.

    Texts whose keys have nothing in common are less alike than `threshold`; of the others `similarity` says it
    exactly. Texts without a key have no neighbour at all.
    """

    def __init__(self, texts: Sequence[str], threshold: float, kind: str = "word5") -> None:
        self.threshold = threshold
        small = sum(map(len, texts)) < (_TINY if "numpy" in sys.modules else _SMALL)
        self._index = (_index_plainly if small else _index_by_hashes)(texts, threshold, kind)
        self._shared = lru_cache(maxsize=4096)(lambda number: frozenset(self._index.shared_of(number)))
        self._shingles = lru_cache(maxsize=CACHED)(lambda number: shingles(texts[number], kind))

    def keys(self, number: int) -> list[int]:
        """Return the keys of a text."""
        return self._index.shared_of(number)[: self._index.wanted[number]]

    def similarity(self, one: int, other: int) -> float:
        """Return how alike two texts are if that is the threshold or more, else 0."""
        sizes = self._index.sizes
        low, high = sorted((sizes[one], sizes[other]))
        if low < self.threshold * high - 1e-9:
            return 0.0
        # They share no more than what they have in common among the shingles that more than one text has.
        most = len(self._shared(one) & self._shared(other))
        if most < self.threshold * (low + high - most) - 1e-9:
            return 0.0
        found = jaccard(self._shingles(one), self._shingles(other))
        return found if found >= self.threshold else 0.0

    def pairs(self) -> Iterator[tuple[int, int, float]]:
        """Give every pair (earlier, later, similarity) that reaches the threshold, by the later one."""
        holders: dict[int, list[int]] = {}
        for later in range(len(self._index.sizes)):
            keys = self.keys(later)
            candidates = {earlier for key in keys for earlier in holders.get(key, ())}
            for earlier in sorted(candidates):
                if found := self.similarity(earlier, later):
                    yield earlier, later, found
            for key in keys:
                holders.setdefault(key, []).append(later)


class _Index(NamedTuple):
    """The shingles that two texts or more have, as numbers: text after text, the rarest of each text first.

    `sizes` is how many different shingles each text has in all, `starts` where its own begin in `flat`, and
    `wanted` how many of these are keys.
    """

    sizes: list[int]
    wanted: list[int]
    starts: list[int]
    flat: Any

    def shared_of(self, number: int) -> list[int]:
        """Return the shingles that a text shares with any other."""
        found: list[int] = self.flat[self.starts[number] : self.starts[number + 1]].tolist()
        return found


def _prefix(size: int, threshold: float) -> int:
    """Return how many of a text's shingles, rarest first, must be looked at."""
    return size - math.ceil(threshold * size - 1e-9) + 1


def _index_plainly(texts: Sequence[str], threshold: float, kind: str) -> _Index:
    sets = [shingles(text, kind) for text in texts]
    counts = Counter(shingle for found in sets for shingle in found)
    shared = sorted((count, _order(shingle)) for shingle, count in counts.items() if count > 1)
    ranks = {shingle: rank for rank, (_, shingle) in enumerate(shared)}
    flat, starts, wanted = array("q"), [0], []
    for found in sets:
        known = sorted(ranks[name] for shingle in found if (name := _order(shingle)) in ranks)
        flat.extend(known)
        starts.append(len(flat))
        wanted.append(max(_prefix(len(found), threshold) - (len(found) - len(known)), 0))
    return _Index([len(found) for found in sets], wanted, starts, flat)


def _order(shingle: Shingle) -> tuple[str, ...]:
    """Return a shingle in a form that has an order whether it is of words or of characters."""
    return ("", shingle) if isinstance(shingle, str) else shingle


# Texts that are taken apart at once: their words and hashes take a hundred times the memory of the texts.
_TOGETHER = 2048


def _index_by_hashes(texts: Sequence[str], threshold: float, kind: str) -> _Index:
    """Make the index of many texts, with 64-bit hashes in place of shingles.

    Two shingles with one hash can only add a candidate, which the exact comparison then refuses.
    """
    import numpy as np

    # Hash and owner in one number: one fast sort brings equal shingles together and their texts in order.
    bits = np.uint64(max(len(texts), 1).bit_length())
    low = (np.uint64(1) << bits) - np.uint64(1)
    sizes, pieces = np.zeros(len(texts), dtype=np.int64), [np.zeros(0, dtype=np.uint64)]
    numbers = _numbering()
    for start in range(0, len(texts), _TOGETHER):
        hashes, holders = _hashes(texts[start : start + _TOGETHER], kind, numbers)
        piece = _distinct((hashes >> bits << bits) | (holders + np.uint64(start)))
        here = sizes[start : start + _TOGETHER]
        here += np.bincount((piece & low).astype(np.int64) - start, minlength=len(here))
        pieces.append(piece)
    packed = np.concatenate(pieces)
    pieces.clear()
    packed.sort()
    packed = packed[_shared(packed, bits)]
    hashes, owners = packed >> bits, (packed & low).astype(np.int64)
    groups = np.cumsum(_firsts(hashes)) - 1
    counts = np.bincount(groups)
    order = np.lexsort((groups, counts[groups], owners))
    known = np.bincount(owners, minlength=len(texts))
    wanted = sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1 - (sizes - known)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(known)])
    return _Index(sizes.tolist(), np.maximum(wanted, 0).tolist(), starts.tolist(), groups[order])


def _distinct(values: Any) -> Any:
    """Return values sorted and each once; `numpy.unique` would take ten times as long for these."""
    values.sort()
    return values[_firsts(values)]


def _firsts(values: Any) -> Any:
    """Return which of the sorted values differ from the one before."""
    import numpy as np

    firsts = np.ones(len(values), dtype=bool)
    firsts[1:] = values[1:] != values[:-1]
    return firsts


def _shared(packed: Any, bits: Any) -> Any:
    """Return which of the sorted numbers have the same hash as one beside them."""
    import numpy as np

    same = np.zeros(len(packed), dtype=bool)
    step = 1 << 20  # a part at a time: the shifted copies of all would take as much memory again
    for start in range(0, len(packed) - 1, step):
        here = packed[start : start + step + 1] >> bits
        equal = here[1:] == here[:-1]
        same[start : start + len(equal)] |= equal
        same[start + 1 : start + 1 + len(equal)] |= equal
    return same


def _numbering() -> defaultdict[str, int]:
    """Return a table that gives every new word the next number."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    return numbers


def _hashes(texts: Sequence[str], kind: str, numbers: defaultdict[str, int]) -> tuple[Any, Any]:
    """Return the 64-bit hash of every run of five units, and the place of the text that it stands in."""
    import numpy as np

    coded, lengths = [], np.empty(len(texts), dtype=np.int64)
    for place, text in enumerate(texts):
        found = units(text, kind)
        if isinstance(found, str):
            codes = np.frombuffer(found.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            coded.append(codes.astype(np.uint64) | np.uint64(1 << 40))  # apart from the numbers of words
        else:
            coded.append(np.fromiter(map(numbers.__getitem__, found), dtype=np.uint64, count=len(found)))
        lengths[place] = len(found)
    flat = _mixed(np.concatenate([*coded, np.zeros(LENGTH, dtype=np.uint64)]))
    ends = np.cumsum(lengths)
    owners = np.repeat(np.arange(len(texts), dtype=np.uint64), lengths)
    left = np.repeat(ends, lengths) - np.arange(int(lengths.sum()))  # units from here to the end of the text
    total = np.zeros(len(owners), dtype=np.uint64)
    for step in range(LENGTH):
        here = flat[step : step + len(owners)]
        total = total * np.uint64(0x9E3779B97F4A7C15) + np.where(left > step, here, np.uint64(step))
    # Runs that reach beyond their text are none, but for the one of a text that is shorter than a run.
    whole = (left >= LENGTH) | ((left == np.repeat(lengths, lengths)) & (left < LENGTH))
    return _mixed(total[whole]), owners[whole]


def _mixed(values: Any) -> Any:
    """Return 64-bit values with their bits well mixed (the finaliser of SplitMix64)."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
