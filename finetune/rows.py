"""The rows of a data file as tokens; what cannot be trained is refused or counted, never cut."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunegate.core.errors import InputError
from tunegate.core.jsonl import decode
from tunegate.core.lines import read_lines
from tunegate.finetune.template import ChatTemplate, Encoded

# So many faults are named; the rest are counted.
_NAMED_FAULTS = 10


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file: those that are trained, and the lines on which no token is."""

    encoded: tuple[Encoded, ...]
    masked_lines: tuple[int, ...]

    @property
    def trained_tokens(self) -> int:
        """Tokens that are trained in one epoch."""
        return sum(row.trained_tokens for row in self.encoded)

    @property
    def masked_tokens(self) -> int:
        """Tokens of trained rows that are only read."""
        return sum(len(row.ids) for row in self.encoded) - self.trained_tokens


def read_rows(path: Path, template: ChatTemplate, limit: int, *, needed: bool = True) -> Rows:
    """Return the rows of a prepared file as tokens.

    Raises InputError that names every line which is over `limit` tokens or cannot be rendered (the first ten, and
    how many more), and where rows are `needed` and none is left to train.
    """
    encoded, masked, faults = [], [], []
    for line in read_lines(path):
        value = decode(line.raw).value
        try:
            if not isinstance(value, dict):
                raise ValueError("it is not one JSON object")
            row = template.encode(value)
            if len(row.ids) > limit:
                raise ValueError(f"it has {len(row.ids)} tokens, {limit} are allowed: shorten, split or drop it")
        except ValueError as error:
            faults.append(f"{path}:{line.number}: {error}")
            continue
        if row.trained_tokens:
            encoded.append(row)
        else:
            masked.append(line.number)
    if faults:
        more = [f"and {len(faults) - _NAMED_FAULTS} more"] if len(faults) > _NAMED_FAULTS else []
        head = f"{len(faults)} rows of {path} cannot be used, and nothing is cut silently:"
        raise InputError("\n".join([head, *faults[:_NAMED_FAULTS], *more]))
    if needed and not encoded:
        raise InputError(f"{path} has no row with a token to train: every answer is missing or has weight 0")
    return Rows(tuple(encoded), tuple(masked))
