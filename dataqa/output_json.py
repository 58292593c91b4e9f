"""A check as one JSON object, schema `tunegate.check/1`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from tunegate.core.version import VERSION
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.output import Look

SCHEMA = "tunegate.check/1"


def lines(result: CheckResult, look: Look) -> Iterator[str]:  # noqa: ARG001  # a Format
    """Give the object, indented; everything beyond ASCII is escaped, so that no terminal obeys it."""
    yield json.dumps(
        {
            "schema": SCHEMA,
            "tool": {"name": "tunegate", "version": VERSION},
            "target": result.target,
            "files": [asdict(file) for file in result.files],
            "problems": [asdict(problem) for problem in result.problems],
            "findings": [finding.as_json() for finding in result.findings],
            "not_run": [asdict(rule) for rule in result.not_run],
            "summary": result.summary(),
        },
        indent=2,
    )
