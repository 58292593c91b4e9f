"""A check as JUnit XML: a test case for each file and rule with findings, and a passing one for a clean file.

A case fails where one of its findings is at or above the bar (`--fail-at`); below it, it passes and says what was
found. A file that cannot be read is an error.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from itertools import groupby

from tunegate.core.findings import Finding
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.output import Look, said, worst_first
from tunegate.dataqa.wording import counted

# So many findings of one case are listed; viewers show the text of a case as a whole.
LISTED = 100


def lines(result: CheckResult, look: Look) -> Iterator[str]:
    """Give the lines of the document."""
    suite = ET.Element("testsuite", name=f"tunegate check ({result.target})")
    for problem in result.problems:
        case = ET.SubElement(suite, "testcase", classname="tunegate", name="the file can be read")
        ET.SubElement(case, "error", type="unreadable", message=said(str(problem)))
    by_file: dict[str, list[Finding]] = {file.path: [] for file in result.files}
    for finding in result.findings:  # also of a file that could be read only in part
        by_file.setdefault(finding.path, []).append(finding)
    for path, found in by_file.items():
        name = said(look.path(path))
        if not found:
            ET.SubElement(suite, "testcase", classname=name, name="no findings")
        by_rule = sorted(found, key=lambda finding: finding.rule)
        for rule, findings in groupby(by_rule, key=lambda finding: finding.rule):
            case = ET.SubElement(suite, "testcase", classname=name, name=f"{rule}: {result.rule(rule).title}")
            _tell(case, list(findings), look)
    for kind, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        suite.set(kind, str(len(suite.findall(f".//{tag}"))))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield from ET.tostring(suites).decode().split("\n")  # ASCII: the rest is written as references


def _tell(case: ET.Element, findings: Sequence[Finding], look: Look) -> None:
    """Write what was found, as a failure where the bar says so."""
    worst = worst_first(findings)[0]
    text = "\n".join(
        f"{finding.line}:{finding.column}: {finding.severity}: {said(finding.message)}"
        for finding in findings[:LISTED]
    )
    if len(findings) > LISTED:
        text += f"\nand {len(findings) - LISTED:,} more"
    if worst.severity.at_least(look.bar):
        message = f"{counted(len(findings), 'finding')}, the first in line {findings[0].line}: {worst.message}"
        ET.SubElement(case, "failure", type=worst.severity.value, message=said(message)).text = text
    else:
        ET.SubElement(case, "system-out").text = text
