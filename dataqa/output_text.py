"""A check as text for a terminal: findings grouped by file, the summary last."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.output import Look, said
from tunegate.dataqa.showing import printable
from tunegate.dataqa.wording import counted


def lines(result: CheckResult, look: Look) -> Iterator[str]:
    """Give the lines of the text."""
    for path, findings in groupby(result.findings, key=lambda finding: finding.path):
        yield look.paint(printable(path), "path")
        for finding in findings:
            yield _line(finding, look)
        yield ""
    yield from summary(result)


def _line(finding: Finding, look: Look) -> str:
    place = f"{finding.line}:{finding.column}"
    severity = look.paint(f"{finding.severity.value:<7}", finding.severity.value)
    fix = {"safe": "--fix", "unsafe": "--unsafe-fixes", None: ""}[finding.fix]
    end = " " + look.paint(f"[{fix}]", "fix") if fix else ""
    return f"  {place:>10}  {severity}  {look.paint(finding.rule, 'rule')}  {said(finding.message)}{end}"


def summary(result: CheckResult) -> Iterator[str]:
    """Give the last lines: what was not read or asked, what was looked at, what was found, what can be mended."""
    for missing in result.not_run:
        yield f"{missing.rule} was not run: {missing.reason}"
    for problem in result.problems:
        yield f"not read: {printable(problem.path)}"
    if result.problems and not result.files and not result.findings:
        unread = counted(len(result.problems), "file")
        yield f"nothing was checked: {unread} could not be read, target {result.target}"
        return
    counts = result.summary()
    if not result.findings:
        yield f"no findings: {looked_at(result)}"
        return
    found = {
        Severity.ERROR: counted(counts["errors"], "error"),
        Severity.WARNING: counted(counts["warnings"], "warning"),
        Severity.INFO: counted(counts["infos"], "note"),
    }
    failed = f"; {counted(counts['rows_failed'], 'row')} failed" if counts["rows_failed"] else ""
    yield f"{', '.join(found.values())}{failed}: {looked_at(result)}"
    fixes = [finding.fix for finding in result.findings]
    safe, unsafe = fixes.count("safe"), fixes.count("unsafe")
    if safe:
        yield f"{counted(safe, 'finding')} can be mended with --fix"
    if unsafe:
        yield f"{counted(unsafe, 'finding')} can be mended with --unsafe-fixes, which need a look afterwards"


def looked_at(result: CheckResult) -> str:
    """Say what was checked: rows, files, their task kinds, the labels, the target."""
    rows = sum(file.rows for file in result.files)
    kinds = " and ".join(sorted({file.kind for file in result.files}))
    parts = [f"{counted(rows, 'row')} in {counted(len(result.files), 'file')}"]
    if result.problems:
        parts.append(f"{counted(len(result.problems), 'file')} not read")
    parts.append(kinds)
    if result.labels is not None:
        parts.append(f"{counted(len(result.labels), 'label')} (classification)")
    return ", ".join(part for part in (*parts, f"target {result.target}") if part)
