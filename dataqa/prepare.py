"""`prepare`: from files as they were found to clean training, validation and test rows, with a ledger.

The order of the steps, each of which sees only what the one before left:

1. read: lines that are no sound chat go, with the id of the rule; other formats become chats; text is cleaned;
   rows with a leaked key go; personal data is masked (intake.py)
2. lengths: rows over the limit are refused, dropped or cut between turns (overlong.py)
3. leaks: rows that also stand in given validation or test rows go, exact and near (leakage.py)
4. contradictions: of rows that ask the same with different labels those with the clear majority stay, if there is
   one. Where there is none all go: no reader of the data can tell which label is right, and a wrong guess would
   teach the model the fault. Without labels several answers may be right, and all stay (duplicates.py)
5. duplicates: exact, normalised and near ones go (duplicates.py), and beginnings of longer chats (prefixes.py)
6. split: what is not given is split off, by label and without leaks (split.py, groups.py)
7. balance: of the training rows only, so that held-out rows keep the mix that the model will meet (balance.py)

Validation and test rows that are given are cleaned, and lose what cannot be used and what would leak; they are
neither deduplicated nor balanced, so that results stay comparable. Lines read, and the parts that were
added by cutting chats, equal the rows written and the rows dropped, exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tunegate.core.errors import InputError, UsageError
from tunegate.core.extras import need
from tunegate.core.files import replacing
from tunegate.core.jsonl import Decoded, decode, dumps, row_id, write_rows
from tunegate.core.ledger import write_ledger
from tunegate.core.progress import Advance, silent
from tunegate.dataqa import overlong
from tunegate.dataqa.balance import effective_number, surplus
from tunegate.dataqa.book import ORIGINS, Book
from tunegate.dataqa.duplicates import Conflict, Duplicates, compared, conflicts, find
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.groups import groups
from tunegate.dataqa.intake import Intake, Kept, Spool, spooling
from tunegate.dataqa.labels import labelled
from tunegate.dataqa.leakage import SPLITS, count_leaks, find_leaks
from tunegate.dataqa.prefixes import find_prefixes
from tunegate.dataqa.row import Split
from tunegate.dataqa.split import assign
from tunegate.dataqa.summary import by_split, histogram, label_counts
from tunegate.dataqa.tokens import Counter as TokenCounter

# A group of rows that must stay together is named when it holds this share of all rows.
LARGE_GROUP = 0.2

# The last answers of nearly all rows are the labels: then they can be told from other answers when measured.
ANSWERS_ARE_LABELS = 0.98


@dataclass(frozen=True, slots=True)
class Preparation:
    """What was done: the section of the result, the files written, and what the user should know."""

    section: dict[str, Any]
    files: tuple[Path, ...]

    @property
    def notes(self) -> list[str]:
        """What the user should know, in sentences."""
        notes: list[str] = self.section["notes"]
        return notes


def prepare(  # noqa: PLR0917
    train: Sequence[Path],
    validation: Path | None,
    test: Path | None,
    data: Any,
    counting: TokenCounter,
    out: Path,
    advance: Advance = silent,
    relative_to: Path | None = None,
) -> Preparation:
    """Prepare files under the `[data]` table and write `data/*.jsonl`, ledger and origins to `out`.

    Files are named in the ledger by their path from `relative_to`, or as they are given. Raises InputError when a
    file cannot be used, when rows are too long and `tokens.too_long` is `refuse`, or when no row is left; nothing
    is written then.
    """
    need("polars", "data")  # said now, and not after the work
    sources: list[tuple[Path, Split]] = [(path, "train") for path in train]
    if validation is not None:
        sources.append((validation, "validation"))
    if test is not None:
        sources.append((test, "test"))
    names = [_shown(path, relative_to) for path, _ in sources]
    with spooling(out) as spool:
        work = _Work(data, counting, spool)
        for number, (path, split) in enumerate(sources):
            work.given.add(split)
            work.read(path, split, names[number], _part(advance, number, len(sources)))
        work.label()
        work.cut_to_length()
        work.drop_leaks()
        work.drop_duplicates()
        work.split()
        work.balance()
        section = work.section()
        files = work.write(out / "data")
        write_rows(out / ORIGINS, work.origins())
        write_ledger(out / "ledger.jsonl", work.book.entries(dict.fromkeys(names)))
    return Preparation(section, (*files, out / ORIGINS, out / "ledger.jsonl"))


def _shown(path: Path, folder: Path | None) -> str:
    if folder is None:
        return str(path)
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return str(path)


def _part(advance: Advance, number: int, files: int) -> Advance:
    """Return the progress of one file as a part of all."""

    def part(done: int, total: int, what: str = "") -> None:
        advance(number * 1000 + 1000 * done // max(total, 1), files * 1000, what)

    return part


class _Work:
    """One preparation under way: the rows that are left, and the book of what happened."""

    def __init__(self, data: Any, counting: TokenCounter, spool: Spool) -> None:
        self.data = data
        self.counting = counting
        self.spool = spool
        self.book = Book()
        self.given: set[Split] = set()
        self.rows: list[Kept] = []
        self.labels: tuple[str, ...] | None = None
        self.lengths: list[int] = []
        self.balanced: dict[str, Any] | None = None
        self._intake = Intake(data, counting, spool, self.book)

    def read(self, path: Path, split: Split, shown: str, advance: Advance) -> None:
        """Take in the rows of a file that can be used. Raises InputError when there are none."""
        rows = self._intake.read(path, split, shown, advance)
        if not rows:
            worst = ", ".join(f"{rule} {count}" for rule, count in self.book.dropped.most_common(5))
            raise InputError(
                f"no row of {path} can be used (dropped: {worst}): run `tunegate check {path}` to see why"
            )
        self.rows += rows
        self.lengths += [row.entry.tokens or 0 for row in rows]

    @property
    def entries(self) -> list[Entry]:
        """The entries of the rows that are left."""
        return [row.entry for row in self.rows]

    def label(self) -> None:
        """Find the labels, and note the rows that have none."""
        entries, self.labels = labelled(self.entries, self.data.labels)
        self.rows = [replace(row, entry=entry) for row, entry in zip(self.rows, entries, strict=True)]
        if self.labels is None:
            if self.data.balance is not None:
                self.book.notes.append("balance is set, but the answers are no closed set of labels: not balanced")
            return
        others = sum(entry.label is None for entry in entries)
        if others:
            self.book.notes.append(
                f"{_rows(others)} answered with none of the {len(self.labels)} labels: look at them"
            )

    def _without(self, gone: Iterable[int]) -> None:
        dropped = set(gone)
        self.rows = [row for place, row in enumerate(self.rows) if place not in dropped]
        if not any(row.entry.split == "train" for row in self.rows):
            reasons = ", ".join(f"{rule} {count}" for rule, count in self.book.dropped.most_common())
            raise InputError(f"no training row is left after cleaning (dropped: {reasons}): nothing was written")

    def cut_to_length(self) -> None:
        """Refuse, drop or cut the rows over the limit. Raises InputError that names all where they are refused."""
        limit = self.data.tokens.max
        places = [place for place, row in enumerate(self.rows) if (row.entry.tokens or 0) > limit]
        if not places:
            return
        if self.data.tokens.too_long == "refuse":
            raise overlong.refusal([self.rows[place].entry for place in places], limit, self.counting.name)
        parts_at: dict[int, list[Kept]] = {}
        for place in places:
            row = self.rows[place]
            value = decode(self.spool.read(row.number)).value
            parts = self._parts(value) if self.data.tokens.too_long == "split" else []
            parts_at[place] = self._kept_parts(row, parts) if parts else []
            if not parts:
                before = self.counting.prompt(value)
                rule = "TOK001" if before < limit else "TOK002"
                reason = f"{row.entry.tokens:,} tokens, over the limit of {limit:,}"
                if self.data.tokens.too_long == "split":
                    reason += ", and it cannot be cut between turns"
                self.book.drop(row.source, rule, reason)
        self.rows = [part for place, row in enumerate(self.rows) for part in parts_at.get(place, [row])]
        self._without(())

    def _parts(self, value: dict[str, Any]) -> list[dict[str, Any]]:
        labels = frozenset(self.labels or ())

        def accepts(part: dict[str, Any]) -> bool:
            content = part["messages"][-1].get("content")
            return not labels or (isinstance(content, str) and content.strip() in labels)

        return overlong.parts_of(value, self.data.tokens.max, self.counting, accepts)

    def _kept_parts(self, row: Kept, parts: Sequence[dict[str, Any]]) -> list[Kept]:
        """Take in the parts of a chat in the place of the chat."""
        kept = []
        ids = []
        for part in parts:
            raw = dumps(part)
            entry = self._intake.entry_of(row.source, part, raw)
            assert entry is not None, "a part of a sound chat is a sound chat"
            tokens = self.counting.rows([part])[0]
            made = entry._replace(
                split=row.entry.split, group=row.entry.group, label=row.entry.label, tokens=tokens
            )
            kept.append(Kept(row.source, self.spool.add(raw), made))
            ids.append(row_id(raw, Decoded(part)))
        self.book.added["TOK001"] += len(parts) - 1
        reason = f"{row.entry.tokens:,} tokens, over the limit of {self.data.tokens.max:,}: cut between turns"
        self.book.edit(row.source, "TOK001", reason, after={"row_id": ids[0], "row_ids": ids})
        return kept

    def drop_leaks(self) -> None:
        """Drop the rows that stand in given held-out rows too."""
        gone: dict[int, None] = {}
        for leak in find_leaks(self.entries, self.data.near_duplicate):
            if leak.row in gone or leak.partner in gone:
                continue  # leaks into the test rows come first, and their rows protect nothing any more
            gone[leak.row] = None
            row, partner = self.rows[leak.row], self.rows[leak.partner]
            same = "the same prompt stands" if leak.rule == "LEAK001" else "nearly the same text stands"
            reason = f"{same} in the {partner.entry.split} rows"
            self.book.drop(row.source, leak.rule, reason, partner=partner.source, similarity=leak.similarity)
        self._without(gone)

    def drop_duplicates(self) -> None:
        """Drop contradictions without a clear majority, and duplicates, among the training rows."""
        places = [place for place, row in enumerate(self.rows) if row.entry.split == "train"]
        rows = [self.rows[place] for place in places]
        entries = [row.entry for row in rows]
        near, is_labelled = self.data.near_duplicate, self.labels is not None
        losers = self._drop_conflicts(rows, conflicts(entries, near, labelled=is_labelled))
        found = find(entries, near, labelled=is_labelled, without=losers)
        for place, drop in found.drops.items():
            partner = rows[drop.partner].source
            reason = _REASONS[drop.rule]
            self.book.drop(rows[place].source, drop.rule, reason, partner=partner, similarity=drop.similarity)
        self._flag(found, losers)
        gone = {*losers, *found.drops}
        for place, longer in find_prefixes(entries).items():
            if place not in gone and longer not in gone:
                gone.add(place)
                self.book.drop(rows[place].source, "DUP005", _REASONS["DUP005"], partner=rows[longer].source)
        self._without(places[place] for place in sorted(gone))

    def _drop_conflicts(self, rows: Sequence[Kept], found: Iterable[Conflict]) -> list[int]:
        losers = []
        for conflict in found:
            if not conflict.labelled:
                continue
            for number, place in enumerate(conflict.rows):
                if conflict.answers[number] == conflict.kept:
                    continue
                losers.append(place)
                partner = rows[conflict.partner_of(number)]
                reason = "the same question has another label: " + (
                    "most rows have that one" if conflict.kept else "no telling which is right"
                )
                self.book.drop(rows[place].source, "DUP004", reason, partner=partner.source, similarity=1.0)
        return losers

    def _flag(self, found: Duplicates, losers: Iterable[int]) -> None:
        """Count the pairs that stay and are worth a look."""
        open_conflicts = [conflict for conflict in found.conflicts if not conflict.labelled]
        if open_conflicts:
            self.book.flagged["DUP004"] += len(open_conflicts)
            rows = sum(len(conflict.rows) for conflict in open_conflicts)
            asked = _count(len(open_conflicts), "question has", "questions have")
            self.book.notes.append(f"{asked} several answers ({_rows(rows)}): all stay")
        gone = set(losers)
        near = Counter(flag.differs for flag in found.flags if flag.row not in gone)
        different = near["numbers"] + near["negations"]
        if different:
            self.book.flagged["DUP003"] += different
            self.book.notes.append(
                f"{_rows(different)} nearly the same as another but for numbers, signs or negations: kept"
            )
        if self.labels is not None and near["answer"]:
            self.book.flagged["DUP004"] += near["answer"]
            self.book.notes.append(
                f"{_rows(near['answer'])} nearly the same as one with another label: kept, look at them"
            )

    def split(self) -> None:
        """Split off the validation and test rows that are not given."""
        table = self.data.split
        shares: dict[Split, float] = {"validation": table.validation, "test": table.test}
        shares = {split: share for split, share in shares.items() if split not in self.given and share > 0}
        if not shares:
            return
        if sum(shares.values()) >= 1:
            raise UsageError("split.validation and split.test leave nothing to train on: make them smaller")
        places = [place for place, row in enumerate(self.rows) if row.entry.split == "train"]
        entries = [self.rows[place].entry for place in places]
        stratify = table.stratify == "label" and self.labels is not None
        together = groups(entries, self.data.near_duplicate)
        made = assign(entries, together, shares, stratify=stratify, seed=self.data.seed)
        for place, split in zip(places, made, strict=True):
            if split != "train":
                row = self.rows[place]
                self.rows[place] = replace(row, entry=row.entry._replace(split=split), moved=True)
        self._note_split(shares, max(map(len, together)), len(entries))

    def _note_split(self, shares: Iterable[Split], largest: int, rows: int) -> None:
        counts = Counter(row.entry.split for row in self.rows)
        if largest > max(LARGE_GROUP * rows, 1):
            self.book.notes.append(
                f"{largest} of {rows} rows are one conversation or chain of near duplicates: all stay in training"
            )
        for split in shares:
            if not counts[split]:
                self.book.notes.append(f"too few rows or groups to split off {split} rows: there are none")
        if self.labels is None:
            return
        by_label = {
            split: Counter(row.entry.label for row in self.rows if row.entry.split == split) for split in SPLITS
        }
        for label in self.labels:
            total = sum(of_split[label] for of_split in by_label.values())
            missing = [split for split in shares if counts[split] and not by_label[split][label]]
            if total == 1 and by_label["train"][label]:
                self.book.notes.append(
                    f"the label {label!r} occurs once: it stays in training and is not measured"
                )
            elif total and missing:
                self.book.notes.append(
                    f"the label {label!r} has too few rows for the {' and '.join(missing)} rows"
                )

    def balance(self) -> None:
        """Cut the large classes of the training rows down, where that is asked for."""
        if self.labels is None:
            return
        places = [place for place, row in enumerate(self.rows) if row.entry.split == "train"]
        entries = [self.rows[place].entry for place in places]
        before = label_counts(entries)
        gone: list[int] = []
        if self.data.balance is not None:
            most = self.data.balance.max_ratio
            gone = surplus([entry.label for entry in entries], [compared(entry) for entry in entries], most)
            for place in gone:
                label = entries[place].label or ""
                reason = f"the label {label!r} has {before[label]} rows, over {most:g} times the smallest"
                self.book.drop(self.rows[places[place]].source, "balance", reason)
            if len(gone) > len(entries) / 2:
                self.book.notes.append(
                    f"balancing took {len(gone)} of {len(entries)} training rows: a larger max_ratio, or more "
                    "rows of the small labels, would keep more"
                )
            self._without(places[place] for place in gone)
        after = label_counts([row.entry for row in self.rows if row.entry.split == "train"])
        self.balanced = {
            "before": before,
            "after": after,
            "effective_number": {"before": effective_number(before), "after": effective_number(after)},
        }

    def section(self) -> dict[str, Any]:
        """Return the section of the result. Raises InputError when no training row is left."""
        self._without(())
        entries = self.entries
        book = self.book
        for split in sorted(self.given - {entry.split for entry in entries}):
            book.notes.append(f"no {split} row is left of those that were given")
        answers = sum(entry.label is not None and entry.answer.strip() == entry.label for entry in entries)
        named = self.labels if answers >= ANSWERS_ARE_LABELS * len(entries) else None
        return {
            "rows_in": book.rows_in,
            "rows_out": len(entries),
            "dropped": dict(sorted(book.dropped.items())),
            "edited": dict(sorted(book.edited.items())),
            "added": dict(sorted(book.added.items())),
            "flagged": dict(sorted(book.flagged.items())),
            "labels": None if named is None else list(named),
            "splits": by_split(entries),
            "balance": self.balanced,
            "token_lengths": {
                "tokenizer": self.counting.name,
                "exact": self.counting.exact,
                "limit": self.data.tokens.max,
                "bins": histogram(self.lengths),
            },
            "leakage": count_leaks(entries, self.data.near_duplicate),
            "seed": self.data.seed,
            "notes": list(book.notes),
        }

    def origins(self) -> Iterator[dict[str, Any]]:
        """Give for each row that is written where it came from, in the order of the files."""
        for split in SPLITS:
            for row in self.rows:
                if row.entry.split == split:
                    source = row.source
                    yield {"row_id": row.entry.row_id, "split": split, "path": source.path, "line": source.line}

    def write(self, folder: Path) -> list[Path]:
        """Write the rows of each split that has any, and note which rows moved."""
        files = []
        for split in SPLITS:
            rows = [row for row in self.rows if row.entry.split == split]
            path = folder / f"{split}.jsonl"
            if not rows:
                path.unlink(missing_ok=True)
                continue
            with replacing(path) as stream:
                for line, row in enumerate(rows, start=1):
                    stream.write(self.spool.read(row.number) + b"\n")
                    if row.moved:
                        self.book.move(row.source, "split", f"split off for {split}", f"data/{path.name}:{line}")
            files.append(path)
        return files


_REASONS = {
    "DUP001": "the same conversation as one that stays",
    "DUP002": "differs from one that stays in case, white space or punctuation only",
    "DUP003": "nearly the same as one that stays",
    "DUP005": "one that stays begins with this whole conversation",
}


def _rows(count: int) -> str:
    return _count(count, "row", "rows")


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
