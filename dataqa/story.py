"""The story of a row: what a run did with it and why, out of the ledger, the screening and the data files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tunegate.core.errors import UsageError
from tunegate.core.jsonl import read_rows, row_id
from tunegate.core.ledger import Entry, read_ledger
from tunegate.core.lines import read_lines
from tunegate.core.patterns import lazy_pattern
from tunegate.core.runs import Run
from tunegate.dataqa.book import ORIGINS
from tunegate.dataqa.leakage import SPLITS
from tunegate.dataqa.showing import printable

_PLACE = lazy_pattern(r"(?P<path>.+):(?P<line>\d+)\Z")

# Where a run keeps what `prepare` wrote.
_PREPARED = (".stages", "prepared")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known of a row that is asked for: its ids, and its places in the sources."""

    ids: frozenset[str]
    places: frozenset[tuple[str, int]]


def story(run: Run, row: str) -> str:
    """Return what happened to a row, in lines of text.

    `row` is a row id, before or after edits, or the place of a row as "path:line", in a source or in a prepared
    file. Equal rows share an id: a place means one of them, an id all. Raises UsageError when the run knows no
    such row, InputError when its ledger is missing.
    """
    ledger = list(read_ledger(run.path("ledger.jsonl")))
    asked = _asked(run, ledger, row)
    noted = [
        entry
        for entry in ledger
        if (entry.row_id in asked.ids if _is_screened(entry) else (entry.path, entry.line) in asked.places)
    ]
    standing = [place for place, found in _standing(run) if found in asked.ids]
    if not noted and not standing:
        raise UsageError(
            f"{run.folder} knows no row {row!r}: give a row id of 16 digits, or a place such as chats.jsonl:17, "
            "as findings and ledger.jsonl name them"
        )
    lines = [f"row {row}"]
    lines += [f"{path}:{line}" for path, line in sorted(asked.places) if f"{path}:{line}" != row]
    for entry in noted:
        lines += _told(entry)
    lines += _screened(run, asked.ids)
    lines.append(_end(standing, any(entry.action == "dropped" for entry in noted)))
    return "\n".join(printable(line) for line in lines)


def _asked(run: Run, ledger: Sequence[Entry], row: str) -> _Asked:
    origins = list(_origins(run))
    known = [*origins, *(((entry.path, entry.line), entry.row_id) for entry in ledger if not _is_screened(entry))]
    found = _PLACE.match(row)
    if found is None:
        ids = {row} | {new for entry in ledger if row == entry.row_id for new in _new_ids(entry)}
    else:
        path, line = found["path"], int(found["line"])
        # A path may be given without its folders. A source may be called data/train.jsonl too: then it is meant.
        places = {place for place, _ in known if place[1] == line and f"/{place[0]}".endswith(f"/{path}")}
        if places:
            ids = {new for place, new in origins if place in places} or {
                old for place, old in known if place in places
            }
            return _Asked(frozenset(ids), frozenset(places))
        ids = set(_ids_of_line(run, path, line))
    places = {place for place, new in origins if new in ids}
    for entry in ledger:
        if ids.intersection([entry.row_id, *_new_ids(entry)]) and not _is_screened(entry):
            places.add((entry.path, entry.line))
    return _Asked(frozenset(ids), frozenset(places))


def _is_screened(entry: Entry) -> bool:
    """Whether an entry is of the screening: then its place is one in the data files."""
    return entry.rule.startswith("SAFE")


def _ids_of_line(run: Run, path: str, line: int) -> Iterator[str]:
    """Give the id of a line of a data file."""
    if path in [f"data/{split}.jsonl" for split in SPLITS] and run.path(path).is_file():
        yield from (row_id(found.raw) for found in read_lines(run.path(path)) if found.number == line)


def _origins(run: Run) -> Iterator[tuple[tuple[str, int], str]]:
    """Give the place in a source, and the id, of every row that `prepare` wrote."""
    path = run.path(*_PREPARED, ORIGINS)
    if path.is_file():
        for origin in read_rows(path):
            yield (origin["path"], origin["line"]), origin["row_id"]


def _new_ids(entry: Entry) -> list[str]:
    """Return the ids that an edit gave to a row."""
    after: Any = entry.after if isinstance(entry.after, dict) else {}
    return [*after.get("row_ids", ()), *([after["row_id"]] if "row_id" in after else ())]


def _standing(run: Run) -> Iterator[tuple[str, str]]:
    """Give place and id of every row of the data files."""
    for split in SPLITS:
        path = run.path("data", f"{split}.jsonl")
        if path.is_file():
            for line in read_lines(path):
                yield f"data/{path.name}:{line.number}", row_id(line.raw)


def _told(entry: Entry) -> Iterator[str]:
    by = f" by {entry.rule}" if entry.rule[-1:].isdigit() else f" ({entry.rule})"
    partner = f"; the other row: {entry.partner}" if entry.partner else ""
    alike = f", similarity {entry.similarity:.2f}" if entry.similarity is not None else ""
    yield f"  {entry.action}{by}: {entry.reason}{partner}{alike}"
    before = entry.before if isinstance(entry.before, dict) else {}
    after = entry.after if isinstance(entry.after, dict) else {}
    for at in before:
        shown = f" -> {after[at]!r}" if at in after else ""
        yield f"    {at}: {before[at]!r}{shown}"


def _screened(run: Run, ids: frozenset[str]) -> Iterator[str]:
    path = run.path("safety.jsonl")
    if path.is_file():
        for found in read_rows(path):
            if found.get("row_id") in ids:
                over = [name for name, score in found.get("categories", {}).items() if score.get("band") != "none"]
                why = f" ({', '.join(over)})" if over else ""
                yield f"  screened as {found.get('path')}:{found.get('line')}: {found.get('decision')}{why}"


def _end(standing: Sequence[str], is_dropped: bool) -> str:
    places = ", ".join(standing)
    if is_dropped:
        return f"It was dropped; a row of the same content stands in {places}." if places else "It was dropped."
    return f"It stands in {places}." if places else "It stands in none of the data files."
