"""What several rules over the set need to know, found out once: labels, duplicates, leaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from tunegate.dataqa.duplicates import Duplicates, find
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.labels import labelled
from tunegate.dataqa.leakage import SPLITS, Leak, find_leaks
from tunegate.dataqa.tokens import Lengths


class Survey:
    """The entries of a set with their labels, and what is found among them.

    `data` is the `[data]` table. Places in what is found are places in `entries`.
    """

    def __init__(self, entries: Sequence[Entry], data: Any) -> None:
        self.data = data
        self.entries, self.labels = labelled(entries, data.labels)

    @cached_property
    def by_split(self) -> dict[str, list[int]]:
        """The places of the rows of each split that has any."""
        places: dict[str, list[int]] = {split: [] for split in SPLITS}
        for place, entry in enumerate(self.entries):
            places[entry.split].append(place)
        return {split: found for split, found in places.items() if found}

    @cached_property
    def duplicates(self) -> list[tuple[list[Entry], Duplicates]]:
        """The entries of each split, and the duplicates among them."""
        found = []
        for places in self.by_split.values():
            entries = [self.entries[place] for place in places]
            is_labelled = self.labels is not None
            found.append((entries, find(entries, self.data.near_duplicate, labelled=is_labelled)))
        return found

    @cached_property
    def leaks(self) -> list[Leak]:
        """The rows that stand in another split too."""
        return find_leaks(self.entries, self.data.near_duplicate)


class Corpus(list[Entry]):
    """Entries that remember the survey of them, so that the rules over the set share it.

    `lengths` is what the tokens of the entries were counted with.
    """

    def __init__(self, entries: Iterable[Entry] = (), lengths: Lengths | None = None) -> None:
        super().__init__(entries)
        self.lengths = lengths
        self._survey: Survey | None = None

    def survey(self, data: Any) -> Survey:
        """Return the survey under the `[data]` table; made at the first call."""
        if self._survey is None or self._survey.data is not data or len(self._survey.entries) != len(self):
            self._survey = Survey(self, data)
        return self._survey


def survey_of(entries: Sequence[Entry], data: Any) -> Survey:
    """Return the survey of entries: the remembered one of a corpus, else a new one."""
    return entries.survey(data) if isinstance(entries, Corpus) else Survey(entries, data)
