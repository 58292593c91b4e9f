"""What a check found: a rule, how severe, where, in words, and what would repair it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class Severity(StrEnum):
    """How bad a finding is; compares by rank, so that `at_least` can be asked."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    def at_least(self, bar: Severity) -> bool:
        """Whether this is as severe as `bar`, or more."""
        order = list(Severity)
        return order.index(self) <= order.index(bar)


Fix = Literal["safe", "unsafe"]


@dataclass(frozen=True, slots=True)
class Partner:
    """The other row of a pair, and how similar it is (1.0 where equal)."""

    path: str
    line: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of one rule. `line` and `column` count from 1, `column` in bytes.

    `character` is the same column counted in UTF-16 units, as editors, SARIF and annotations do; None where both
    are equal. `known_by` is set where a finding is about more than its row: a pair, rows that are alike, or the
    whole set (then it is empty); it is the same whichever of the rows comes first. The message never holds a
    secret or personal data: rules mask what they quote.
    """

    rule: str
    severity: Severity
    path: str
    line: int
    column: int
    json_path: str
    message: str
    fix: Fix | None
    partner: Partner | None
    row_id: str
    character: int | None = None
    known_by: str | None = None

    @property
    def subject(self) -> tuple[str, str]:
        """What the finding is about, wherever rows stand: its row and the place there, or what it is known by."""
        return (self.row_id, self.json_path) if self.known_by is None else (self.known_by, "$")

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `check --format json` prints it."""
        partner = self.partner and {
            "path": self.partner.path,
            "line": self.partner.line,
            "similarity": round(self.partner.similarity, 4),
        }
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "json_path": self.json_path,
            "message": self.message,
            "fix": self.fix,
            "partner": partner,
            "row_id": self.row_id,
        }
