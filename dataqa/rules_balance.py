# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the balance of classes and of splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tunegate.core.findings import Severity
from tunegate.dataqa.balance import effective_number, ratio
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit, known_by
from tunegate.dataqa.row import Split
from tunegate.dataqa.rule import rule
from tunegate.dataqa.survey import Survey, survey_of
from tunegate.dataqa.wording import quoted

Found = Iterator[tuple[Entry, Hit]]

MAX_RATIO = 10
MIN_VALIDATION_ROWS = 20
MAX_VALIDATION_SHARE = 0.3

# A class of fewer rows cannot be expected on both sides of a split.
MIN_ROWS_OF_A_CLASS = 3

_LABELS = ("order_status", "refund_status", "invoice_copy")


def _row(number: int, label: str) -> str:
    turns = f'{{"role": "user", "content": "Question {number}"}}, {{"role": "assistant", "content": "{label}"}}'
    return f'{{"messages": [{turns}]}}'


def _rows(*counts: int, first: int = 0) -> list[str]:
    labels = [label for label, count in zip(_LABELS, counts, strict=False) for _ in range(count)]
    return [_row(number, label) for number, label in enumerate(labels, first)]


def _of(survey: Survey, split: Split) -> list[Entry]:
    return [survey.entries[place] for place in survey.by_split.get(split, ())]


@rule(
    "BAL001",
    Severity.WARNING,
    scope="set",
    bad=_rows(44, 4),
    good=_rows(36, 4),
    says="the class 'refund_status' has 4 rows and 'order_status' 44, 11 times as many; the 2 classes count as "
    "1.3: add rows of the small ones, or set balance",
)
def unbalanced(entries: Sequence[Entry], data: Any) -> Found:
    """The largest class of the training rows has more than ten times the rows of the smallest.

    The model learns to answer with the large class when in doubt, and accuracy hides it. The message gives the
    effective number of classes: as many equal classes would be as uncertain as these.
    """
    survey = survey_of(entries, data)
    rows = [entry for entry in _of(survey, "train") if entry.label is not None]
    counts = Counter(entry.label for entry in rows if entry.label is not None)
    if survey.labels is None or ratio(counts) <= MAX_RATIO:
        return
    large = max(sorted(counts), key=lambda label: counts[label])
    small = min(sorted(counts), key=lambda label: counts[label])
    few = f"{counts[small]} row" + ("s" if counts[small] > 1 else "")
    times = f"{large!r} {counts[large]}, {ratio(counts):.0f} times as many"
    message = (
        f"the class {small!r} has {few} and {times}; the {len(counts)} classes count as "
        f"{effective_number(counts):.1f}: add rows of the small ones, or set balance"
    )
    yield next(entry for entry in rows if entry.label == small), Hit(message, known_by=known_by())


_SPLITS: tuple[Split, ...] = (*("train",) * 10, *("validation",) * 2)


@rule(
    "BAL002",
    Severity.ERROR,
    scope="set",
    bad=_rows(5, 5) + _rows(2, first=10),
    good=_rows(5, 5) + _rows(1, 1, first=10),
    example_splits=_SPLITS,
    says="the class 'refund_status' has 5 training rows and none among the validation rows: move one there",
)
def absent(entries: Sequence[Entry], data: Any) -> Found:
    """A class or a tool of the training rows is absent from the validation rows.

    How well it is learned is not measured, and may be anything. Where there are fewer than three rows of it, it is
    a warning.
    """
    survey = survey_of(entries, data)
    trained, held_out = _of(survey, "train"), _of(survey, "validation")
    if not held_out or not trained:
        return
    for what, of in (("class", _label), ("tool", _tools)):
        present = {name for entry in held_out for name in of(entry)}
        counts = Counter(name for entry in trained for name in of(entry))
        for name in sorted(set(counts) - present):
            rows = f"{counts[name]} training row" + ("s" if counts[name] > 1 else "")
            message = f"the {what} {name!r} has {rows} and none among the validation rows: move one there"
            few = counts[name] < MIN_ROWS_OF_A_CLASS
            first = next(entry for entry in trained if name in of(entry))
            severity = Severity.WARNING if few else None
            yield first, Hit(message, severity=severity, known_by=known_by(what, name))


def _label(entry: Entry) -> tuple[str, ...]:
    return () if entry.label is None else (entry.label,)


def _tools(entry: Entry) -> tuple[str, ...]:
    return entry.calls


@rule(
    "BAL003",
    Severity.WARNING,
    scope="set",
    bad=_rows(40, 40) + _rows(2, 1, first=80),
    good=_rows(40, 40) + _rows(10, 10, first=80),
    example_splits=(*("train",) * 80, *("validation",) * 20),
    says="3 validation rows are too few to tell a difference: 20 or more are needed",
)
def validation_size(entries: Sequence[Entry], data: Any) -> Found:
    """There are fewer than 20 validation rows, or they are more than 30 % of all.

    On few rows the best epoch is chosen by chance. Many rows are missing in training, where they teach.
    """
    survey = survey_of(entries, data)
    trained, held_out = _of(survey, "train"), _of(survey, "validation")
    if not held_out or not trained:
        return
    share = len(held_out) / (len(held_out) + len(trained))
    if len(held_out) < MIN_VALIDATION_ROWS:
        rows = "1 validation row is" if len(held_out) == 1 else f"{len(held_out)} validation rows are"
        message = f"{rows} too few to tell a difference: {MIN_VALIDATION_ROWS} or more are needed"
        yield held_out[0], Hit(message, known_by=known_by())
    elif share > MAX_VALIDATION_SHARE:
        message = (
            f"{len(held_out)} validation rows are {share:.0%} of the set: train on some of them, "
            f"{MAX_VALIDATION_SHARE:.0%} are enough"
        )
        yield held_out[0], Hit(message, known_by=known_by())


# Of two sources one always has half or more; below so many rows a share is chance.
MIN_SOURCES = 3
MIN_ROWS = 10
MAX_SHARE = 0.5


def _from(number: int, source: str, text: str = "Yes, it is.") -> str:
    question = f"Is number {number} right?"
    turns = f'{{"role": "user", "content": "{question}"}}, {{"role": "assistant", "content": "{text}"}}'
    return f'{{"source": "{source}", "messages": [{turns}]}}'


_SOURCES = ("forum", "manual", "mail")


@rule(
    "BAL004",
    Severity.WARNING,
    scope="set",
    bad=[_from(number, _SOURCES[number % 3 if number < 6 else 0]) for number in range(12)],
    good=[_from(number, _SOURCES[number % 3]) for number in range(12)],
    says="the source 'forum' makes up 67% of the text of the training rows, the other 2 the rest: add rows of the "
    "others, or take some out",
)
def one_source(entries: Sequence[Entry], data: Any) -> Found:
    """One source makes up more than half of the text of the training rows.

    The model learns the style of that source, whatever the others say. The source of a row is its key `source`, or
    that key in `metadata`. With fewer than three sources nothing is said: one of two has half of the text anyway.
    A shared system message or a fixed question is how a task is put, and does not count; answers that are the same
    are duplicates.
    """
    rows = [entry for entry in _of(survey_of(entries, data), "train") if entry.source]
    sizes: Counter[str] = Counter()
    for entry in rows:
        sizes[entry.source or ""] += len(entry.prompt) + len(entry.answer)
    if len(rows) < MIN_ROWS or len(sizes) < MIN_SOURCES:
        return
    largest = max(sizes, key=lambda name: sizes[name])
    share = sizes[largest] / sizes.total()
    if share > MAX_SHARE:
        message = (
            f"the source {quoted(largest)} makes up {share:.0%} of the text of the training rows, the other "
            f"{len(sizes) - 1:,} the rest: add rows of the others, or take some out"
        )
        yield next(entry for entry in rows if entry.source == largest), Hit(message, known_by=known_by())


RULES = (unbalanced, absent, validation_size, one_source)
