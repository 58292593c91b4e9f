"""Repairs: what `check --fix` changes in a file, and the same as a diff.

A repair changes one value inside a line, or the bytes of one line; everything else stays as it was written, to the
byte. No row is taken out, added, converted or split: that is the work of `prepare`, which keeps a ledger. Repairs
are repeated until nothing more is found, so that mending twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.core.files import replacing
from tunegate.core.jsonl import decode
from tunegate.core.lines import BOM, Line
from tunegate.core.location import Span, locate
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.carried import carried, in_manner_of
from tunegate.dataqa.check import CheckSettings, DataFile
from tunegate.dataqa.choice import Choice
from tunegate.dataqa.hit import KEEP, REMOVE
from tunegate.dataqa.reading import Head, begin
from tunegate.dataqa.row import Kind, Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.targets import target_named

# One repair may uncover the next; a chain as long as this would be a fault of the rules.
MAX_ROUNDS = 20

_COMMA_AFTER = lazy_pattern(rb"[ \t\r]*,[ \t\r]*")


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was mended in a file: how often by each rule, or why it was left alone, or must not be written."""

    path: str
    applied: dict[str, int]
    skipped: str | None = None
    refused: str | None = None


class _NothingToDoError(Exception):
    """Ends the writing of a file that would be as it was."""


def fix(file: DataFile, settings: CheckSettings, unsafe: bool = False) -> Fixed:
    """Mend a file in its place: written whole beside it, then renamed; untouched where nothing is to be mended.

    A file with several names (hard links) is mended under this one; the others keep the old bytes.

    Raises InputError when the file cannot be read or written.
    """
    mender = _Mender(file, settings, unsafe)
    if mender.skipped:
        return Fixed(file.shown, {}, mender.skipped)
    if _is_read_only(file.path):
        return Fixed(file.shown, {}, refused="it is read-only: make it writable first (chmod u+w), or use --diff")
    try:
        with replacing(file.path.resolve()) as stream:
            for change in mender.changes():
                stream.write(change.after)
            if not mender.applied:
                raise _NothingToDoError
    except _NothingToDoError:
        pass
    return Fixed(file.shown, dict(sorted(mender.applied.items())))


def diff(file: DataFile, settings: CheckSettings, unsafe: bool = False) -> Iterator[str]:
    """Give the lines of a unified diff of what `fix` would do; secrets and personal data are masked.

    No line is shown that does not change: the text of a chat is shown only where that is what was asked for.
    """
    from tunegate.dataqa.showing import masked_line, printable

    mender = _Mender(file, settings, unsafe)
    if mender.skipped:
        return
    name = printable(file.shown).lstrip("/")
    header = [f"--- a/{name}", f"+++ b/{name}"]
    gone = 0
    for change in mender.changes():
        if change.before != change.after:
            yield from header
            header = []
            place = f"+{change.line - gone}" if change.after else f"+{change.line - gone - 1},0"
            yield f"@@ -{change.line} {place} @@"
            gone += not change.after
            for sign, line in (("-", change.before), ("+", change.after)):
                if line:
                    yield sign + masked_line(line.removesuffix(b"\n"))
                    if not line.endswith(b"\n"):
                        yield "\\ No newline at end of file"
    if "FILE003" in mender.applied:
        yield f"# {name}: written as UTF-8 in place of {mender.head.encoding}"


@dataclass(frozen=True, slots=True)
class _Change:
    """A line before and after, line ends included; empty where it goes."""

    line: int
    before: bytes
    after: bytes


class _Mender:
    """The repairs of one file: goes over its lines once, and counts what it does."""

    def __init__(self, file: DataFile, settings: CheckSettings, unsafe: bool) -> None:
        opened = begin(file.path, settings.kind)
        self.head = opened.head
        self.applied: Counter[str] = Counter()
        self._lines = opened.lines()
        self._target = settings.target
        self._kind: Kind = opened.kind
        rules = [
            rule
            for rule in Choice(settings).rules_for(file.shown)
            if rule.fix is not None
            and (unsafe or rule.fix == "safe")
            and rule.severity_for(settings.target, opened.kind) is not None
        ]
        self._of_lines = [rule for rule in rules if rule.repair_line is not None]
        self._of_values = [rule for rule in rules if rule.repair is not None]
        self._of_files = {rule.id for rule in rules if rule.scope == "file"}
        self.skipped = _reason_to_skip(self.head, self._of_files)

    def changes(self) -> Iterator[_Change]:
        """Give every line before and after."""
        if self.head.encoding != "utf-8":
            self.applied["FILE003"] += 1
        for line in self._lines:
            before = line.raw + b"\n" * line.ended
            after = self._mend(line, before)
            if line.number == 1:
                before, after = self._marked(before, after)
            yield _Change(line.number, before, after)

    def _marked(self, before: bytes, after: bytes) -> tuple[bytes, bytes]:
        """Put the byte-order mark back that the reader took off, or mend it; that of another encoding is gone."""
        had = BOM if self.head.has_bom and self.head.encoding == "utf-8" else b""
        wanted = {"asked": BOM, "taken": had, "refused": b""}[target_named(self._target).bom]
        if "FILE002" not in self._of_files:
            wanted = had
        if wanted != had:
            self.applied["FILE002"] += 1
        return had + before, wanted + after

    def _mend(self, line: Line, whole: bytes) -> bytes:
        for _ in range(MAX_ROUNDS):
            before = whole
            whole = self._mend_bytes(whole)
            raw = whole.removesuffix(b"\n")
            whole = self._mend_values(raw, line.number) + whole[len(raw) :]
            if whole == before:
                break
        return whole

    def _mend_bytes(self, whole: bytes) -> bytes:
        for rule in self._of_lines:
            if _asks(rule, whole):
                assert rule.repair_line is not None
                mended = rule.repair_line(whole)
                if mended != whole:
                    self.applied[rule.id] += 1
                    whole = mended
        return whole

    def _mend_values(self, raw: bytes, number: int) -> bytes:
        for _ in range(MAX_ROUNDS):
            edits = self._edits(raw, number)
            if not edits:
                break
            mended = _spliced(raw, edits)
            if mended == raw:
                break
            self.applied.update(edit.rule for edit in edits)
            raw = mended
        return raw

    def _edits(self, raw: bytes, number: int) -> list[_Edit]:
        """Return the edits of a line that do not overlap, in its order; the others come in the next round."""
        asked = [rule for rule in self._of_values if _asks(rule, raw)]
        if not asked or not isinstance((decoded := decode(raw)).value, dict):
            return []
        row = Row(raw, "-", number, decoded=decoded, target=self._target, kind=self._kind)
        found = []
        for rule in asked:
            for hit in rule.check(row):
                assert rule.repair is not None
                value = rule.repair(row, hit)
                span = locate(raw, hit.mended)
                if value is not KEEP and span is not None:
                    found.append(_Edit(span, carried(value, row), rule.id))
        found.sort(key=lambda edit: (edit.span.member_start, -edit.span.end))
        kept: list[_Edit] = []
        for edit in found:
            if not kept or edit.span.member_start >= kept[-1].span.end:
                kept.append(edit)
        return _without_neighbours(raw, kept)


@dataclass(frozen=True, slots=True)
class _Edit:
    """A value that is written in the place of another, or REMOVE, and the rule behind it."""

    span: Span
    value: Any
    rule: str


def _is_read_only(path: Path) -> bool:
    """Whether nobody may write a file. Another one could be put in its place, which is not what was meant."""
    return not path.stat().st_mode & 0o222


def _reason_to_skip(head: Head, of_files: set[str]) -> str | None:
    if head.compressed:
        return "it is compressed: unpack it to have it mended"
    if head.form != "lines":
        return "it is not written in lines: see FILE008"
    if head.encoding != "utf-8" and "FILE003" not in of_files:
        return f"it is written in {head.encoding}, and FILE003 is left out"
    return None


def _asks(rule: Rule, raw: bytes) -> bool:
    return rule.look is None or rule.look(raw)


def _without_neighbours(raw: bytes, edits: Sequence[_Edit]) -> list[_Edit]:
    """Leave out a removal right after another: both would want the comma between them."""
    kept: list[_Edit] = []
    for edit in edits:
        before = kept[-1] if kept else None
        if before is not None and before.value is REMOVE and edit.value is REMOVE:
            between = raw[before.span.end : edit.span.member_start]
            if not between.strip(b" \t\r,"):
                continue
        kept.append(edit)
    return kept


def _spliced(raw: bytes, edits: Sequence[_Edit]) -> bytes:
    """Return a line with edits in their order that do not overlap."""
    pieces, position = list[bytes](), 0
    for edit in edits:
        start, end = (edit.span.start, edit.span.end) if edit.value is not REMOVE else _taken_out(raw, edit.span)
        pieces += (raw[position:start], b"" if edit.value is REMOVE else in_manner_of(raw, edit.value))
        position = end
    return b"".join([*pieces, raw[position:]])


def _taken_out(raw: bytes, span: Span) -> tuple[int, int]:
    """Return from where to where a member goes, with the comma after it, or that before it."""
    after = _COMMA_AFTER.match(raw, span.end)
    if after:
        return span.member_start, after.end()
    before = span.member_start
    while raw[before - 1 : before] in (b" ", b"\t", b"\r"):
        before -= 1
    return before - 1 if raw[before - 1 : before] == b"," else span.member_start, span.end
