# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the length of rows in tokens.

Lengths are counted with the model's own tokenizer where it is on this machine. Else they are an estimate with the
vocabulary o200k, and the findings are warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tunegate.core.findings import Severity
from tunegate.dataqa.rule import Entry, Hit, rule
from tunegate.dataqa.survey import Corpus

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


RULES = (too_long, nothing_left)
