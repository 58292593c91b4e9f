"""Leakage: rows of one split that stand in another too, as they are or nearly."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from tunegate.dataqa.duplicates import compared
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.neighbours import Neighbours
from tunegate.dataqa.normal import folded

SPLITS = ("train", "validation", "test")
"""From the least to the most protected: of a leaking pair the row of the earlier split goes."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A row that stands in a more protected split too; rows are places in the sequence of entries."""

    row: int
    partner: int
    rule: Literal["LEAK001", "LEAK002"]
    similarity: float


def find_leaks(entries: Sequence[Entry], near: Any) -> list[Leak]:
    """Return the rows that leak, at most one leak for a row and a split that it leaks into.

    LEAK001 is the same prompt after normalisation, LEAK002 a text as alike as the threshold of
    `[data.near_duplicate]`. Answers, numbers and negations make no difference here: a held-out row whose like was
    trained on measures memory, whatever its answer.
    """
    if len({entry.split for entry in entries}) < 2:
        return []
    numbers_of: dict[str, int] = {}
    texts = [numbers_of.setdefault(compared(entry), len(numbers_of)) for entry in entries]
    neighbours = Neighbours(list(numbers_of), near.threshold, near.shingle)
    leaks = []
    for protected in reversed(SPLITS[1:]):
        kept = _Protected(neighbours)
        for place, entry in enumerate(entries):
            if entry.split == protected:
                kept.add(place, entry, texts[place])
        lower = SPLITS[: SPLITS.index(protected)]
        for place, entry in enumerate(entries):
            if entry.split in lower:
                leak = kept.leak_of(place, entry, texts[place])
                if leak is not None:
                    leaks.append(leak)
    return leaks


class _Protected:
    """The rows of a split that others must not hold."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self._by_prompt: dict[Hashable, int] = {}
        self._by_text: dict[int, int] = {}
        self._by_key: dict[int, list[int]] = {}

    def add(self, place: int, entry: Entry, text: int) -> None:
        if entry.prompt.strip():
            self._by_prompt.setdefault(_prompt(entry), place)
        if text not in self._by_text:
            self._by_text[text] = place
            for key in self._neighbours.keys(text):
                self._by_key.setdefault(key, []).append(text)

    def leak_of(self, place: int, entry: Entry, text: int) -> Leak | None:
        same = self._by_prompt.get(_prompt(entry)) if entry.prompt.strip() else None
        if same is not None:
            return Leak(place, same, "LEAK001", 1.0)
        if entry.media:
            return None  # one question may be asked of many pictures
        if text in self._by_text:
            return Leak(place, self._by_text[text], "LEAK002", 1.0)
        tried = set()
        for key in self._neighbours.keys(text):
            for other in self._by_key.get(key, ()):
                if other not in tried and (likeness := self._neighbours.similarity(text, other)):
                    return Leak(place, self._by_text[other], "LEAK002", likeness)
                tried.add(other)
        return None


def _prompt(entry: Entry) -> Hashable:
    return folded(entry.prompt), entry.media


def count_leaks(entries: Sequence[Entry], near: Any) -> dict[str, int]:
    """Return how many rows of one split stand in another, by pair of splits such as `train-test`."""
    counts = {f"{lower}-{upper}": 0 for lower, upper in combinations(SPLITS, 2)}
    for leak in find_leaks(entries, near):
        counts[f"{entries[leak.row].split}-{entries[leak.partner].split}"] += 1
    return counts
