"""A check as Markdown, for a step summary or a comment: what was found by rule, then the worst places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tunegate.core.findings import Severity
from tunegate.core.markdown import cut, safe
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.output import Look, page_of, said, worst_first
from tunegate.dataqa.output_text import looked_at
from tunegate.dataqa.wording import counted

SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "🔹"}

# Longer messages make a table that nobody reads.
LONGEST = 300


def lines(result: CheckResult, look: Look) -> Iterator[str]:
    """Give the lines, of at most `core.markdown.MOST_BYTES`."""
    yield from cut(_all(result, look), "Cut here: the log of the check has the rest.").splitlines()


def _all(result: CheckResult, look: Look) -> Iterator[str]:
    failed = result.problems or result.fails_at(look.bar)
    counts = result.summary()
    found = [counted(counts["errors"], "error"), counted(counts["warnings"], "warning")]
    found.append(counted(counts["infos"], "note"))
    yield f"## {'❌' if failed else '✅'} tunegate check: {', '.join(found) if result.findings else 'no findings'}"
    yield ""
    yield safe(looked_at(result))
    yield ""
    for problem in result.problems:
        yield f"- ❌ {safe(said(str(problem)))}"
    if result.problems:
        yield ""
    if result.findings:
        yield from _by_rule(result)
        yield from _places(result, look)


def _by_rule(result: CheckResult) -> Iterator[str]:
    worst = {finding.rule: finding for finding in reversed(worst_first(result.findings))}
    counts = Counter(finding.rule for finding in result.findings)
    yield "| | Rule | Findings | Says |"
    yield "|---|---|---:|---|"
    for finding in worst_first(worst[rule] for rule in sorted(worst)):
        title = safe(result.rule(finding.rule).title)
        yield f"| {SIGNS[finding.severity]} | {_linked(finding.rule)} | {counts[finding.rule]:,} | {title} |"
    yield ""


def _linked(rule_id: str) -> str:
    page = page_of(rule_id)
    return f"[{rule_id}]({page})" if page else safe(rule_id)


def _places(result: CheckResult, look: Look) -> Iterator[str]:
    yield "| | Place | Rule | Finding |"
    yield "|---|---|---|---|"
    for finding in worst_first(result.findings):
        place = f"{safe(look.path(finding.path))}:{finding.line}:{finding.column}"
        message = safe(said(finding.message, LONGEST))
        yield f"| {SIGNS[finding.severity]} | {place} | {safe(finding.rule)} | {message} |"
