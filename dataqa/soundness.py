"""Whether a row can be used: the rules at error level asked about it, and the repairs that are always safe."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.jsonl import MISSING, Decoded, dumps
from tunegate.core.location import Path
from tunegate.core.plain import plain_messages
from tunegate.dataqa.hit import KEEP, REMOVE, Hit
from tunegate.dataqa.row import Kind, Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.shape import PROVEN

# What `prepare` itself sees to: conversion, text, personal data and secrets, and all that concerns the whole set.
# The QUAL rules but the one about JSON are never errors.
NOT_ASKED = ("TXT", "PII", "SEC", "CHAT023", *(f"QUAL00{number}" for number in range(1, 9)))

# One repair may uncover the next fault; more in one row is beyond repair.
MAX_REPAIRS = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be used: the rule and its message."""

    rule: str
    message: str


class Judge:
    """Asks the rules at error level about rows of one file."""

    def __init__(self, rules: Iterable[Rule], target: str, kind: Kind) -> None:
        self._target = target
        self._kind = kind
        asked = [
            (rule, severity)
            for rule in rules
            if rule.scope == "row"
            and not rule.id.startswith(NOT_ASKED)
            and (severity := rule.severity_for(target, kind)) is not None
        ]
        self._of_lines = [pair for pair in asked if pair[0].id.startswith("FILE")]
        self._of_shape = [pair for pair in asked if pair[0].id in PROVEN]
        self._of_chats = [pair for pair in asked if pair not in self._of_lines and pair not in self._of_shape]

    def line_fault(self, row: Row) -> Fault | None:
        """Return why a line is no sound JSON object, or None."""
        if not row.decoded.faults and row.is_object:
            return None
        for rule, hit in self._errors(row, self._of_lines):
            return Fault(rule.id, hit.message)
        if row.value is MISSING or not row.is_object:  # the rule that says so is left out by the settings
            return Fault("FILE007" if row.value is not MISSING else "FILE006", "the line is no JSON object")
        return None

    def mended(self, value: Any) -> tuple[Any, list[Fault], Fault | None]:
        """Return a row after its safe repairs, what was repaired, and why it still cannot be used, or None."""
        repaired: list[Fault] = []
        while (found := self._first_error(value)) is not None:
            rule, hit, row = found
            mended = _mend(row, rule, hit) if len(repaired) < MAX_REPAIRS else None
            if mended is None:
                return value, repaired, Fault(rule.id, hit.message)
            repaired.append(Fault(rule.id, hit.message))
            value = mended
        return value, repaired, None

    def _first_error(self, value: Any) -> tuple[Rule, Hit, Row] | None:
        rules = self._of_chats
        if not (self._kind == "sft" and plain_messages(value)):
            rules = [*self._of_shape, *rules]
        row = Row(dumps(value), decoded=Decoded(value), target=self._target, kind=self._kind)
        for rule, hit in self._errors(row, rules):
            return rule, hit, row
        return None

    def _errors(self, row: Row, rules: Iterable[tuple[Rule, Severity]]) -> Iterator[tuple[Rule, Hit]]:
        for rule, severity in rules:
            if rule.needs and not any(need in row.raw for need in rule.needs):
                continue
            for hit in rule.check(row):
                if (hit.severity or severity) is Severity.ERROR:
                    yield rule, hit


def _mend(row: Row, rule: Rule, hit: Hit) -> Any:
    """Return the row's value after a safe repair, or None where there is none."""
    if rule.fix != "safe" or rule.repair is None:
        return None
    new = rule.repair(row, hit)
    if new is KEEP or (new is REMOVE and not hit.mended):
        return None
    if not hit.mended:
        return new if new != row.value else None
    value = copy.deepcopy(row.value)
    _put(value, hit.mended, new)
    return value if value != row.value else None


def _put(value: Any, path: Path, new: Any) -> None:
    """Put a new value in the place of another, or take it out."""
    for step in path[:-1]:
        value = value[step]
    if new is REMOVE:
        del value[path[-1]]
    else:
        value[path[-1]] = new
