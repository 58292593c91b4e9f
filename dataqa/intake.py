"""Reading for `prepare`: each line becomes a clean chat or a dropped row with its reason.

Rows are read one at a time and written, once they are clean, to a file without a name; what stays in memory of a
row is its entry.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tunegate.core.errors import InputError
from tunegate.core.files import explain_os_error
from tunegate.core.findings import Severity
from tunegate.core.jsonl import Decoded, decode, dumps
from tunegate.core.lines import Line
from tunegate.core.location import json_path
from tunegate.core.progress import Advance
from tunegate.dataqa.book import Book, Source
from tunegate.dataqa.catalog import choose
from tunegate.dataqa.choice import with_levels, with_plugins
from tunegate.dataqa.convert import to_chat
from tunegate.dataqa.corpus import as_text, entry_of, group_of
from tunegate.dataqa.edits import REASONS, Change, cleaned, secrets_of, without_personal
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.labels import path_of
from tunegate.dataqa.reading import TO_LINES, begin
from tunegate.dataqa.row import Kind, Row, Split
from tunegate.dataqa.schema import schema_of
from tunegate.dataqa.soundness import Judge
from tunegate.dataqa.tokens import Counter

# Rows whose tokens are counted at once: enough to make use of the tokenizer, few enough to keep in memory.
BATCH = 256


class Spool:
    """Rows on the disk, to be had again by number. Raises InputError when the disk is full."""

    def __init__(self, stream: IO[bytes], folder: Path) -> None:
        self._stream = stream
        self._folder = folder
        self._ends = [0]

    def add(self, raw: bytes) -> int:
        """Write a row and return its number."""
        try:
            self._stream.seek(self._ends[-1])
            self._stream.write(raw)
        except OSError as error:
            raise explain_os_error(error, self._folder, "write to") from error
        self._ends.append(self._ends[-1] + len(raw))
        return len(self._ends) - 2

    def read(self, number: int) -> bytes:
        """Return a row."""
        try:
            self._stream.seek(self._ends[number])  # this writes what is still in memory
            return self._stream.read(self._ends[number + 1] - self._ends[number])
        except OSError as error:
            raise explain_os_error(error, self._folder, "write to") from error


@contextmanager
def spooling(folder: Path) -> Iterator[Spool]:
    """Open a spool in a folder; nothing of it is left when the block ends, or is killed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    except OSError as error:
        raise explain_os_error(error, folder, "write to") from error
    try:
        yield Spool(stream, folder)
    finally:
        # What was not written yet is not needed any more, and would only hide the error that led here.
        with suppress(OSError):
            stream.close()


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that can be used: where it came from, its number in the spool, and its entry as it is now.

    `moved` says that it was split off from the file that it was read from.
    """

    source: Source
    number: int
    entry: Entry
    moved: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A clean row whose tokens are not counted yet."""

    source: Source
    value: dict[str, Any]
    raw: bytes
    entry: Entry


class Intake:
    """Reads files under one `[data]` table into a spool and a book."""

    def __init__(self, data: Any, counting: Counter, spool: Spool, book: Book) -> None:
        self._data = data
        self._counting = counting
        self._spool = spool
        self._book = book
        self._rules = tuple(with_levels(choose((), data.ignore, with_plugins(data.plugins)), data.severity))
        self._asked = {rule.id: rule.severity for rule in self._rules}
        self._kind: Kind = "sft"
        self._split: Split = "train"
        self._waiting: list[_Waiting] = []

    def read(self, path: Path, split: Split, shown: str, advance: Advance) -> list[Kept]:
        """Return the rows of a file that can be used.

        Raises InputError when the file cannot be read, is not written in lines, or holds no chats.
        """
        opened = begin(path, self._data.kind)
        if opened.head.form != "lines":
            raise InputError(f"cannot read {path}: {TO_LINES[opened.head.form]}")
        if opened.kind != "sft":
            what = "preference pairs" if opened.kind == "dpo" else "chats that end with the user"
            raise InputError(f"{path} holds {what}: `tunegate prepare` takes chats that end with the assistant")
        self._kind, self._split = opened.kind, split
        judge = Judge(self._rules, self._data.target, opened.kind)
        kept: list[Kept] = []
        done = 0
        for line in opened.lines():
            done += len(line.raw)
            self._book.rows_in += 1
            self._take(line, shown, judge)
            if len(self._waiting) >= BATCH:
                kept += self._counted()
                advance(done, max(opened.head.size, done), shown)
        return kept + list(self._counted())

    def _take(self, line: Line, shown: str, judge: Judge) -> None:
        """Look at one line: note why it is dropped, or let it wait to be counted."""
        decoded = decode(line.raw)
        row = Row(line.raw, shown, line.number, decoded=decoded, target=self._data.target, kind=self._kind)
        source = Source(row.id, shown, line.number)
        fault = judge.line_fault(row)
        if fault is not None:
            self._book.drop(source, fault.rule, fault.message)
            return
        found = self._edited(source, decoded.value, judge)
        if found is None:
            return
        value, changes = found
        raw = line.raw.strip(b" \t\r") if value is decoded.value else dumps(value)
        entry = self.entry_of(source, value, raw)
        if entry is None:
            self._book.drop(source, "shape", "the row is no chat that a user begins and the assistant ends")
            return
        self._note(source, changes, entry.row_id)
        key = self._data.split.group
        group = None if key is None else as_text(group_of(decoded.value, key))  # as it was before it was masked
        self._waiting.append(_Waiting(source, value, raw, entry._replace(group=group)))

    def _edited(
        self, source: Source, value: Any, judge: Judge
    ) -> tuple[Any, list[tuple[str, str, list[Change]]]] | None:
        """Return a row after all edits, and these as (rule, reason, changes); None where the row is dropped."""
        notes: list[tuple[str, str, list[Change]]] = []
        schema = schema_of(value)
        if schema != "chat":
            chat = to_chat(value, schema)
            if chat is not None:
                notes.append(("CHAT023", f"a {schema} row was made a chat", []))
                value = chat
            elif schema is not None:
                self._book.drop(source, "CHAT023", f"the {schema} row cannot be read as a chat")
                return None
        value, changes = cleaned(value)
        notes += _by_rule(changes)
        value, repaired, fault = judge.mended(value)
        if fault is not None:
            self._book.drop(source, fault.rule, fault.message)
            return None
        notes += [(repair.rule, f"repaired: {repair.message}", []) for repair in repaired]
        for at, match in secrets_of(value):
            if self._asked.get(match.rule) is Severity.ERROR:
                reason = f"{match.kind}: a model repeats what it has learned; revoke it"
                self._book.drop(source, match.rule, reason, before={json_path(at): match.masked})
                return None
        value, changes = without_personal(value, self._masks)
        return value, [*notes, *_by_rule(changes)]

    def _masks(self, rule: str) -> bool:
        return rule in self._asked and (rule.startswith("SEC") or self._data.mask_personal_data)

    def _note(self, source: Source, notes: Iterable[tuple[str, str, list[Change]]], new_id: str) -> None:
        for rule, reason, changes in notes:
            before = {change.where: change.before for change in changes} or None
            after = {change.where: change.after for change in changes}
            self._book.edit(source, rule, reason, before=before, after={"row_id": new_id, **after})

    def _counted(self) -> Iterator[Kept]:
        """Give the waiting rows with their tokens, and leave out those that the model's template refuses."""
        waiting, self._waiting = self._waiting, []
        tokens = self._counting.rows([row.value for row in waiting])
        for row, count in zip(waiting, tokens, strict=True):
            if count is None:
                self._book.drop(row.source, "template", self._counting.refusal(row.value))
            else:
                yield Kept(row.source, self._spool.add(row.raw), row.entry._replace(tokens=count))

    def entry_of(self, source: Source, value: Any, raw: bytes) -> Entry | None:
        """Return the entry of a row as it is now; its place is that of the line that it came from."""
        row = Row(raw, source.path, source.line, decoded=Decoded(value), target=self._data.target, kind=self._kind)
        data = self._data
        label_path, on = path_of(data.labels), data.near_duplicate.on
        return entry_of(row, self._split, data.split.group, label_path=label_path, on=on)


def _by_rule(changes: Iterable[Change]) -> list[tuple[str, str, list[Change]]]:
    """Return changes by their rule, each with what the ledger says of it."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.rule, []).append(change)
    return [(rule, REASONS.get(rule, "masked"), found[rule]) for rule in sorted(found)]
