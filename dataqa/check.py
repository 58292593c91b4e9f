"""The check: every rule over every line of the files, every violation in one pass.

Lines are read one at a time. Rules about rows see each line, rules about files the facts gathered on the way, and
rules about the set the small entries kept of the sound rows. A broken line is a finding and reading goes on; a
file that cannot be read is a problem, and the other files are still checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tunegate.core.errors import InputError, MissingExtraError
from tunegate.core.files import sha256_file
from tunegate.core.findings import Finding, Severity
from tunegate.core.location import column, utf16_column
from tunegate.core.progress import Advance, silent
from tunegate.core.workers import available_cores, sharing
from tunegate.dataqa.check_result import CheckResult, FileReport, NotRun, Problem
from tunegate.dataqa.choice import Choice
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.job import with_tokens
from tunegate.dataqa.placing import Place, finding_of
from tunegate.dataqa.reading import begin
from tunegate.dataqa.row import Split
from tunegate.dataqa.rowcheck import Part, RowCheck, Seen
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.settings import DEFAULTS
from tunegate.dataqa.survey import Corpus
from tunegate.dataqa.tally import Tally
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.tokens import Counter as TokenCounter
from tunegate.dataqa.tokens import Lengths


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

    `counting` makes what counts tokens, when a row needs it; where it is None they are estimated. `plugins` bring
    more rules. Paths in `[data]` are relative to `folder`. `severity` goes before `[data]`. Without `over_set` the
    rules over the set are left out. `kind` is what the rows of all files are; `auto` finds it out for each.
    `epochs` is how often the training will see each row, where that is known. `jobs` is how many processes share
    the work; 0 stands for all cores when the files are large.
    """

    target: str = "hf"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    data: Any = DEFAULTS
    counting: Callable[[], TokenCounter] | None = None
    plugins: tuple[str, ...] = ()
    folder: Path = Path()
    severity: Mapping[str, str] = field(default_factory=dict)
    over_set: bool = True
    kind: str = "auto"
    epochs: int | None = None
    jobs: int = 0


def settings_of(
    data: Any, counting: Callable[[], TokenCounter] | None = None, folder: Path = Path()
) -> CheckSettings:
    """Return the settings that a `[data]` table stands for, of a configuration in `folder`."""
    return CheckSettings(
        data.target,
        tuple(data.select),
        tuple(data.ignore),
        data,
        counting,
        tuple(data.plugins),
        folder,
        kind=data.kind,
    )


def check(
    files: Sequence[DataFile], settings: CheckSettings | None = None, advance: Advance = silent
) -> CheckResult:
    """Check the files as one set.

    Raises UsageError for an unknown target or rule; a file that cannot be read is a problem of the result.
    """
    settings = settings or CheckSettings()
    target_named(settings.target)
    choice = Choice(settings)
    work = _Check(settings, choice.rules)
    reports, problems = [], []
    sizes = {file.shown: _size(file.path) for file in files}
    total, done = max(sum(sizes.values()), 1), 0
    with sharing(work.about_rows, settings.jobs or _jobs_for(total)) as look:
        for file in files:

            def inside(size: int, file: DataFile = file) -> None:
                nonlocal done
                done += size
                advance(min(done, total), total, file.shown)

            try:
                reports.append(work.read(file, look, inside))
            except InputError as error:
                problems.append(Problem(file.shown, str(error).replace(str(file.path), file.shown)))
    work.ask_about_the_set(files)
    order = {file.shown: number for number, file in enumerate(files)}
    findings = sorted(
        choice.adjusted(work.findings),
        key=lambda found: (order[found.path], found.line, found.column, found.rule),
    )
    return CheckResult(
        settings.target,
        tuple(reports),
        tuple(findings),
        tuple(problems),
        choice.rules,
        work.labels,
        tuple(work.not_run),
    )


# Below this many bytes a second process takes longer to start than it saves.
BYTES_FOR_PROCESSES = 4 * 1024 * 1024


def _jobs_for(size: int) -> int:
    return available_cores() if size >= BYTES_FOR_PROCESSES else 1


def _size(path: Path) -> int:
    """Return the size of a file in bytes; 0 where it cannot be told, which reading it will say."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


Look = Callable[[Iterable[Part]], Iterable[Seen]]


class _Check:
    """One check under way: its rules by scope, and what was found so far."""

    def __init__(self, settings: CheckSettings, rules: Iterable[Rule]) -> None:
        self.settings = settings
        self.findings: list[Finding] = []
        self.not_run: list[NotRun] = []
        by_scope: dict[str, list[Rule]] = {"row": [], "file": [], "set": []}
        for rule in rules:
            by_scope[rule.scope].append(rule)
        self._file_rules = by_scope["file"]
        self._set_rules = by_scope["set"]
        counts = any(rule.id.startswith("TOK") for rule in self._set_rules)
        lengths = Lengths(settings.data.tokens.max, settings.counting) if counts else None
        self._entries = Corpus(lengths=lengths)
        self.about_rows = RowCheck(
            by_scope["row"], settings.target, settings.data, lengths, keeps_entries=bool(self._set_rules)
        )

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels of the set; None where its answers are open, or no rule asked for them."""
        return self._entries.survey(self.settings.data).labels if self._set_rules and self._entries else None

    def read(self, file: DataFile, look: Look, advance: Callable[[int], None]) -> FileReport:
        """Read one file to its end, asking the rules about rows and about the file."""
        opened = begin(file.path, self.settings.kind)
        size, kind, read = opened.head.size, opened.kind, 0
        tally = Tally()
        for seen in look(Part(file.shown, file.split, kind, block) for block in opened.blocks):
            self.findings += seen.findings
            self._entries += seen.entries
            tally.merge(seen.tally)
            read += seen.size
            advance(seen.size)
        facts = tally.facts(file.shown, file.split, opened, self.settings.target)
        facts = with_tokens(facts, file.path, read, self.settings.epochs)
        for rule in self._file_rules:
            severity = rule.severity_for(self.settings.target, kind)
            if severity is not None:
                for hit in rule.check(facts):
                    place = Place(file.shown, hit.line or 1, hit.column or 1)
                    self.findings.append(finding_of(rule, severity, hit, place, rule.fix))
        return FileReport(file.shown, sha256_file(file.path, size), size, tally.rows, kind)

    def ask_about_the_set(self, files: Sequence[DataFile]) -> None:
        """Ask the rules about all rows together, and look up the columns of what they point at."""
        found: list[tuple[Rule, Severity, Entry, Hit]] = []
        for rule in self._set_rules:
            severity = rule.severity_for(self.settings.target)
            if severity is not None and self._entries:
                try:
                    found += [(rule, severity, *pair) for pair in rule.check(self._entries, self.settings.data)]
                except MissingExtraError as error:
                    self.not_run.append(NotRun(rule.id, str(error)))
        columns = _columns(files, [(entry, hit) for _, _, entry, hit in found if hit.at])
        for rule, severity, entry, hit in found:
            position, character = columns.get((entry.path, entry.line, hit.at), (1, None))
            place = Place(entry.path, entry.line, position, entry.row_id, character)
            finding = finding_of(rule, severity, hit, place, rule.fix)
            self.findings.append(replace(finding, known_by=hit.known_by))


def _columns(
    files: Sequence[DataFile], wanted: Sequence[tuple[Entry, Hit]]
) -> dict[tuple[str, int, tuple[str | int, ...]], tuple[int, int | None]]:
    """Read again the lines that hits over the set point into, and return their columns, also in UTF-16 units."""
    places: dict[str, dict[int, list[tuple[str | int, ...]]]] = {}
    for entry, hit in wanted:
        places.setdefault(entry.path, {}).setdefault(entry.line, []).append(hit.at)
    columns = {}
    for file in files:
        if here := places.get(file.shown):
            for line in begin(file.path).lines():
                for path in here.get(line.number, ()):
                    position = column(line.raw, path)
                    columns[(file.shown, line.number, path)] = position, utf16_column(line.raw, position)
    return columns
