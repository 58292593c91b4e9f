"""Fingerprints of findings: the same wherever a row stands, so that places outside know a finding again.

A finding is known by its rule, the id of its row and the place in the row, or by the rows that it is about.
Neither line nor file is part of it: rows may be put in another order, and files may be renamed. Equal ones are
numbered.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from tunegate.core.files import sha256_bytes
from tunegate.core.findings import Finding


def fingerprints(findings: Iterable[Finding]) -> list[tuple[Finding, str, int]]:
    """Return each finding with 16 hexadecimal digits, and its number among those that have the same, from 1."""
    seen: Counter[str] = Counter()
    found = []
    for finding in findings:
        digits = _digits(finding)
        seen[digits] += 1
        found.append((finding, digits, seen[digits]))
    return found


def _digits(finding: Finding) -> str:
    # A finding about a whole file or the set has no row, and is known by the file.
    about, place = finding.subject
    return sha256_bytes(json.dumps([finding.rule, about or finding.path, place]).encode())[:16]
