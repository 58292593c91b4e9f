"""A check as a Code Quality report of GitLab: one JSON list, each finding with a fingerprint of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tunegate.core.files import sha256_json
from tunegate.core.findings import Severity
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.fingerprints import fingerprints
from tunegate.dataqa.output import Look, said

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def lines(result: CheckResult, look: Look) -> Iterator[str]:
    """Give the list, indented; a file that cannot be read is a blocker."""
    problems = [
        {
            "description": said(str(problem)),
            "check_name": "unreadable",
            "fingerprint": sha256_json(["unreadable", said(str(problem)), number]),
            "severity": "blocker",
            "location": {"path": ".", "lines": {"begin": 1}},
        }
        for number, problem in enumerate(result.problems)
    ]
    issues = [
        {
            "description": f"{finding.rule}: {said(finding.message)}",
            "check_name": finding.rule,
            "fingerprint": f"{digits}{number:08x}",
            "severity": SEVERITIES[finding.severity],
            "location": {"path": said(look.path(finding.path)), "lines": {"begin": finding.line}},
        }
        for finding, digits, number in fingerprints(result.findings)
    ]
    yield json.dumps([*problems, *issues], indent=1)
