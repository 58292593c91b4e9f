"""The check: every rule over every line of the files, every violation in one pass.

Lines are read one at a time. Rules about rows see each line, rules about files the facts gathered on the way, and
rules about the set the small entries kept of the sound rows. A broken line is a finding and reading goes on; a
file that cannot be read is a problem, and the other files are still checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tunegate.core.errors import InputError, MissingExtraError
from tunegate.core.files import sha256_file
from tunegate.core.findings import Finding, Fix, Severity
from tunegate.core.jsonl import Line, decode
from tunegate.core.location import column, json_path
from tunegate.core.progress import Advance, silent
from tunegate.dataqa.catalog import choose
from tunegate.dataqa.check_result import CheckResult, FileReport, NotRun
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.needs import finder
from tunegate.dataqa.reading import begin
from tunegate.dataqa.rule import KEEP, Entry, Hit, Kind, Row, Rule, Split
from tunegate.dataqa.rules_line import MAX_LINE_BYTES
from tunegate.dataqa.schema import schema_of
from tunegate.dataqa.settings import DEFAULTS
from tunegate.dataqa.shape import PROVEN, is_plain
from tunegate.dataqa.showing import masked
from tunegate.dataqa.survey import Corpus
from tunegate.dataqa.tally import Tally
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.tokens import Counter as TokenCounter
from tunegate.dataqa.tokens import Lengths

# The rules of these families mask in their own way what they found.
MASKED_ALREADY = ("PII", "SEC")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file to check: its role in the set, and what it is called in findings (its path where not named)."""

    path: Path
    split: Split = "train"
    name: str | None = None

    @property
    def shown(self) -> str:
        """What the file is called in findings."""
        return self.name or str(self.path)


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What is checked: target, rules by id or prefix, and the `[data]` table for the rules over the set.

    `counting` makes what counts tokens, when a row needs it; where it is None they are estimated.
    """

    target: str = "hf"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    data: Any = DEFAULTS
    counting: Callable[[], TokenCounter] | None = None


def settings_of(data: Any, counting: Callable[[], TokenCounter] | None = None) -> CheckSettings:
    """Return the settings that a `[data]` table stands for."""
    return CheckSettings(data.target, tuple(data.select), tuple(data.ignore), data, counting)


def check(
    files: Sequence[DataFile], settings: CheckSettings | None = None, advance: Advance = silent
) -> CheckResult:
    """Check the files as one set.

    Raises UsageError for an unknown target or rule; a file that cannot be read is a problem of the result.
    """
    settings = settings or CheckSettings()
    target_named(settings.target)
    work = _Check(settings, choose(settings.select, settings.ignore))
    reports, problems = [], []
    for number, file in enumerate(files):
        try:
            reports.append(work.read(file, _inside(advance, number, len(files))))
        except InputError as error:
            problems.append(error)
    work.ask_about_the_set(files)
    order = {file.shown: number for number, file in enumerate(files)}
    findings = sorted(work.findings, key=lambda found: (order[found.path], found.line, found.column, found.rule))
    return CheckResult(settings.target, tuple(reports), tuple(findings), tuple(problems), tuple(work.not_run))


def _inside(advance: Advance, number: int, files: int) -> Advance:
    """Return how the progress inside one of several files is shown: each counts the same."""

    def inside(done: int, total: int, what: str = "") -> None:
        advance(number * 1000 + min(1000, 1000 * done // max(total, 1)), files * 1000, what)

    return inside


class _Check:
    """One check under way: its rules by scope, and what was found so far."""

    def __init__(self, settings: CheckSettings, rules: Iterable[Rule]) -> None:
        self.settings = settings
        self.findings: list[Finding] = []
        self.not_run: list[NotRun] = []
        by_scope: dict[str, list[Rule]] = {"row": [], "file": [], "set": []}
        for rule in rules:
            by_scope[rule.scope].append(rule)
        self.row_rules = by_scope["row"]
        self.file_rules = by_scope["file"]
        self.set_rules = by_scope["set"]
        counts = any(rule.id.startswith("TOK") for rule in self.set_rules)
        self.entries = Corpus(lengths=Lengths(settings.data.tokens.max, settings.counting) if counts else None)

    def read(self, file: DataFile, advance: Advance) -> FileReport:
        """Read one file to its end, asking the rules about rows and about the file."""
        target = self.settings.target
        opened = begin(file.path)
        kind = opened.kind
        tally = Tally(partial(advance, total=opened.head.size, what=file.shown))
        self._ask_about_rows(file, kind, tally.over(opened.lines), tally)
        facts = tally.facts(file.shown, file.split, opened, target)
        for rule in self.file_rules:
            severity = rule.severity_for(target, kind)
            if severity is not None:
                for hit in rule.check(facts):
                    place = _Place(file.shown, hit.line or 1, hit.column or 1)
                    self.findings.append(_finding(rule, severity, hit, place, rule.fix))
        return FileReport(file.shown, sha256_file(file.path), opened.head.size, tally.rows)

    def _ask_about_rows(self, file: DataFile, kind: Kind, lines: Iterable[Line], tally: Tally) -> None:
        """Ask the rules about each line, leaving out those that a cheap look proves to have nothing to say."""
        target, path, split = self.settings.target, file.shown, file.split
        asked = [
            _Asked(rule, severity, finder(rule.needs) if rule.needs else None)
            for rule in self.row_rules
            if (severity := rule.severity_for(target, kind)) is not None
        ]
        line_rules = [each for each in asked if each.rule.id.startswith("FILE")]
        shape_rules = [each for each in asked if each.rule.id in PROVEN]
        other_rules = [each for each in asked if each not in line_rules and each not in shape_rules]
        keeps_entries = bool(self.set_rules)
        for line in lines:
            raw = line.raw
            decoded = decode(raw)
            value = decoded.value
            row = Row(raw, path, line.number, decoded=decoded, target=target, kind=kind, ended=line.ended)
            is_object = type(value) is dict
            if decoded.faults or not is_object or not line.ended or len(raw) > MAX_LINE_BYTES:
                self._ask(line_rules, row)
            if is_object:
                tally.schemas.add(schema_of(value), line.number)
                if not (kind == "sft" and is_plain(value)):
                    self._ask(shape_rules, row)
            self._ask(other_rules, row)
            if keeps_entries and is_object:
                self._keep(row, split)

    def _keep(self, row: Row, split: Split) -> None:
        data = self.settings.data
        label_path = None if data.labels in ("auto", "none") else data.labels
        entry = entry_of(row, split, data.split.group, label_path=label_path, on=data.near_duplicate.on)
        if entry is not None:
            self.entries.keep(entry, row)

    def _ask(self, asked: Iterable[_Asked], row: Row) -> None:
        raw = row.raw
        for rule, severity, may_hit in asked:
            if may_hit is not None and not may_hit(raw):
                continue
            for hit in rule.check(row):
                position = hit.column or (column(raw, hit.at) if hit.at else 1)
                place = _Place(row.path, row.line, position, row.id)
                self.findings.append(_finding(rule, severity, hit, place, _fix_of(rule, row, hit)))

    def ask_about_the_set(self, files: Sequence[DataFile]) -> None:
        """Ask the rules about all rows together, and look up the columns of what they point at."""
        self.entries.settle()
        found: list[tuple[Rule, Severity, Entry, Hit]] = []
        for rule in self.set_rules:
            severity = rule.severity_for(self.settings.target)
            if severity is not None and self.entries:
                try:
                    found += [(rule, severity, *pair) for pair in rule.check(self.entries, self.settings.data)]
                except MissingExtraError as error:
                    self.not_run.append(NotRun(rule.id, str(error)))
        columns = _columns(files, [(entry, hit) for _, _, entry, hit in found if hit.at])
        for rule, severity, entry, hit in found:
            position = columns.get((entry.path, entry.line, hit.at), 1)
            place = _Place(entry.path, entry.line, position, entry.row_id)
            self.findings.append(_finding(rule, severity, hit, place, rule.fix))


class _Asked(NamedTuple):
    """A rule that is asked about rows, its severity here, and whether a line holds what it needs."""

    rule: Rule
    severity: Severity
    may_hit: Callable[[bytes], bool] | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a finding is; `row_id` is empty for one about a file."""

    path: str
    line: int
    column: int
    row_id: str = ""


def _finding(rule: Rule, severity: Severity, hit: Hit, place: _Place, fix: Fix | None) -> Finding:
    """Make a finding of a hit; what it quotes of the data, keys included, is masked."""
    message, where = hit.message, json_path(hit.at)
    if not rule.id.startswith(MASKED_ALREADY):
        message, where = masked(message), masked(where) if "'" in where else where
    return Finding(
        rule=rule.id,
        severity=hit.severity or severity,
        path=place.path,
        line=place.line,
        column=place.column,
        json_path=where,
        message=message,
        fix=fix,
        partner=hit.partner,
        row_id=place.row_id,
    )


def _fix_of(rule: Rule, row: Row, hit: Hit) -> Fix | None:
    """Return the rule's fix where it can mend this hit."""
    if rule.repair is not None:
        return None if rule.repair(row, hit) is KEEP else rule.fix
    if rule.repair_line is not None:
        line = row.raw + b"\n" * row.ended
        return None if rule.repair_line(line) == line else rule.fix
    return rule.fix


def _columns(
    files: Sequence[DataFile], wanted: Sequence[tuple[Entry, Hit]]
) -> dict[tuple[str, int, tuple[str | int, ...]], int]:
    """Read again the lines that hits over the set point into, and return their byte columns."""
    places: dict[str, dict[int, list[tuple[str | int, ...]]]] = {}
    for entry, hit in wanted:
        places.setdefault(entry.path, {}).setdefault(entry.line, []).append(hit.at)
    columns = {}
    for file in files:
        if here := places.get(file.shown):
            for line in begin(file.path).lines:
                for path in here.get(line.number, ()):
                    columns[(file.shown, line.number, path)] = column(line.raw, path)
    return columns
