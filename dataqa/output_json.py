"""A check as one JSON object, schema `tunegate.check/1`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tunegate.core.findings import Finding
from tunegate.core.version import VERSION
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.output import Look

SCHEMA = "tunegate.check/1"


def lines(result: CheckResult, look: Look) -> Iterator[str]:  # noqa: ARG001  # a Format
    """Give the object, indented; everything beyond ASCII is escaped, so that no terminal obeys it.

    Finding by finding: of a million all the text at once would be gigabytes.
    """
    yield "{"
    before = {
        "schema": SCHEMA,
        "tool": {"name": "tunegate", "version": VERSION},
        "target": result.target,
        "files": [asdict(file) for file in result.files],
        "problems": [asdict(problem) for problem in result.problems],
    }
    yield from (f"{member}," for member in _members(before))
    yield from _findings(result.findings)
    after = {"not_run": [asdict(rule) for rule in result.not_run], "summary": result.summary()}
    yield ",\n".join(_members(after))
    yield "}"


def _members(fields: Mapping[str, Any]) -> Iterator[str]:
    return (f'  "{name}": {_indented(value, 2)}' for name, value in fields.items())


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        yield '  "findings": [],'
        return
    yield '  "findings": ['
    last = len(findings) - 1
    for number, finding in enumerate(findings):
        yield f"    {_indented(finding.as_json(), 4)}{',' if number < last else ''}"
    yield "  ],"


def _indented(value: Any, depth: int) -> str:
    # No line end stands inside a string of JSON.
    return json.dumps(value, indent=2).replace("\n", "\n" + " " * depth)
