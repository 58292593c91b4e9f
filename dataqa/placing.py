"""Hits become findings: with the place in the file, the row's id, and what they quote masked."""

from __future__ import annotations

from typing import NamedTuple

from tunegate.core.findings import Finding, Fix, Severity
from tunegate.core.location import column, json_path, utf16_column
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.hit import KEEP, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.showing import masked

# The rules of these families mask in their own way what they found.
MASKED_ALREADY = ("PII", "SEC")

# A step of a path that may be a secret or personal data: quoted, or long. Most paths have none.
_UNUSUAL_STEP = lazy_pattern(r"'|\w{16}")


class Place(NamedTuple):
    """Where a finding is; `row_id` is empty for one about a file."""

    path: str
    line: int
    column: int
    row_id: str = ""
    character: int | None = None


def finding_of(rule: Rule, severity: Severity, hit: Hit, place: Place, fix: Fix | None) -> Finding:
    """Make a finding of a hit; what it quotes of the data, keys included, is masked."""
    message, where = hit.message, json_path(hit.at)
    if not rule.id.startswith(MASKED_ALREADY):
        message = masked(message)
    if _UNUSUAL_STEP.search(where):
        where = masked(where)
    return Finding(
        rule=rule.id,
        severity=hit.severity or severity,
        path=place.path,
        line=place.line,
        column=place.column,
        json_path=where,
        message=message,
        fix=fix,
        partner=hit.partner,
        row_id=place.row_id,
        character=place.character,
    )


def finding_in_row(rule: Rule, severity: Severity, hit: Hit, row: Row) -> Finding:
    """Make a finding of a hit in one row."""
    position = hit.column or (column(row.raw, hit.at) if hit.at else 1)
    place = Place(row.path, row.line, position, row.id, utf16_column(row.raw, position))
    return finding_of(rule, severity, hit, place, _fix_of(rule, row, hit))


def _fix_of(rule: Rule, row: Row, hit: Hit) -> Fix | None:
    """Return the rule's fix where it can mend this hit."""
    if rule.repair is not None:
        return None if rule.repair(row, hit) is KEEP else rule.fix
    if rule.repair_line is not None:
        line = row.raw + b"\n" * row.ended
        return None if rule.repair_line(line) == line else rule.fix
    return rule.fix
