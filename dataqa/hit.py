"""What a rule finds in a row, and what its repair gives in the place of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tunegate.core.files import sha256_bytes
from tunegate.core.findings import Partner, Severity
from tunegate.core.jsonl import MISSING
from tunegate.core.location import Path
from tunegate.dataqa.pairs import Part
from tunegate.dataqa.row import Row


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that a rule found: in words, and where in the row.

    `column` (bytes, from 1) is named only for faults of the line itself; else it follows from `at`. `severity`
    overrides the rule's own. `line` is named only by rules about a file, where they mean one of its lines.
    `mends` is the place whose value the rule's repair gives, where that is not `at`: a message list whose order is
    wrong at one of its messages. `known_by` is named by rules over the set, where the hit speaks of more than the
    row (see `known_by`). `inside` is, in a preference row, the part that was looked at and the hit there.
    """

    message: str
    at: Path = ()
    column: int | None = None
    severity: Severity | None = None
    partner: Partner | None = None
    line: int | None = None
    mends: Path | None = None
    known_by: str | None = None
    inside: tuple[Part, Hit] | None = field(default=None, compare=False, repr=False)

    @property
    def mended(self) -> Path:
        """The place whose value the rule's repair gives."""
        return self.at if self.mends is None else self.mends


def known_by(*subjects: object) -> str:
    """Return what a hit is known by that speaks of `subjects` and not of its row; without any, of the whole set.

    Which row of a pair comes later is chance, and so is which row of a class comes first: a baseline must know the
    finding again when rows move.
    """
    return sha256_bytes(repr(subjects).encode("utf-8", "surrogatepass"))[:16] if subjects else ""


Repair = Callable[[Row, Hit], Any]
"""Gives the new value of the place that a hit names, REMOVE to take it out, or KEEP where only a person knows."""

LineRepair = Callable[[bytes], bytes]
"""Gives the new bytes of a line and its line end: none where the line goes, the same where only a person knows."""

REMOVE = MISSING


class _Keep:
    """The type of KEEP."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP = _Keep()
"""Returned by a repair that cannot mend this hit; the finding is then shown without a fix."""
