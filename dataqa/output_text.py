"""A check as text for a terminal: findings grouped by file, the summary last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.showing import printable

Paint = Callable[[str, str], str]
"""Gives a text in the colour of a role: "path", "rule", "fix", or a severity."""


def plain(text: str, role: str) -> str:  # noqa: ARG001  # a Paint
    """Return the text as it is."""
    return text


def lines(result: CheckResult, paint: Paint = plain) -> Iterator[str]:
    """Give the lines of the text."""
    for path, findings in groupby(result.findings, key=lambda finding: finding.path):
        yield paint(printable(path), "path")
        for finding in findings:
            yield _line(finding, paint)
        yield ""
    yield from summary(result)


def _line(finding: Finding, paint: Paint) -> str:
    place = f"{finding.line}:{finding.column}"
    severity = paint(f"{finding.severity.value:<7}", finding.severity.value)
    fix = {"safe": "--fix", "unsafe": "--unsafe-fixes", None: ""}[finding.fix]
    end = " " + paint(f"[{fix}]", "fix") if fix else ""
    return f"  {place:>10}  {severity}  {paint(finding.rule, 'rule')}  {printable(finding.message)}{end}"


def summary(result: CheckResult) -> Iterator[str]:
    """Give the last lines: what was not asked, what was looked at, what was found, what can be mended."""
    for missing in result.not_run:
        yield f"{missing.rule} was not run: {missing.reason}"
    counts = result.summary()
    looked_at = f"{_count(counts['rows'], 'row')} in {_count(len(result.files), 'file')}"
    found = {
        Severity.ERROR: _count(counts["errors"], "error"),
        Severity.WARNING: _count(counts["warnings"], "warning"),
        Severity.INFO: _count(counts["infos"], "note"),
    }
    if not result.findings:
        yield f"no findings: {looked_at}, target {result.target}"
        return
    failed = f"; {_count(counts['rows_failed'], 'row')} failed" if counts["rows_failed"] else ""
    yield f"{', '.join(found.values())}{failed}: {looked_at}, target {result.target}"
    fixes = [finding.fix for finding in result.findings]
    safe, unsafe = fixes.count("safe"), fixes.count("unsafe")
    if safe:
        yield f"{_count(safe, 'finding')} can be mended with --fix"
    if unsafe:
        yield f"{_count(unsafe, 'finding')} can be mended with --unsafe-fixes, which need a look afterwards"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
