"""A check as SARIF 2.1.0, as code scanning takes it.

Code scanning shows the first 5,000 results of a run, so the worst come first, and a notification counts the rest.
Columns are UTF-16 units, which is what SARIF has where nothing else is said. The fingerprint has the name that
code scanning looks for: where it is left out, one is made of the lines around, which move with the rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunegate.core.findings import Finding, Severity
from tunegate.core.version import VERSION
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.fingerprints import fingerprints
from tunegate.dataqa.output import Look, page_of, said
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.wording import counted

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RESULTS = 5_000

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}

# The folder that paths are relative to: who reads the file knows where it is.
_ROOT = "SRCROOT"

# A place in a row is short; a key of a megabyte is cut.
_LONGEST_PLACE = 200


def lines(result: CheckResult, look: Look) -> Iterator[str]:
    """Give the log, indented; everything beyond ASCII is escaped."""
    yield json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(result, look)]}, indent=1)


def _run(result: CheckResult, look: Look) -> dict[str, Any]:
    known = fingerprints(result.findings)  # numbered in the order of the data, before the worst are chosen
    known.sort(key=lambda each: list(Severity).index(each[0].severity))
    listed = known[:RESULTS]
    rules = sorted({finding.rule for finding, _, _ in listed})
    numbers = {rule: number for number, rule in enumerate(rules)}
    return {
        "tool": {
            "driver": {
                "name": "tunegate",
                "version": VERSION,
                "informationUri": "https://github.com/tunegate/tunegate",
                "rules": [_rule(result.rule(rule)) for rule in rules],
            }
        },
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the top folder of the repository"}}},
        "invocations": [
            {
                "executionSuccessful": not result.problems,
                "toolExecutionNotifications": [
                    *(_notice("error", str(problem)) for problem in result.problems),
                    *_left_out(len(known) - len(listed)),
                ],
            }
        ],
        "artifacts": [
            {
                "location": _location(file.path, look),
                "length": file.bytes,
                "hashes": {"sha-256": file.sha256},
            }
            for file in result.files
        ],
        "results": [_result(*each, numbers, look) for each in listed],
        "properties": {
            "target": result.target,
            "findings": len(known),
            "notListed": len(known) - len(listed),
            "summary": result.summary(),
        },
    }


def _left_out(count: int) -> Iterator[dict[str, Any]]:
    if count:
        text = f"{counted(count, 'more finding')}, no worse than these, are listed by `tunegate check` only"
        yield _notice("note", text)


def _notice(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": _message(text)}


def _message(text: str) -> dict[str, str]:
    """Return a plain text; brackets before a parenthesis would make a link of it."""
    return {"text": said(text).replace("](", "] (")}


def _rule(rule: Rule) -> dict[str, Any]:
    title = f"{rule.title}."
    body = rule.text.partition("\n")[2].strip() or title
    page = page_of(rule.id)
    described = {
        "id": rule.id,
        "shortDescription": {"text": title},
        "fullDescription": {"text": " ".join(body.split())[:1000]},
        "help": {"text": f"{title}\n\n{body}", "markdown": f"**{title}**\n\n{body}"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": [rule.id.rstrip("0123456789")]},
    }
    return {**described, "helpUri": page} if page else described


def _result(finding: Finding, digits: str, number: int, numbers: Mapping[str, int], look: Look) -> dict[str, Any]:
    region = {"startLine": finding.line, "startColumn": finding.character or finding.column}
    place = {"physicalLocation": {"artifactLocation": _location(finding.path, look), "region": region}}
    made = {
        "ruleId": finding.rule,
        "ruleIndex": numbers[finding.rule],
        "level": LEVELS[finding.severity],
        "message": _message(finding.message),
        "locations": [
            {
                **place,
                "logicalLocations": [{"fullyQualifiedName": said(finding.json_path, _LONGEST_PLACE)}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{digits}:{number}"},
        "properties": {"rowId": finding.row_id, "fix": finding.fix or "none", "byteColumn": finding.column},
    }
    if finding.partner:
        partner = finding.partner
        made["relatedLocations"] = [
            {
                "physicalLocation": {
                    "artifactLocation": _location(partner.path, look),
                    "region": {"startLine": partner.line},
                },
                "message": {"text": f"the other row (similarity {partner.similarity:.2f})"},
            }
        ]
    return made


def _location(shown: str, look: Look) -> dict[str, str]:
    """Return where a file is: relative to the root, or as a whole address where it lies outside."""
    path = look.path(shown)
    try:
        uri = quote(path, errors="surrogateescape")  # bytes that are no UTF-8 stay the bytes that they were
    except UnicodeEncodeError:
        uri = quote(path, errors="replace")
    if Path(path).is_absolute():
        return {"uri": "file://" + uri if uri.startswith("/") else "file:///" + uri}
    return {"uri": uri, "uriBaseId": _ROOT}
