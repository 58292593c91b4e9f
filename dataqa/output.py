"""What the forms of a check share: how it is looked at, the worst first, and texts that fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.catalog import FAMILIES, family_of
from tunegate.dataqa.check_result import CheckResult
from tunegate.dataqa.showing import printable

Paint = Callable[[str, str], str]
"""Gives a text in the colour of a role: "path", "rule", "fix", or a severity."""

# Enough for every message of ours; a rule of someone else may quote a megabyte.
LONGEST = 1_000

# The pages that explain the rules.
_PAGES = "https://github.com/tunegate/tunegate/blob/main/docs/rules"


def plain(text: str, role: str) -> str:  # noqa: ARG001  # a Paint
    """Return the text as it is."""
    return text


@dataclass(frozen=True, slots=True)
class Look:
    """How a check is looked at: from which folder, with which bar, in which colours."""

    folder: Path = Path()
    bar: Severity = Severity.ERROR
    paint: Paint = plain

    def path(self, shown: str) -> str:
        """Return a path as places outside know it: relative to the folder, with forward slashes.

        What lies outside of the folder keeps its whole path, and standard input its dash.
        """
        if shown == "-":
            return shown
        path, folder = Path(os.path.abspath(shown)), os.path.abspath(self.folder)  # noqa: PTH100  # links stay
        return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


Format = Callable[[CheckResult, Look], Iterator[str]]
"""Gives the lines of a check in one form."""


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings by severity, else in their order."""
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity))


def said(text: str, longest: int = LONGEST) -> str:
    """Return a text in one line that no terminal obeys, cut where it is longer than anybody reads."""
    return printable(text if len(text) <= longest else f"{text[:longest]}...")


def page_of(rule_id: str) -> str | None:
    """Return the address of the page that explains a rule; None for a rule of someone else."""
    family = family_of(rule_id)
    return f"{_PAGES}/{family.lower()}.md#{rule_id.lower()}" if family in FAMILIES else None
