"""Labels: whether the answers of a set are a small closed set of names, and which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tunegate.dataqa.entry import Entry

# A name is short and on one line; more than this many names are no small set.
MAX_LENGTH = 64
MAX_LABELS = 300

# Names come again and again: on average at least this often, and this share of the rows has one that comes again.
MIN_ROWS_PER_LABEL = 3
MIN_REPEATED = 0.8

# So many rows may be answered otherwise (dirt, a refusal) without making the set an open one.
MAX_OTHER = 0.02


def find_labels(answers: Iterable[str], setting: str = "auto") -> tuple[str, ...] | None:
    """Return the labels of a set, sorted, or None where its answers are open.

    With `auto` a set is a classification when its final answers come from a small closed set: two or more
    different ones, at most 300; each at most 64 characters on one line, but for 2 % of the rows; three rows or
    more to an answer on average; and at least 80 % of the rows with an answer that comes again. Answers are
    compared without the white space around them. With `none` there are no labels; any other setting is a JSON
    path, and what stands there is a label whatever it looks like.
    """
    if setting == "none":
        return None
    counts = Counter(answer.strip() for answer in answers)
    if setting != "auto":
        return tuple(sorted(label for label in counts if label)) or None
    rows = sum(counts.values())
    names = {answer: count for answer, count in counts.items() if _is_name(answer)}
    named = sum(names.values())
    repeated = sum(count for count in names.values() if count > 1)
    is_closed = (
        2 <= len(names) <= MAX_LABELS
        and rows - named <= MAX_OTHER * rows
        and named >= MIN_ROWS_PER_LABEL * len(names)
        and repeated >= MIN_REPEATED * rows
    )
    return tuple(sorted(names)) if is_closed else None


def _is_name(answer: str) -> bool:
    return 0 < len(answer) <= MAX_LENGTH and "\n" not in answer


def path_of(setting: str) -> str | None:
    """Return the JSON path of the labels that a setting names; None for `auto` and `none`."""
    return None if setting in ("auto", "none") else setting


def labelled(entries: Sequence[Entry], setting: str = "auto") -> tuple[list[Entry], tuple[str, ...] | None]:
    """Return the entries with their labels, and the labels; entries of an open set have none.

    A row of a classification set whose answer is no name keeps None. For a path the entries bring their labels.
    Preference rows compare answers, so that what they prefer is never a label by itself.
    """
    if path_of(setting) is not None:
        labels = find_labels((entry.label for entry in entries if entry.label is not None), setting)
        return list(entries), labels
    compares = any(entry.pair is not None for entry in entries)
    labels = None if compares else find_labels((entry.answer for entry in entries), setting)
    if labels is None:
        return list(entries), None
    names = frozenset(labels)
    answers = (entry.answer.strip() for entry in entries)
    given = [
        entry._replace(label=answer if answer in names else None)
        for entry, answer in zip(entries, answers, strict=True)
    ]
    return given, labels
