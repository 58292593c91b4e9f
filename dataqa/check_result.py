"""What a check found, its counts, and what of it a run keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.core.errors import InputError
from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.row import Kind
from tunegate.dataqa.rule import Rule


@dataclass(frozen=True, slots=True)
class FileReport:
    """A file that was read to its end: SHA-256 and size of its bytes, lines that are not blank, and task kind."""

    path: str
    sha256: str
    bytes: int
    rows: int
    kind: Kind = "sft"


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be read, or not to its end, and why."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return the message, which names the file."""
        return self.message


@dataclass(frozen=True, slots=True)
class NotRun:
    """A rule that was selected and could not be asked, and why."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    `problems` are the files that could not be read; they are never a pass. `rules` are those that were asked, and
    `labels` the small closed set of answers, where the data has one.
    """

    target: str
    files: tuple[FileReport, ...]
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    rules: tuple[Rule, ...] = RULES
    labels: tuple[str, ...] | None = None
    not_run: tuple[NotRun, ...] = ()

    def rule(self, rule_id: str) -> Rule:
        """Return the rule behind a finding."""
        return next(rule for rule in self.rules if rule.id == rule_id)

    def fails_at(self, bar: Severity) -> bool:
        """Whether a finding is as severe as `bar`, or more."""
        return any(finding.severity.at_least(bar) for finding in self.findings)

    def summary(self) -> dict[str, int]:
        """Return the counts; a row failed when one of its own findings is an error."""
        counts = Counter(finding.severity for finding in self.findings)
        failed = {
            (finding.path, finding.line)
            for finding in self.findings
            if finding.severity is Severity.ERROR and finding.row_id and finding.rule != "FILE005"
        }
        return {
            "errors": counts[Severity.ERROR],
            "warnings": counts[Severity.WARNING],
            "infos": counts[Severity.INFO],
            "rows": sum(file.rows for file in self.files),
            "rows_failed": len(failed),
        }


def section(result: CheckResult, relative_to: Path) -> dict[str, Any]:
    """Return a check as the section of a run: counts by rule, without the findings themselves.

    Raises InputError for the first file that could not be read.
    """
    if result.problems:
        raise InputError(result.problems[0].message)
    counts = Counter(finding.rule for finding in result.findings)
    worst = {rule: min(_severities(result, rule), key=list(Severity).index) for rule in counts}
    return {
        "files": [
            {
                "path": _relative(file.path, relative_to),
                "sha256": file.sha256,
                "bytes": file.bytes,
                "rows": file.rows,
            }
            for file in result.files
        ],
        "target": result.target,
        "summary": result.summary(),
        "by_rule": {
            rule: {"count": counts[rule], "severity": worst[rule].value, "title": result.rule(rule).title}
            for rule in sorted(counts)
        },
    }


def _severities(result: CheckResult, rule: str) -> Iterator[Severity]:
    return (finding.severity for finding in result.findings if finding.rule == rule)


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(path).resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return path
