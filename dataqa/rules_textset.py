# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""The TXT rules that need the whole set: lines that many rows share, and answers that were never filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tunegate.core.findings import Severity
from tunegate.dataqa.boilerplate import find
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit, known_by
from tunegate.dataqa.placeholders import WORDS, gaps, is_nothing, variables
from tunegate.dataqa.rule import Rule, rule
from tunegate.dataqa.rules_text import chat
from tunegate.dataqa.survey import survey_of
from tunegate.dataqa.wording import counted, quoted

Found = Iterator[tuple[Entry, Hit]]

_ANSWERS = ("It left today.", "It arrives tomorrow.", "It waits for you at the shop.")
_COOKIES = "\\nWe use cookies to improve your experience."


@rule(
    "TXT008",
    Severity.WARNING,
    scope="set",
    bad=[chat(answer + _COOKIES) for answer in _ANSWERS],
    good=[chat(answer) for answer in _ANSWERS],
    says="the line 'We use cookies to im...xperience.' stands in 3 rows of 3: take it out of them",
)
def boilerplate(entries: Sequence[Entry], _data: Any) -> Found:
    """A line of boilerplate stands in more than 1 % of the rows.

    Texts that were taken from web pages carry notes on cookies and calls to click or subscribe along, and a model
    learns such a line best of all, because it comes most often. Found are lines that say so, in English or German,
    and lines of five words or more that come back in different answers; what stands in more than half of them is
    how they are meant to be. Texts of one line, headings, lists, tables and code are let be.
    """
    for each in find(entries):
        message = (
            f"the line {quoted(each.line)} stands in {counted(each.rows, 'row')} of {len(entries):,}: "
            "take it out of them"
        )
        yield each.first, Hit(message, ("messages",), known_by=known_by(each.line))


@rule(
    "TXT012",
    Severity.ERROR,
    scope="set",
    bad=chat("It left on {{date}}."),
    good=chat("It left on Monday."),
    says="the answer holds '{{date}}', which was never filled in: fill it in, or drop the row",
)
def unfilled(entries: Sequence[Entry], data: Any) -> Found:
    """A template was never filled in, or the answer is a word for nothing, such as `nan` or `None`.

    Programs write such words where there is no value. Variables in double braces count in every text, gaps such as
    `[INSERT DATE]` or `<YOUR NAME>` in answers. They are let be in code, where the chat speaks of templates,
    programs or translation, where the user wrote the same one, and gaps also where a letter or form was asked for.
    A word for nothing is let be where the question names it or is about programs, and `none`, `null` and `n/a`
    where the set has classes and one of them is called so.
    """
    classes = _classes_called_nothing(entries, data)
    for entry in entries:
        asked = f"{entry.system}\n{entry.prompt}"
        if is_nothing(entry.answer, asked):
            if entry.answer.strip() not in classes:
                said = quoted(entry.answer.strip())
                message = f"the answer is {said}, a program's word for nothing: write the answer, or drop the row"
                yield entry, Hit(message, ("messages",))
            continue
        for where, found in (
            ("the system message", variables(entry.system)),
            ("the user's text", variables(entry.prompt)),
            ("the answer", [*variables(entry.answer, asked), *gaps(entry.answer, asked)]),
        ):
            if found:
                more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
                message = f"{where} holds {quoted(found[0])}{more}, which was never filled in"
                yield entry, Hit(f"{message}: fill it in, or drop the row", ("messages",))


def _classes_called_nothing(entries: Sequence[Entry], data: Any) -> frozenset[str]:
    """Return the words for nothing that are classes of the set: as frequent as a tenth of the average class."""
    counts = Counter(
        answer for entry in entries if (answer := entry.answer.strip()) and answer.casefold() in WORDS
    )
    labels = survey_of(entries, data).labels if counts else None
    if not labels:
        return frozenset()
    least = max(3, len(entries) / len(labels) / 10)
    return frozenset(answer for answer, count in counts.items() if answer in labels and count >= least)


RULES: tuple[Rule, ...] = (boilerplate, unfilled)
