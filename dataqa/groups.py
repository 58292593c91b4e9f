"""Groups of rows that must not be parted by a split: of one conversation, or nearly the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from tunegate.dataqa.duplicates import compared
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.neighbours import Neighbours
from tunegate.dataqa.normal import folded


class _Union:
    """Sets of numbers that can be joined."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low


def groups(entries: Sequence[Entry], near: Any) -> list[list[int]]:
    """Return the places of the rows in groups that must stay together, each and all in the order of the rows.

    Together stay rows of one line (parts of a split chat), of one conversation or user as `split.group` names it,
    with the same prompt, and with texts as alike as the threshold of `[data.near_duplicate]`. Here chains count:
    where a is near b and b near c, all three are on one side, or one side would know the other.
    """
    union = _Union(len(entries))
    _join_equal(entries, union)
    _join_near(entries, near, union)
    found: dict[int, list[int]] = {}
    for place in range(len(entries)):
        found.setdefault(union.find(place), []).append(place)
    return list(found.values())


def _join_equal(entries: Sequence[Entry], union: _Union) -> None:
    first: dict[Hashable, int] = {}
    for place, entry in enumerate(entries):
        keys: list[Hashable] = [("line", entry.path, entry.line)]
        if entry.group is not None:
            keys.append(("group", entry.group))
        if entry.prompt.strip():
            keys.append(("prompt", folded(entry.prompt), entry.media))
        for key in keys:
            union.join(first.setdefault(key, place), place)


def _join_near(entries: Sequence[Entry], near: Any, union: _Union) -> None:
    first: dict[str, int] = {}
    for place, entry in enumerate(entries):
        union.join(first.setdefault(compared(entry), place), place)
    texts, places = list(first), list(first.values())
    neighbours = Neighbours(texts, near.threshold, near.shingle)
    # Holders of a key by the group that they are in: a whole group is passed over once the row belongs to it.
    holders: dict[int, dict[int, list[int]]] = {}
    for number in range(len(texts)):
        keys = neighbours.keys(number)
        for key in keys:
            for root in list(by_group := holders.setdefault(key, {})):
                others = by_group[root]
                now = union.find(places[others[0]])
                if now != root:
                    by_group.setdefault(now, []).extend(by_group.pop(root))
            for others in by_group.values():
                _join_one(number, others, neighbours, places, union)
        for key in keys:
            holders[key].setdefault(union.find(places[number]), []).append(number)


def _join_one(
    number: int, others: Sequence[int], neighbours: Neighbours, places: Sequence[int], union: _Union
) -> None:
    for other in others:
        if union.find(places[number]) == union.find(places[other]):
            return  # the others are all of this group
        if neighbours.similarity(number, other):
            union.join(places[number], places[other])
            return
