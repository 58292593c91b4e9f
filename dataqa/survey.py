"""What several rules over the set need to know, found out once: labels, duplicates, leaks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunegate.dataqa.duplicates import Duplicates, find
from tunegate.dataqa.labels import labelled
from tunegate.dataqa.leakage import SPLITS, Leak, find_leaks
from tunegate.dataqa.rule import Entry, Row
from tunegate.dataqa.tokens import Lengths, OverLong

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

# Counting many rows at once takes a quarter of the time of counting them one by one.
BATCH = 256

# Batches that may wait to be counted: their rows are kept in memory.
BATCHES_AHEAD = 4


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
        self._waiting: list[tuple[int, Any]] = []
        self._counted: deque[tuple[list[int], Future[list[OverLong | None]]]] = deque()
        self._worker: ThreadPoolExecutor | None = None

    def keep(self, entry: Entry, row: Row) -> None:
        """Add the entry of a row; its length is counted, with that of others, where it may be over the limit."""
        if self.lengths is not None and self.lengths.may_be_over(row.raw):
            self._waiting.append((len(self), row.value))
        self.append(entry)
        if len(self._waiting) >= BATCH:
            self._hand_over()

    def settle(self) -> None:
        """Count the rows that still wait for it; the entries of those over the limit get their tokens."""
        self._hand_over()
        while self._counted:
            self._take_one()
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None

    def _hand_over(self) -> None:
        """Let the waiting rows be counted while the next ones are read: tokenizers need no lock of Python."""
        waiting, self._waiting = self._waiting, []
        if not waiting or self.lengths is None:
            return
        if self._worker is None:
            from concurrent.futures import ThreadPoolExecutor

            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokens")
        rows = [row for _, row in waiting]
        self._counted.append(([place for place, _ in waiting], self._worker.submit(self.lengths.over, rows)))
        if len(self._counted) > BATCHES_AHEAD:
            self._take_one()

    def _take_one(self) -> None:
        places, future = self._counted.popleft()
        for place, found in zip(places, future.result(), strict=True):
            if found is not None:
                self[place] = replace(self[place], tokens=found.tokens, prompt_tokens=found.before, cut=found.cut)

    def survey(self, data: Any) -> Survey:
        """Return the survey under the `[data]` table; made at the first call."""
        if self._survey is None or self._survey.data is not data or len(self._survey.entries) != len(self):
            self._survey = Survey(self, data)
        return self._survey


def survey_of(entries: Sequence[Entry], data: Any) -> Survey:
    """Return the survey of entries: the remembered one of a corpus, else a new one."""
    return entries.survey(data) if isinstance(entries, Corpus) else Survey(entries, data)
