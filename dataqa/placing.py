"""Hits become findings: with the place in the file, the row's id, and what they quote masked."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from tunegate.core.findings import Finding, Fix, Severity
from tunegate.core.location import Path, column, json_path
from tunegate.dataqa.rule import KEEP, Hit, Row, Rule
from tunegate.dataqa.showing import masked

# The rules of these families mask in their own way what they found.
MASKED_ALREADY = ("PII", "SEC")


class Place(NamedTuple):
    """Where a finding is; `row_id` is empty for one about a file."""

    path: str
    line: int
    column: int
    row_id: str = ""


def finding_of(rule: Rule, severity: Severity, hit: Hit, place: Place, fix: Fix | None) -> Finding:
    """Make a finding of a hit; what it quotes of the data, keys included, is masked."""
    message, where = hit.message, json_path(hit.at)
    if not rule.id.startswith(MASKED_ALREADY):
        message, where = masked(message), masked(where) if "'" in where else where
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
    )


def finding_in_row(rule: Rule, severity: Severity, hit: Hit, row: Row) -> Finding:
    """Make a finding of a hit in one row."""
    position = hit.column or (_column(row, hit.at) if hit.at else 1)
    place = Place(row.path, row.line, position, _id(row))
    return finding_of(rule, severity, hit, place, _fix_of(rule, row, hit))


# A long line may have thousands of hits, and many of them in one text.
@lru_cache(maxsize=1)
def _id(row: Row) -> str:
    return row.id


@lru_cache(maxsize=4)
def _column(row: Row, path: Path) -> int:
    return column(row.raw, path)


def _fix_of(rule: Rule, row: Row, hit: Hit) -> Fix | None:
    """Return the rule's fix where it can mend this hit."""
    if rule.repair is not None:
        return None if rule.repair(row, hit) is KEEP else rule.fix
    if rule.repair_line is not None:
        line = row.raw + b"\n" * row.ended
        return None if rule.repair_line(line) == line else rule.fix
    return rule.fix
