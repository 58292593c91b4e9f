"""The verdict as Markdown, for a step summary or a comment: the first screen of the page, in short.

What stands in the result cannot act here either: see `core.markdown`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from tunegate.core.markdown import at_start, cut, safe
from tunegate.reports.figures import Figure
from tunegate.reports.view import Page, page_view
from tunegate.reports.view_rules import Rule

SIGNS = {"pass": "✅", "waived": "☑️", "fail": "❌", "inconclusive": "❔", "error": "⚠️", "none": "◻️"}

# So many rows that broke are named; the page has them all.
NEWLY_FAILING = 20

_TAG = re.compile(r"<[^>]*>")


def render(
    result: Mapping[str, Any],
    samples: Iterable[Mapping[str, Any]],
    ledger: Iterable[Mapping[str, Any]],
    timing: Mapping[str, Any] | None,
) -> str:
    """Return the verdict, the rules and what broke, of at most `MOST_BYTES`; takes what `html.render` takes."""
    page = page_view(result, samples, ledger, timing)
    lines = [*_verdict(page), *_rules(page), *_counters(page), *_gaps(page), *_released(page), *_broken(page)]
    return cut(lines, "Cut here: report.html has the rest.")


def _said(part: Markup | Figure) -> str:
    """Return a figure, or a sentence with figures, as safe Markdown."""
    return safe(part.text if isinstance(part, Figure) else html.unescape(_TAG.sub("", part)))


def _paragraph(part: Markup | Figure) -> str:
    """Return the same for the start of a line, where more signs act."""
    return at_start(_said(part))


def _verdict(page: Page) -> Iterable[str]:
    verdict = page.verdict
    yield f"## {SIGNS[verdict.status.name]} {verdict.status.word}: {_said(verdict.name)}"
    yield ""
    yield _paragraph(verdict.why)
    yield ""
    for reason in verdict.reasons:
        yield f"- {_paragraph(reason)}"
    if verdict.gist:
        yield ""
        yield _paragraph(verdict.gist)
    yield ""


def _rules(page: Page) -> Iterable[str]:
    if not page.verdict.rules:
        yield "No rule was judged: the gate was not run on this result."
        yield ""
        return
    yield "| Rule | Demand | Verdict | Observed | Interval | Decided on | Rows |"
    yield "|---|---|---|---:|---:|---:|---:|"
    for rule in page.verdict.rules:
        yield f"| {' | '.join(_cells(rule))} |"
    yield ""


def _cells(rule: Rule) -> list[str]:
    status = f"{SIGNS[rule.status.name]} {rule.status.word}"
    if not rule.measured:
        return [
            safe(rule.name),
            _said(rule.demand),
            status,
            _said(rule.message) if rule.message else "",
            "",
            "",
            "",
        ]
    parts: tuple[Markup | Figure, ...] = (rule.observed, rule.interval, rule.bound, rule.n)
    return [safe(rule.name), _said(rule.demand), status, *map(_said, parts)]


def _counters(page: Page) -> Iterable[str]:
    yield " · ".join(f"{counter.title}: **{_said(counter.value)}**" for counter in page.verdict.counters)
    yield ""


def _gaps(page: Page) -> Iterable[str]:
    if page.verdict.gaps:
        yield "**What was not measured**"
        yield ""
        yield from (f"- {_paragraph(gap)}" for gap in page.verdict.gaps)
        yield ""
    if page.verdict.waivers:
        yield "**Waivers**"
        yield ""
    for waiver in page.verdict.waivers:
        yield (
            f"- Waiver for {_said(waiver.rule)} ({_said(waiver.state)}, until {_said(waiver.expires)}): "
            f"{_said(waiver.reason)}, {_said(waiver.owner)}"
        )
    yield ""


def _released(page: Page) -> Iterable[str]:
    yield "<details><summary>What is released</summary>"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {safe(fact.term)} | {_said(fact.value)} |" for fact in page.verdict.facts)
    yield ""
    yield "</details>"
    yield ""


def _broken(page: Page) -> Iterable[str]:
    """Name the rows that were right in the base and are wrong now, without the text of the chat."""
    failing = [sample for sample in page.samples.rows if sample.state == "newly-failing"]
    if not failing:
        return
    yield "| Newly failing | Expected | Tuned answer |"
    yield "|---|---|---|"
    for sample in failing[:NEWLY_FAILING]:
        answer = "found harmful" if sample.harm else safe(sample.tuned.text.text[:200])
        yield f"| line {sample.line} `{safe(sample.id)}` | {safe(sample.label)} | {answer} |"
    if len(failing) > NEWLY_FAILING:
        yield ""
        yield f"and {len(failing) - NEWLY_FAILING} more: see report.html."
