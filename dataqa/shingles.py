"""Likeness of texts: the Jaccard index over runs of five words or characters, and which pairs can reach it.

A pair of a million texts is found without comparing all with all. Order the shingles of the set by how many texts
hold them, rarest first. Two texts whose likeness is t or more share at least one shingle among the first
n - ceil(t n) + 1 of each, n being how many shingles a text has (prefix filtering; Chaudhuri, Ganti and Kaushik
2006; Bayardo, Ma and Srikant 2007). So only texts that share one of these rare shingles are compared, and no pair
is missed. Every comparison is exact, over the shingles themselves and not over hashes.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

LENGTH = 5
"""Words or characters in a shingle."""

_WORD = re.compile(r"\w+")

# In ASCII the words are what is left when all else becomes spaces, which takes half the time of the pattern.
_SPACED = bytes(code if chr(code).isalnum() or code == ord("_") else 0x20 for code in range(128)) + bytes(128)

# Scripts that write no spaces between words: Thai, Lao, Myanmar, Khmer, Chinese, Japanese.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)

# Below this many characters in all, importing numpy takes longer than doing without.
_SMALL = 400_000

Shingle = tuple[str, ...] | str


def units(text: str, kind: str) -> list[str] | str:
    """Return what shingles are runs of: the words of a text, or the text itself for its characters.

    Words are runs of letters, digits and underscores after NFKC and case folding; characters are those after NFKC,
    case folding and white-space folding. `kind` is "word5" or "char5"; a text of which most letters are of a
    script without spaces is taken by characters anyway.
    """
    worded = kind == "word5" and is_worded(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
        return (worded and _WORD.findall(text)) or " ".join(text.split())
    text = text.lower()
    return text.encode().translate(_SPACED).decode().split() if worded else " ".join(text.split())


def is_worded(text: str) -> bool:
    """Whether a text has words, and most of its letters are of scripts that write spaces between them."""
    if text.isascii() or not _UNSPACED.search(text):
        return _WORD.search(text) is not None
    return len(_UNSPACED.findall(text)) * 2 <= sum(map(str.isalpha, text))


def shingles(text: str, kind: str = "word5") -> frozenset[Shingle]:
    """Return the set of a text's shingles; one where a text is shorter than five units, none where empty."""
    found = units(text, kind)
    if isinstance(found, str):
        starts = range(max(len(found) - LENGTH + 1, 1 if found else 0))
        return frozenset(found[start : start + LENGTH] for start in starts)
    if len(found) <= LENGTH:
        return frozenset([tuple(found)])
    return frozenset(zip(found, found[1:], found[2:], found[3:], found[4:], strict=False))


def jaccard(one: frozenset[Shingle], other: frozenset[Shingle]) -> float:
    """Return the Jaccard index of two sets: shared over all; 0 where one is empty."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def similarity(one: str, other: str, kind: str = "word5") -> float:
    """Return how alike two texts are, from 0 to 1."""
    return jaccard(shingles(one, kind), shingles(other, kind))


class Neighbours:
    """Texts prepared for the search of pairs: `keys[i]` are the rare shingles that text i must share with another.

    Texts whose keys have nothing in common are less alike than `threshold`; of the others `similarity` says it
    exactly. Texts without a key have no neighbour at all.
    """

    def __init__(self, texts: Sequence[str], threshold: float, kind: str = "word5") -> None:
        self.threshold = threshold
        small = sum(map(len, texts)) < _SMALL
        self.sizes, self.keys = (_keys_plain if small else _keys_numpy)(texts, threshold, kind)
        self._shingles = lru_cache(maxsize=8192)(lambda number: shingles(texts[number], kind))

    def similarity(self, one: int, other: int) -> float:
        """Return how alike two texts are if that is the threshold or more, else 0."""
        low, high = sorted((self.sizes[one], self.sizes[other]))
        if low < self.threshold * high - 1e-9:
            return 0.0
        found = jaccard(self._shingles(one), self._shingles(other))
        return found if found >= self.threshold else 0.0

    def pairs(self) -> Iterator[tuple[int, int, float]]:
        """Give every pair (earlier, later, similarity) that reaches the threshold, by the later one."""
        holders: dict[int, list[int]] = {}
        for later, keys in enumerate(self.keys):
            candidates = {earlier for key in keys for earlier in holders.get(key, ())}
            for earlier in sorted(candidates):
                if found := self.similarity(earlier, later):
                    yield earlier, later, found
            for key in keys:
                holders.setdefault(key, []).append(later)


def _prefix(size: int, threshold: float) -> int:
    """Return how many of a text's shingles, rarest first, must be looked at."""
    return size - math.ceil(threshold * size - 1e-9) + 1


def _keys_plain(texts: Sequence[str], threshold: float, kind: str) -> tuple[Sequence[int], list[list[int]]]:
    """Return the number of shingles and the keys of each text."""
    sets = [shingles(text, kind) for text in texts]
    counts = Counter(shingle for found in sets for shingle in found)
    shared = sorted((count, _order(shingle)) for shingle, count in counts.items() if count > 1)
    ranks = {shingle: rank for rank, (_, shingle) in enumerate(shared)}
    keys = []
    for found in sets:
        known = sorted(ranks[name] for shingle in found if (name := _order(shingle)) in ranks)
        keys.append(known[: max(_prefix(len(found), threshold) - (len(found) - len(known)), 0)])
    return [len(found) for found in sets], keys


def _order(shingle: Shingle) -> tuple[str, ...]:
    """Return a shingle in a form that has an order whether it is of words or of characters."""
    return ("", shingle) if isinstance(shingle, str) else shingle


# Texts that are taken apart at once: their words and hashes take a hundred times the memory of the texts.
_TOGETHER = 2048


def _keys_numpy(texts: Sequence[str], threshold: float, kind: str) -> tuple[Sequence[int], list[list[int]]]:
    """Do the same for many texts, with 64-bit hashes in place of shingles.

    Two shingles with one hash can only add a candidate, which the exact comparison then refuses.
    """
    import numpy as np

    # Hash and owner in one number: one fast sort brings equal shingles together and their texts in order.
    bits = np.uint64(max(len(texts), 1).bit_length())
    low = (np.uint64(1) << bits) - np.uint64(1)
    sizes, pieces = np.zeros(len(texts), dtype=np.int64), []
    numbers = _numbering()
    for start in range(0, len(texts), _TOGETHER):
        hashes, holders = _hashes(texts[start : start + _TOGETHER], kind, numbers)
        piece = _distinct((hashes >> bits << bits) | (holders + np.uint64(start)))
        sizes[start : start + _TOGETHER] = np.bincount(
            (piece & low).astype(np.int64) - start, minlength=len(sizes[start : start + _TOGETHER])
        )
        pieces.append(piece)
    packed = np.concatenate([*pieces, np.zeros(0, dtype=np.uint64)])
    pieces.clear()
    packed.sort()
    packed = packed[_shared(packed, bits)]
    hashes, owners = packed >> bits, (packed & low).astype(np.int64)
    groups = np.cumsum(_firsts(hashes)) - 1
    counts = np.bincount(groups)
    order = np.lexsort((groups, counts[groups], owners))
    groups, owners = groups[order], owners[order]
    known = np.bincount(owners, minlength=len(texts))
    wanted = sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1 - (sizes - known)
    starts = np.cumsum(known) - known
    taken = np.arange(len(owners)) - starts[owners] < wanted[owners]
    keys: list[list[int]] = [[] for _ in texts]
    for owner, group in zip(owners[taken].tolist(), groups[taken].tolist(), strict=True):
        keys[owner].append(group)
    return sizes.tolist(), keys


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
