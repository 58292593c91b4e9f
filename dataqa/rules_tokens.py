# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the length of rows in tokens.

Lengths are counted with the model's own tokenizer where it is on this machine. Else they are an estimate with the
vocabulary o200k, and the findings are warnings. Rules that compare all rows go by the lengths of their texts:
rows that cannot be over the limit are never counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, log
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit, known_by
from tunegate.dataqa.rule import rule
from tunegate.dataqa.rules_turns import control_marks
from tunegate.dataqa.survey import Corpus
from tunegate.dataqa.wording import counted, quoted

Found = Iterator[tuple[Entry, Hit]]


def _row(user: str, assistant: str) -> str:
    turns = f'{{"role": "user", "content": "{user}"}}, {{"role": "assistant", "content": "{assistant}"}}'
    return f'{{"messages": [{turns}]}}'


def _over_long(entries: Sequence[Entry], limit: int) -> Iterator[tuple[Entry, int, int]]:
    """Give the rows over the limit, each with its tokens and those before its first trained answer."""
    for entry in entries:
        if entry.tokens is not None and entry.tokens > limit:
            yield entry, entry.tokens, entry.prompt_tokens or 0


def _how_counted(entries: Sequence[Entry]) -> tuple[str, Severity]:
    """Return what a message says of the counter, and how severe its findings are."""
    lengths = entries.lengths if isinstance(entries, Corpus) else None
    if lengths is None or lengths.counting.exact:
        return "tokens", Severity.ERROR
    return f"tokens (estimated with {lengths.counting.name})", Severity.WARNING


_LONG = "It is on its way. " * 300


@rule(
    "TOK001",
    Severity.ERROR,
    scope="set",
    bad=_row("Where is my parcel?", _LONG),
    good=_row("Where is my parcel?", _LONG[:180]),
    says="1,817 tokens (estimated with o200k), over the limit of 1,024: shorten it, or set tokens.too_long to "
    "drop or split it",
)
def too_long(entries: Sequence[Entry], data: Any) -> Found:
    """A row is longer than training takes.

    What stands beyond the limit is cut off, and with it mostly the end of the answer: the model learns to stop in
    the middle. `tunegate prepare` refuses such rows, drops them, or splits them between turns, as
    `tokens.too_long` says. The limit is `tokens.max`; without a configuration it is what the target takes.
    """
    for entry, tokens, before in _over_long(entries, data.tokens.max):
        if before < data.tokens.max:
            said, severity = _how_counted(entries)
            message = (
                f"{tokens:,} {said}, over the limit of {data.tokens.max:,}: shorten it, or set "
                "tokens.too_long to drop or split it"
            )
            yield entry, Hit(message, severity=severity)


@rule(
    "TOK002",
    Severity.ERROR,
    scope="set",
    bad=_row(_LONG, "It is on its way."),
    good=_row(_LONG[:180], "It is on its way."),
    says="the first answer begins after 1,808 tokens (estimated with o200k), and the limit is 1,024: shorten what "
    "stands before it, or drop the row",
)
def nothing_left(entries: Sequence[Entry], data: Any) -> Found:
    """A row is so long that nothing of its answers is left to train.

    All that is trained stands beyond the limit. The row costs time and teaches nothing.
    """
    for entry, _, before in _over_long(entries, data.tokens.max):
        if before >= data.tokens.max:
            said, severity = _how_counted(entries)
            message = (
                f"the first answer begins after {before:,} {said}, and the limit is "
                f"{data.tokens.max:,}: shorten what stands before it, or drop the row"
            )
            yield entry, Hit(message, severity=severity)


@rule(
    "TOK003",
    Severity.ERROR,
    scope="set",
    bad=_row("Where is my parcel?", _LONG),
    good=_row("Where is my parcel?", _LONG[:180]),
    says="the limit of 1,024 tokens (estimated with o200k) falls inside the answer messages[1]: it loses its end "
    "and the mark that ends it; shorten the row, or set tokens.too_long to drop or split it",
)
def answer_cut(entries: Sequence[Entry], data: Any) -> Found:
    """The limit falls inside an answer that is trained, which loses its end.

    The mark that ends the answer is cut off too, and the model learns to stop in the middle of a sentence, or
    never. TOK001 says that the row is too long; this rule, where it hurts. A limit that falls into a question or
    between two messages cuts off whole turns only.
    """
    for entry in entries:
        if entry.cut is not None:
            said, severity = _how_counted(entries)
            message = (
                f"the limit of {data.tokens.max:,} {said} falls inside the answer messages[{entry.cut}]: it loses "
                "its end and the mark that ends it; shorten the row, or set tokens.too_long to drop or split it"
            )
            yield entry, Hit(message, ("messages", entry.cut), severity=severity)


# A robust z-score: how many standard deviations from the middle, both judged by medians (Iglewicz and Hoaglin
# 1993, who call 3.5 an outlier). Lengths are taken as logarithms, for those of texts are skewed; 6 is a wide
# margin.
_MOST_DEVIATIONS = 6.0
_DEVIATIONS_OF_MEDIAN = 1.4826
# A median of fewer rows says little.
_FEWEST_ROWS = 20
# In a set of rows of one length a row must still be so many times as long or short to stand out.
_LEAST_FACTOR = 4.0
_SIZES = [
    _row("Where is my parcel?", f"It is on its way. {'Please wait. ' * (number % 4)}") for number in range(20)
]


@rule(
    "TOK004",
    Severity.INFO,
    scope="set",
    bad=[*_SIZES, _row("Where is my parcel?", _LONG)],
    good=[*_SIZES, _row("Where is my parcel?", _LONG[:180])],
    says="about 1,363 tokens, where the middle row has about 24: look whether it belongs to the set",
)
def length_outlier(entries: Sequence[Entry], _data: Any) -> Found:
    """A row is far longer or shorter than the others.

    It is often no chat of its kind: a document that was pasted whole, two rows in one, an answer that is missing.
    Lengths are estimated, a token to four characters: to count every row would take longer than all else. One
    stands out with a robust z-score of more than 6, by the logarithms of the lengths, in a set of 20 rows or more.
    """
    if len(entries) < _FEWEST_ROWS:
        return
    lengths = [log(max(entry.size, 1)) for entry in entries]
    middle = _median(lengths)
    spread = _DEVIATIONS_OF_MEDIAN * _median([abs(length - middle) for length in lengths])
    most = max(_MOST_DEVIATIONS * spread, log(_LEAST_FACTOR))
    usual = round(exp(middle))
    for entry, length in zip(entries, lengths, strict=True):
        if abs(length - middle) > most:
            message = f"about {counted(entry.size, 'token')}, where the middle row has about {usual:,}"
            yield entry, Hit(f"{message}: look whether it belongs to the set")


def _median(values: Sequence[float]) -> float:
    # importing the library's takes longer than checking a small file
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


# Below this share fifty tokens are read for one that is learned.
_LEAST_TRAINED = 0.02


@rule(
    "TOK005",
    Severity.WARNING,
    scope="set",
    bad=_row(_LONG, "It left."),
    good=_row(_LONG[:180], "It left."),
    says="about 0.2 % of the tokens are trained: shorten what all rows carry, such as a long system message",
)
def little_trained(entries: Sequence[Entry], _data: Any) -> Found:
    """Of all tokens of the training rows less than 2 % are trained.

    Training reads every token and learns from those of the answers only: time and cost go into what is never
    learned. Mostly a long system message or many definitions of tools stand before answers of a word or two. The
    share is estimated, a token to four characters, and said once, at the first row.
    """
    rows = [entry for entry in entries if entry.split == "train" and entry.answer]
    trained, size = sum(entry.trained for entry in rows), sum(entry.size for entry in rows)
    if 0 < trained < _LEAST_TRAINED * size:
        message = (
            f"about {100 * trained / size:.1f} % of the tokens are trained: shorten what all rows carry, such as "
            "a long system message"
        )
        yield rows[0], Hit(message, ("messages",), known_by=known_by())


# What begins or ends a text for one model or another. Those that CHAT025 knows are not among them.
_BEGINS = lazy_pattern(
    r"\s*(?:<bos>|\[BOS\]|<\|bos\|>|<\|startoftext\|>|<\uff5cbegin\u2581of\u2581sentence\uff5c>)"
)
_ENDS = lazy_pattern(r"(?:<eos>|\[EOS\]|<\|eos\|>)\s*\Z")


@rule(
    "TOK007",
    Severity.WARNING,
    scope="set",
    bad=_row("<bos>Where is my parcel?", "It is on its way."),
    good=_row("Where is my parcel?", "It is on its way."),
    says="the user's text holds '<bos>', which the chat template writes itself: take it out",
)
def marks_twice(entries: Sequence[Entry], _data: Any) -> Found:
    """A text holds the mark that begins or ends a text for the model.

    The chat template writes it too, and so it stands there twice. Looked for are the marks of the model that is
    tuned, where it is on this machine, anywhere in a text; and of other models those at its beginning or end. The
    marks that CHAT025 knows are left to that rule.
    """
    for entry in entries:
        for where, text in (
            ("the system message", entry.system),
            ("the user's text", entry.prompt),
            ("the answer", entry.answer),
        ):
            if ("<" in text or "OS]" in text) and (mark := _mark(text, entries)) and not control_marks(text):
                message = f"{where} holds {quoted(mark)}, which the chat template writes itself: take it out"
                yield entry, Hit(message, ("messages",))


_LIKE_A_MARK = lazy_pattern(r"<[^<>\s]{1,40}>|\[/?[A-Z]{1,10}\]")


def _mark(text: str, entries: Sequence[Entry]) -> str | None:
    """Return the mark in a text that begins or ends one; the model is asked only where something looks so."""
    found = _BEGINS.match(text) or _ENDS.search(text)
    if found:
        return found[0].strip()
    lengths = entries.lengths if isinstance(entries, Corpus) else None
    if lengths is None or not _LIKE_A_MARK.search(text):
        return None
    return next((mark for mark in lengths.marks if mark in text), None)


RULES = (too_long, nothing_left, answer_cut, length_outlier, little_trained, marks_twice)
