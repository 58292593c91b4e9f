"""Rules about chats, asked of the chats inside preference rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tunegate.dataqa.hit import KEEP, REMOVE, Hit, Repair
from tunegate.dataqa.row import Row

RowCheck = Callable[[Row], Iterator[Hit]]

# The families that look at all of a row: its bytes, every string in it, or what makes it a preference row.
OF_WHOLE_ROWS = ("FILE", "PII", "SEC", "PREF")


# What these say of an answer may be the very reason why another one is preferred: labels of speakers, copied
# turns, calls that no tool takes, and poor writing.
OF_GOOD_ANSWERS = ("QUAL", "CHAT026", "CHAT029", "TOOL005", "TOOL006")


def in_parts(check: RowCheck, of_good_answers: bool) -> RowCheck:
    """Return a check of chats that is asked of each list of messages in a preference row."""

    def asked(row: Row) -> Iterator[Hit]:
        return _hits_in_parts(check, row, of_good_answers) if row.kind == "dpo" else check(row)

    return asked


def _hits_in_parts(check: RowCheck, row: Row, of_good_answers: bool) -> Iterator[Hit]:
    for part in row.parts:
        if of_good_answers and part.rejected:
            continue
        for hit in check(part.chat):
            told = part.told(hit)
            if told is not None:
                yield told


def in_parts_mended(repair: Repair) -> Repair:
    """Return the repair of such a check, which writes into the preference row."""

    def mended(row: Row, hit: Hit) -> Any:
        if hit.inside is None:
            return repair(row, hit)
        part, inner = hit.inside
        new = repair(part.chat, inner)
        if new is KEEP or new is REMOVE:
            return new
        written = part.written(inner, new)
        return KEEP if written is None else written

    return mended
