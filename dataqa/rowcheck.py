"""The check of rows, a block of lines at a time: rules about rows, entries for the rules about the set, counts.

A block is checked without regard to any other, so that several processes can share the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tunegate.core.findings import Finding, Severity
from tunegate.core.jsonl import decode
from tunegate.core.lines import Block
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.placing import finding_in_row
from tunegate.dataqa.row import Kind, Row, Split
from tunegate.dataqa.rule import Look, Rule
from tunegate.dataqa.rules_line import MAX_LINE_BYTES
from tunegate.dataqa.shape import PROVEN
from tunegate.dataqa.tally import Tally
from tunegate.dataqa.tokens import Lengths, with_lengths


class Part(NamedTuple):
    """A block of a file: what the file is called in findings, its split and its task kind."""

    path: str
    split: Split
    kind: Kind
    block: Block


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in a block: findings, entries of the sound rows, counts, and how many bytes it had."""

    size: int
    findings: list[Finding] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


class RowCheck:
    """The rules about rows under one `[data]` table; call it with a part of a file.

    `lengths` counts tokens; it is None where no rule asks for them. Entries are kept only where `keeps_entries`.
    """

    def __init__(
        self, rules: Sequence[Rule], target: str, data: Any, lengths: Lengths | None, *, keeps_entries: bool
    ) -> None:
        self._rules = rules
        self._target = target
        self._data = data
        self._lengths = lengths
        self._keeps_entries = keeps_entries
        self._asked: dict[Kind, _Asked] = {}

    def __call__(self, part: Part) -> Seen:
        """Ask the rules about each line, leaving out those that a cheap look proves to have nothing to say."""
        block = part.block
        seen = Seen(len(block.raw))
        asked = self._asked.get(part.kind) or self._asked.setdefault(part.kind, self._asked_of(part.kind))
        about_content = [each for each in asked.content if each.may_hit is None or each.may_hit(block.raw)]
        seen.tally.signs_of(block)
        kept: list[tuple[Entry, Row]] = []
        has_nothing_to_say = not about_content and not self._keeps_entries
        plain, first_plain = 0, 0
        for number, raw, ended in block.lines():
            decoded = decode(raw)
            is_sound = decoded.is_plain and part.kind == "sft" and ended and len(raw) <= MAX_LINE_BYTES
            if is_sound:
                plain, first_plain = plain + 1, first_plain or number
                if has_nothing_to_say:
                    continue
            row = Row(raw, part.path, number, decoded=decoded, target=self._target, kind=part.kind, ended=ended)
            is_object = type(decoded.value) is dict
            if not is_sound:
                seen.tally.row(number, decoded)
                _ask(asked.line, row, seen.findings)
                if is_object:
                    _ask(asked.shape, row, seen.findings)
                    seen.tally.look(row)
            _ask(about_content, row, seen.findings)
            if self._keeps_entries and is_object and (entry := self._entry(row, part.split)) is not None:
                kept.append((entry, row))
        seen.tally.plain_rows(plain, first_plain)
        seen.entries.extend(with_lengths(kept, self._lengths))
        return seen

    def _asked_of(self, kind: Kind) -> _Asked:
        line, shape, content = list[_Question](), list[_Question](), list[_Question]()
        for rule in self._rules:
            severity = rule.severity_for(self._target, kind)
            if severity is not None:
                family = line if rule.id.startswith("FILE") else shape if rule.id in PROVEN else content
                family.append(_Question(rule, severity, rule.look))
        return _Asked(line, shape, content)

    def _entry(self, row: Row, split: Split) -> Entry | None:
        data = self._data
        label_path = None if data.labels in ("auto", "none") else data.labels
        return entry_of(row, split, data.split.group, label_path=label_path, on=data.near_duplicate.on)


class _Question(NamedTuple):
    """A rule that is asked about rows, its severity here, and whether some bytes hold what it needs."""

    rule: Rule
    severity: Severity
    may_hit: Look | None


class _Asked(NamedTuple):
    """The rules asked of a task kind: about the line itself, about the shape of a row, and about its content."""

    line: list[_Question]
    shape: list[_Question]
    content: list[_Question]


def _ask(questions: Iterable[_Question], row: Row, findings: list[Finding]) -> None:
    raw = row.raw
    for rule, severity, may_hit in questions:
        if may_hit is None or may_hit(raw):
            for hit in rule.check(row):
                findings.append(finding_in_row(rule, severity, hit, row))
