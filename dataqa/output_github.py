"""A check as workflow commands of GitHub Actions: an annotation at each of the worst places.

A step shows ten annotations of a kind and drops the rest without a word, so the ten worst are given and one notice
says how many there are beside them.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.output import Look, said, worst_first
from tunegate.dataqa.wording import counted

ANNOTATIONS = 10

KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def lines(result: CheckResult, look: Look) -> Iterator[str]:
    """Give the commands, one a line."""
    commands = [_command("error", str(problem), title="tunegate") for problem in result.problems]
    commands += [_annotation(finding, look) for finding in worst_first(result.findings)[: ANNOTATIONS + 1]]
    total = len(result.problems) + len(result.findings)
    if total <= ANNOTATIONS:
        yield from commands
        return
    # The last word is a notice itself: it needs the place of one where all others are notices too.
    listed = ANNOTATIONS - commands[ANNOTATIONS - 1].startswith("::notice") * commands[0].startswith("::notice")
    yield from commands[:listed]
    more = f"and {counted(total - listed, 'more finding')}: the log of the check and its SARIF file have them"
    yield _command("notice", more, title="tunegate")


def _annotation(finding: Finding, look: Look) -> str:
    rule = finding.rule
    place = {
        "file": look.path(finding.path),
        "line": str(finding.line),
        "col": str(finding.character or finding.column),
        "title": f"tunegate {rule}",
    }
    return _command(KINDS[finding.severity], finding.message, **place)


def _command(kind: str, message: str, **properties: str) -> str:
    """Write one command; what would end a property or the line is percent-encoded, as the runner reads it."""
    named = ",".join(
        f"{name}={_escaped(said(value)).replace(':', '%3A').replace(',', '%2C')}"
        for name, value in properties.items()
    )
    return f"::{kind} {named}::{_escaped(said(message))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
