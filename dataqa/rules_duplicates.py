# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about duplicates and contradictions. What counts as one is defined in `duplicates.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tunegate.core.findings import Partner, Severity
from tunegate.dataqa.duplicates import same_question, same_words
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit, known_by
from tunegate.dataqa.prefixes import find_prefixes
from tunegate.dataqa.rule import rule
from tunegate.dataqa.survey import survey_of
from tunegate.dataqa.wording import quoted

Found = Iterator[tuple[Entry, Hit]]

_WAYS = {
    "numbers": "in a number or a sign",
    "negations": "in a negation",
    "answer": "in the answer",
}


def _row(user: str, assistant: str) -> str:
    turns = f'{{"role": "user", "content": "{user}"}}, {{"role": "assistant", "content": "{assistant}"}}'
    return f'{{"messages": [{turns}]}}'


def place_of(partner: Entry, entry: Entry) -> str:
    """Return how a message names a partner: by its line, and by its file where that is another."""
    return f"line {partner.line}" if partner.path == entry.path else f"{partner.path}:{partner.line}"


def hit_with(
    message: str, partner: Entry, similarity: float, severity: Severity | None = None, known: str | None = None
) -> Hit:
    """Return a hit on a row as a whole that names the other row of a pair.

    `known` is what it is known by where the other row might have been named in its place.
    """
    return Hit(message, severity=severity, partner=Partner(partner.path, partner.line, similarity), known_by=known)


def _pair(one: Entry, other: Entry) -> str:
    return known_by(*sorted((one.row_id, other.row_id)))


def _drops(entries: Sequence[Entry], data: Any, rule_id: str) -> Iterator[tuple[Entry, Entry, float]]:
    for rows, found in survey_of(entries, data).duplicates:
        for place, drop in found.drops.items():
            if drop.rule == rule_id:
                yield rows[place], rows[drop.partner], drop.similarity


@rule(
    "DUP001",
    Severity.WARNING,
    scope="set",
    bad=[_row("Where is my parcel?", "order_status"), _row("Where is my parcel?", "order_status")],
    good=[_row("Where is my parcel?", "order_status"), _row("May I have the bill?", "invoice_copy")],
    says="the same conversation as line 1: `tunegate prepare` keeps the first one",
)
def exact_duplicate(entries: Sequence[Entry], data: Any) -> Found:
    """A conversation stands in the set more than once.

    Same messages and same tools; other keys of the row, such as an id, make no difference. A row that comes twice
    is trained twice, and half of the pair may end up among the rows that measure the result.
    """
    for entry, partner, similarity in _drops(entries, data, "DUP001"):
        where = place_of(partner, entry)
        message = f"the same conversation as {where}: `tunegate prepare` keeps the first one"
        yield entry, hit_with(message, partner, similarity, known=known_by(same_words(entry)))


@rule(
    "DUP002",
    Severity.WARNING,
    scope="set",
    bad=[_row("Where is my parcel?", "order_status"), _row("where is my PARCEL", "order_status")],
    good=[_row("Where is my parcel?", "order_status"), _row("Where is my parcel no. 2?", "order_status")],
    says="differs from line 1 in case, white space or punctuation only: `tunegate prepare` keeps the first one",
)
def normalised_duplicate(entries: Sequence[Entry], data: Any) -> Found:
    """Two conversations differ in case, white space or punctuation only.

    Compared after NFKC and case folding. Marks that carry meaning count: the sign and the decimal mark of a
    number, percent, hash and the like. Texts with a code fence are compared with case and punctuation.
    """
    for entry, partner, similarity in _drops(entries, data, "DUP002"):
        where = place_of(partner, entry)
        differs = f"differs from {where} in case, white space or punctuation only"
        message = f"{differs}: `tunegate prepare` keeps the first one"
        yield entry, hit_with(message, partner, similarity, known=known_by(same_words(entry)))


_LONG = "Hello, I ordered two weeks ago and have not heard from you since, so can you tell me where my parcel"


@rule(
    "DUP003",
    Severity.WARNING,
    scope="set",
    bad=[_row(f"{_LONG} is?", "order_status"), _row(f"{_LONG} went?", "order_status")],
    good=[_row(f"{_LONG} is?", "order_status"), _row("Where has my parcel been all these weeks?", "order_status")],
    says="nearly the same as line 1 (similarity 0.89): `tunegate prepare` keeps the first one",
)
def near_duplicate(entries: Sequence[Entry], data: Any) -> Found:
    """Two conversations are nearly the same.

    Similarity is the Jaccard index over runs of five words of the user's text, 0.8 or more by default; each pair
    is verified exactly, and the answers agree. Texts that differ in a number, a sign or a negation are another
    problem: such a pair is named as a note, and both rows stay.
    """
    for rows, found in survey_of(entries, data).duplicates:
        for place, drop in found.drops.items():
            if drop.rule == "DUP003":
                entry, partner = rows[place], rows[drop.partner]
                where, likeness = place_of(partner, entry), f"similarity {drop.similarity:.2f}"
                message = f"nearly the same as {where} ({likeness}): `tunegate prepare` keeps the first one"
                yield entry, hit_with(message, partner, drop.similarity, known=_pair(entry, partner))
        for flag in found.flags:
            if flag.differs != "answer":
                entry, partner = rows[flag.row], rows[flag.partner]
                where, likeness = place_of(partner, entry), f"similarity {flag.similarity:.2f}"
                message = f"nearly the same as {where} ({likeness}) but {_WAYS[flag.differs]}: both rows stay"
                yield entry, hit_with(message, partner, flag.similarity, Severity.INFO, _pair(entry, partner))


_VOTES = [_row(f"Please send me the bill of order {number}.", "invoice_copy") for number in range(10, 13)]
_OTHERS = [_row(f"My parcel {number} has not come.", "order_status") for number in range(10, 13)]


@rule(
    "DUP004",
    Severity.ERROR,
    scope="set",
    bad=[*_VOTES, *_OTHERS, _row("Where is it?", "order_status"), _row("Where is it?", "invoice_copy")],
    good=[*_VOTES, *_OTHERS, _row("Where is it?", "order_status"), _row("How much is it?", "invoice_copy")],
    says="asks the same as line 7 and is labelled 'invoice_copy', not 'order_status': correct one of them",
)
def contradiction(entries: Sequence[Entry], data: Any) -> Found:
    """Two rows ask the same and are answered differently.

    An error in a classification set, where only one of two labels can be right: the model is punished whatever it
    learns. `tunegate prepare` keeps the label that three rows or more and three quarters of them have, and leaves
    out all of them where there is none. A near duplicate with another label is a warning, as one changed word may
    explain it. In a set without labels several answers may be right: there it is a warning, and all rows stay.
    """
    for rows, found in survey_of(entries, data).duplicates:
        named = set()
        for conflict in found.conflicts:
            for place in range(1, len(conflict.rows)):
                if conflict.answers[place] == conflict.answers[0]:
                    continue
                entry, partner = rows[conflict.rows[place]], rows[conflict.partner_of(place)]
                named.add(conflict.rows[place])
                yield entry, _contradiction(entry, partner, conflict.labelled)
        for flag in found.flags:
            entry, partner = rows[flag.row], rows[flag.partner]
            if flag.differs == "answer" and flag.row not in named and entry.label != partner.label:
                where = place_of(partner, entry)
                message = (
                    f"nearly the same as {where} (similarity {flag.similarity:.2f}) and labelled "
                    f"{_label(entry)}, not {_label(partner)}: correct one of them if it is wrong"
                )
                yield entry, hit_with(message, partner, flag.similarity, Severity.WARNING, _pair(entry, partner))


def _contradiction(entry: Entry, partner: Entry, labelled: bool) -> Hit:
    where, known = place_of(partner, entry), known_by(same_question(entry))
    if not labelled:
        message = f"asks the same as {where} and is answered differently: keep both only if both are right"
        return hit_with(message, partner, 1.0, Severity.WARNING, known)
    message = (
        f"asks the same as {where} and is labelled {_label(entry)}, not {_label(partner)}: correct one of them"
    )
    return hit_with(message, partner, 1.0, known=known)


def _label(entry: Entry) -> str:
    """Return a label for a message; an answer that is none is not quoted, as it may hold anything."""
    return "otherwise" if entry.label is None else repr(entry.label)


def _turns(*texts: str) -> str:
    roles = ("user", "assistant")
    turns = [f'{{"role": "{roles[place % 2]}", "content": "{text}"}}' for place, text in enumerate(texts)]
    return f'{{"messages": [{", ".join(turns)}]}}'


_FIRST = ("Where is my parcel?", "It comes on Friday.")


@rule(
    "DUP005",
    Severity.WARNING,
    scope="set",
    bad=[_turns(*_FIRST), _turns(*_FIRST, "At what time?", "Between ten and twelve.")],
    good=[
        _turns(*_FIRST),
        _turns("Has my parcel been sent?", _FIRST[1], "At what time?", "Between ten and twelve."),
    ],
    says="line 2 begins with this whole conversation: `tunegate prepare` keeps the longer one",
)
def prefix(entries: Sequence[Entry], _data: Any) -> Found:
    """A conversation is the beginning of another.

    Each of its answers is trained in the longer one too, and so counts twice. Where the longer one does not train
    the answer (weight 0), as in chats that were taken apart on purpose, nothing is said.
    """
    for place, longer in find_prefixes(entries).items():
        entry, partner = entries[place], entries[longer]
        where = place_of(partner, entry)
        message = f"{where} begins with this whole conversation: `tunegate prepare` keeps the longer one"
        yield entry, hit_with(message, partner, 1.0)


# Openings of fewer words are how a language begins its sentences; a handful of answers shows no habit.
OPENING_WORDS = 5
OPENING_SHARE = 0.2
MIN_ANSWERS = 10

_OPENING = "Sure! Here is the answer to"
_ASKED = [f"{word} I pay?" for word in ("How do", "When must", "Where can", "What do", "Why should", "Must")]


@rule(
    "DUP007",
    Severity.WARNING,
    scope="set",
    bad=[
        *[_row(asked, f"{_OPENING} {asked.lower()} By card.") for asked in _ASKED],
        *[_row(asked.replace("pay", "write"), f"By mail, {asked.lower()} So.") for asked in _ASKED],
    ],
    good=[
        *[_row(asked, f"By card, as for {asked.lower()} As you like.") for asked in _ASKED],
        *[_row(asked.replace("pay", "write"), f"{asked.replace('pay', 'write')} By mail.") for asked in _ASKED],
    ],
    says="6 of 12 answers (50%) begin with 'Sure! Here is the answer': vary the beginning, or leave it out",
)
def opening(entries: Sequence[Entry], data: Any) -> Found:
    """More than a fifth of the answers begin with the same five words.

    The model will begin so whatever it is asked. Labels, JSON, code and calls of tools begin alike by design and
    are not counted; nor are answers that are the same to the end.
    """
    if survey_of(entries, data).labels is not None:
        return
    groups: dict[tuple[str, ...], dict[str, Entry]] = {}
    answers = 0
    for entry in entries:
        words = () if entry.calls else tuple(entry.answer[:200].split()[: OPENING_WORDS + 1])
        if len(words) > OPENING_WORDS and not entry.answer.lstrip().startswith(_FORMS):
            answers += 1
            group = groups.setdefault(tuple(word.lower() for word in words[:OPENING_WORDS]), {})
            group.setdefault(entry.answer, entry)
    if answers < MIN_ANSWERS:
        return
    for group in groups.values():
        share = len(group) / answers
        if share > OPENING_SHARE:
            first = next(iter(group.values()))
            beginning = " ".join(first.answer.split()[:OPENING_WORDS])
            message = f"{len(group):,} of {answers:,} answers ({share:.0%}) begin with {quoted(beginning)}"
            about = known_by(beginning.lower())
            yield first, Hit(f"{message}: vary the beginning, or leave it out", known_by=about)


# How answers begin that have a form: JSON, code, XML, tables, headings.
_FORMS = ("{", "[", "<", "`", "|", "#")

RULES = (exact_duplicate, normalised_duplicate, near_duplicate, contradiction, prefix, opening)
