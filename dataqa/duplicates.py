"""Duplicates: exact, after normalisation, and near; and the rows that contradict each other.

A row is dropped only in favour of an earlier row that stays and is as alike as is said: stars around a kept row,
never chains, in which the last row may have nothing in common with the first. Rows whose answers differ are no
duplicates, nor are texts that differ in a number or in a negation: "book for 2" and "book for 4", "it works" and
"es geht nicht" are different problems. Such pairs stay, and are named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from tunegate.core.errors import UsageError
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.neighbours import Neighbours
from tunegate.dataqa.normal import folded, problem
from tunegate.dataqa.shingles import is_worded, similarity

# A label of contradicting rows is trusted when this many rows and this share of them have it.
CLEAR_ROWS = 3
CLEAR_SHARE = 0.75

# Kept neighbours per shingle that are looked at for a near pair to name: pairs to name are advice, and sets made
# from a template hold millions of them.
LOOKED_AT = 8

# More keys than a set has, so that one number can stand for a kind of rows and a key.
KEYS = 1 << 40

Difference = Literal["numbers", "negations", "answer"]


@dataclass(frozen=True, slots=True)
class Drop:
    """A row that goes in favour of row `partner`, which stays; rows are places in the sequence of entries."""

    rule: Literal["DUP001", "DUP002", "DUP003"]
    partner: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Flag:
    """A row that stays though row `partner` is near it, and what they differ in."""

    row: int
    partner: int
    similarity: float
    differs: Difference


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rows that ask the same in the same context and are answered differently.

    `kept` is the label that clearly most of them have, or None; in a set without labels, where several answers can
    be right, the rows are only named.
    """

    rows: tuple[int, ...]
    answers: tuple[str, ...]
    labelled: bool
    kept: str | None = None

    def partner_of(self, place: int) -> int:
        """Return the first row that is answered otherwise than the row at a place of `rows`."""
        return next(
            row for row, answer in zip(self.rows, self.answers, strict=True) if answer != self.answers[place]
        )


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found in one split, by place in the sequence of entries."""

    drops: dict[int, Drop] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


_folded_system = lru_cache(maxsize=4096)(folded)  # a set has few different ones


def same_question(entry: Entry) -> Hashable:
    """Return what two rows have in common that ask the same in the same context, after normalisation."""
    return _folded_system(entry.system), folded(entry.prompt), entry.history, entry.media


def same_words(entry: Entry) -> Hashable:
    """Return what two rows have in common that are the same, question and answer, after normalisation."""
    return same_question(entry), _answer(entry)


def compared(entry: Entry) -> str:
    """Return the text that near duplicates are compared by."""
    return entry.prompt if entry.text is None else entry.text


def find(entries: Sequence[Entry], near: Any, *, labelled: bool, without: Iterable[int] = ()) -> Duplicates:
    """Find the duplicates and contradictions among the rows of one split, in the order of the entries.

    `near` is the table `[data.near_duplicate]`; rows whose place is in `without` take no part in pairs of
    duplicates. Raises UsageError when the labels of a classification set would be compared.
    """
    if labelled and near.on == "assistant":
        raise UsageError(
            "near_duplicate.on = 'assistant' compares labels, which are the same in most rows of a "
            "classification set: set on = 'user' under [data]"
        )
    skipped = set(without)
    kept = _Kept(entries, near)
    questions = {place: same_question(entries[place]) for place in kept.places}
    drops: dict[int, Drop] = {}
    for place, question in questions.items():
        if place not in skipped:
            said = (question, _answer(entries[place]))
            drop = kept.equal_to(place, said) or kept.near_to(place)
            if drop is not None:
                drops[place] = drop
            else:
                kept.add(place, said)
    return Duplicates(drops, kept.flags, _conflicts(entries, questions, near, labelled))


def conflicts(entries: Sequence[Entry], near: Any, *, labelled: bool) -> list[Conflict]:
    """Return the groups of rows that ask the same and are answered differently, by their first row."""
    questions = {place: same_question(entry) for place, entry in enumerate(entries)}
    return _conflicts(entries, questions, near, labelled)


class _Kept:
    """The rows that stay so far, to be found by what they are equal or near to."""

    def __init__(self, entries: Sequence[Entry], near: Any) -> None:
        self.flags: list[Flag] = []
        self._entries = entries
        self._near = near
        # Of equal texts only one takes part in the search.
        numbers_of: dict[str, int] = {}
        self._texts = [numbers_of.setdefault(compared(entry), len(numbers_of)) for entry in entries]
        self._neighbours = Neighbours(list(numbers_of), near.threshold, near.shingle)
        self._rows_of = Counter(self._texts)
        self._exact: dict[Hashable, int] = {}
        self._normal: dict[Hashable, int] = {}
        self._same_kind = _Index()
        self._any_kind = _Index()
        self._kinds: dict[int, tuple[Hashable, ...]] = {}
        self._number_of_kind: dict[tuple[Hashable, ...], int] = {}
        # Open answers are compared where the questions are alike.
        asked_alike = [place for place in range(len(entries)) if self._keys(place)]
        self._answers = _Answers({place: folded(entries[place].answer) for place in asked_alike}, near)
        self.places = [place for place in range(len(entries)) if self._may_match(place)]

    def _may_match(self, place: int) -> bool:
        """Whether a row may equal or be near another; the others stay, whatever they say.

        Prompts that are the same after normalisation have the same words, so where words are compared a prompt
        that is near no other has no equal either.
        """
        by_words = self._near.on == "user" and self._near.shingle == "word5"
        return bool(self._keys(place)) or not (by_words and is_worded(self._entries[place].prompt))

    def equal_to(self, place: int, said: Hashable) -> Drop | None:
        """Return the drop of a row that equals one that stays, as it is or after normalisation (`said`)."""
        entry = self._entries[place]
        exact = self._exact.get((entry.context, entry.answer))
        if exact is not None:
            return Drop("DUP001", exact, 1.0)
        normal = self._normal.get(said)
        return None if normal is None else Drop("DUP002", normal, 1.0)

    def near_to(self, place: int) -> Drop | None:
        """Return the drop of a row that is near one that stays; note a pair that differs in more than words."""
        keys = self._keys(place)
        if not keys:
            return None
        kind = self._kinds[place] = _kind(self._entries[place])
        alike = {other for key in keys for other in self._same_kind.under(self._of_kind(kind, key))}
        if alike and self._entries[place].label is None:
            alike &= self._answers.alike(place)
        for other, likeness in self._by_likeness(place, alike):
            return Drop("DUP003", other, likeness)
        others = {other for key in keys for other in self._any_kind.under(key)}
        for other, likeness in self._by_likeness(place, others):
            self.flags.append(Flag(place, other, likeness, _difference(kind, self._kinds[other])))
            break
        return None

    def add(self, place: int, said: Hashable) -> None:
        """Let a row stay."""
        entry = self._entries[place]
        self._exact[entry.context, entry.answer] = place
        self._normal[said] = place
        keys = self._keys(place)
        if keys and entry.label is None:
            self._answers.add(place)
        for key in keys:
            self._same_kind.add(self._of_kind(self._kinds[place], key), place)
            if len(self._any_kind.under(key)) < LOOKED_AT:
                self._any_kind.add(key, place)

    def _of_kind(self, kind: tuple[Hashable, ...], key: int) -> int:
        """Return one number for a key among the rows of one kind: a million pairs would take a lot of memory."""
        number = self._number_of_kind.setdefault(kind, len(self._number_of_kind))
        return number * KEYS + key

    def _keys(self, place: int) -> list[int]:
        text = self._texts[place]
        keys = self._neighbours.keys(text)
        return keys if self._rows_of[text] == 1 else [*keys, -1 - text]

    def _by_likeness(self, place: int, others: Iterable[int]) -> list[tuple[int, float]]:
        """Return those of the rows that reach the threshold, the most alike first, then the earliest."""
        text = self._texts[place]
        found = []
        for other in others:
            same = self._texts[other] == text
            likeness = 1.0 if same else self._neighbours.similarity(text, self._texts[other])
            if likeness:
                found.append((other, likeness))
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))


class _Index:
    """Rows by a number that they share. Most numbers have one row, which then stands there without a list."""

    def __init__(self) -> None:
        self._rows: dict[int, int | list[int]] = {}

    def add(self, number: int, row: int) -> None:
        found = self._rows.setdefault(number, row)
        if isinstance(found, list):
            found.append(row)
        elif found != row:
            self._rows[number] = [found, row]

    def under(self, number: int) -> Sequence[int]:
        """Return the rows of a number, in the order in which they came."""
        found = self._rows.get(number, ())
        return (found,) if isinstance(found, int) else found


class _Answers:
    """Rows by their answers: which of those added before are answered alike."""

    def __init__(self, answers: Mapping[int, str], near: Any) -> None:
        numbers_of: dict[str, int] = {}
        self._text_of = {place: numbers_of.setdefault(text, len(numbers_of)) for place, text in answers.items()}
        self._neighbours = Neighbours(list(numbers_of), near.threshold, near.shingle)
        self._rows: dict[int, list[int]] = {}
        self._texts: dict[int, list[int]] = {}

    def add(self, place: int) -> None:
        text = self._text_of[place]
        if text not in self._rows:
            for key in self._neighbours.keys(text):
                self._texts.setdefault(key, []).append(text)
        self._rows.setdefault(text, []).append(place)

    def alike(self, place: int) -> set[int]:
        """Return the rows whose answer is the same after normalisation, or as alike as the threshold."""
        text = self._text_of[place]
        found = set(self._rows.get(text, ()))
        others = {other for key in self._neighbours.keys(text) for other in self._texts.get(key, ())}
        for other in others - {text}:
            if self._neighbours.similarity(text, other):
                found.update(self._rows[other])
        return found


def _answer(entry: Entry) -> str:
    """Return what is equal in two answers that are the same after normalisation."""
    return folded(entry.answer) if entry.label is None else entry.label


def _kind(entry: Entry) -> tuple[Hashable, ...]:
    """Return what two rows must have in common, beside near texts, for one of them to be dropped."""
    answer: Hashable = problem(entry.answer) if entry.label is None else entry.label
    return *problem(compared(entry)), answer, entry.history, entry.media


def _difference(one: tuple[Hashable, ...], other: tuple[Hashable, ...]) -> Difference:
    if one[0] != other[0]:
        return "numbers"
    return "negations" if one[1] != other[1] else "answer"


def _alike(one: str, other: str, near: Any) -> bool:
    return folded(one) == folded(other) or similarity(one, other, near.shingle) >= near.threshold


def _conflicts(
    entries: Sequence[Entry], questions: Mapping[int, Hashable], near: Any, labelled: bool
) -> list[Conflict]:
    """Return the groups of rows that ask the same and are answered differently, by their first row.

    With labels every other label is a contradiction: of one question only one can be right. Without, an answer
    conflicts with the first one when it is less like it than the threshold.
    """
    groups: dict[Hashable, list[int]] = {}
    for place, question in questions.items():
        if entries[place].prompt.strip() or entries[place].media:
            groups.setdefault(question, []).append(place)
    found = (_conflict(entries, places, near, labelled) for places in groups.values() if len(places) > 1)
    return [conflict for conflict in found if conflict is not None]


def _conflict(entries: Sequence[Entry], places: Sequence[int], near: Any, labelled: bool) -> Conflict | None:
    if labelled:
        answers = [_answer(entries[place]) for place in places]
    else:
        first = entries[places[0]].answer
        given = [entries[place].answer for place in places]
        answers = [first if _alike(first, answer, near) else answer for answer in given]
    if len(set(answers)) < 2:
        return None
    most, count = min(Counter(answers).items(), key=lambda item: (-item[1], item[0]))
    clear = labelled and count >= CLEAR_ROWS and count >= CLEAR_SHARE * len(answers)
    return Conflict(tuple(places), tuple(answers), labelled, most if clear else None)
