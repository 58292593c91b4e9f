"""Baselines: findings that are known and not reported again, so that a check can start in the middle of a project.

A finding is known by its rule, its file, the content of its row and the place in it, not by its line number: rows
may move. One about several rows is known by what these have in common, and one about the set or the file by rule
and file alone, as it stands at whichever row comes first. An edited row is another row, and its findings are new;
so are those of a file that was renamed.

Each entry stands on a line of its own, sorted, so that two branches merge; where both brought the same entry, the
smaller promise holds: the larger of two counts, not their sum, and the earlier of two dates.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from tunegate.core.errors import InputError
from tunegate.core.files import read_json, write_bytes
from tunegate.core.findings import Finding
from tunegate.dataqa.check_result import CheckResult

SCHEMA = "tunegate.baseline/1"


class _Key(NamedTuple):
    """What a finding is known by; its file relative to the folder of the baseline.

    `row_id` is the id of the row, what stands for several rows, or empty for one about the set or the file.
    """

    rule: str
    path: str
    row_id: str
    json_path: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A known finding: how often, and the last day on which it is left out."""

    rule: str
    path: str
    row_id: str
    json_path: str
    count: int
    expires: date | None = None

    @property
    def key(self) -> _Key:
        """What the finding is known by."""
        return _Key(self.rule, self.path, self.row_id, self.json_path)

    def as_json(self) -> dict[str, Any]:
        """Return the entry as it is written."""
        expires = {"expires": self.expires.isoformat()} if self.expires else {}
        return {**self.key._asdict(), "count": self.count, **expires}


@dataclass(frozen=True, slots=True)
class Compared:
    """A check without its known findings, how many those were, and what of the baseline no longer holds."""

    result: CheckResult
    left_out: int
    expired: tuple[Entry, ...]
    unused: tuple[Entry, ...]


def write_baseline(path: Path, result: CheckResult, expires: date | None = None) -> int:
    """Write the findings of a check as known until `expires`, and return how many there are.

    An entry that is in the file already keeps its own date.
    """
    try:
        dates = {key: entry.expires for key, entry in _read(path).items()} if path.exists() else {}
    except InputError:  # damaged: to be written again
        dates = {}
    known = Counter(_key(finding, path.parent) for finding in result.findings)
    entries = [Entry(*key, count, dates.get(key, expires)) for key, count in sorted(known.items())]
    lines = ",\n".join(json.dumps(entry.as_json(), ensure_ascii=True) for entry in entries)
    write_bytes(path, f'{{"schema": "{SCHEMA}", "findings": [\n{lines}\n]}}\n'.encode())
    return len(result.findings)


def without_known(result: CheckResult, path: Path, today: date) -> Compared:
    """Return a check without the findings of a baseline; an entry past its date leaves nothing out.

    An entry is unused where less was found than it promises, of a rule and a file that were looked at, or where
    its file is gone. Raises InputError when the baseline is missing, damaged or of another version.
    """
    entries = _read(path)
    left = {key: entry.count for key, entry in entries.items() if not _is_over(entry, today)}
    shown, expired = [], {}
    for finding in result.findings:
        key = _key(finding, path.parent)
        if left.get(key):
            left[key] -= 1
            continue
        shown.append(finding)
        if key in entries and key not in left:
            expired[key] = entries[key]
    unused = [entries[key] for key, count in left.items() if count]
    unused += [entry for key, entry in entries.items() if key not in left and key not in expired]
    return Compared(
        replace(result, findings=tuple(shown)),
        len(result.findings) - len(shown),
        tuple(expired.values()),
        tuple(_looked_at(unused, result, path.parent)),
    )


def _is_over(entry: Entry, today: date) -> bool:
    return entry.expires is not None and entry.expires < today


def _looked_at(entries: Iterable[Entry], result: CheckResult, folder: Path) -> Iterable[Entry]:
    rules = {rule.id for rule in result.rules}
    files = {_relative(file.path, folder) for file in result.files}
    for entry in entries:
        if (entry.rule in rules and entry.path in files) or not (folder / entry.path).exists():
            yield entry


def _read(path: Path) -> Mapping[_Key, Entry]:
    content = read_json(path)
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        found = f"is of schema {schema!r}" if isinstance(schema, str) else "is no baseline"
        raise InputError(f"{path} {found}, and {SCHEMA} is read here: write it again with --write-baseline")
    entries: dict[_Key, Entry] = {}
    try:
        for item in content["findings"]:
            entry = _entry(item)
            other = entries.get(entry.key)
            entries[entry.key] = _smaller(entry, other) if other else entry
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged ({error}): mend it, or write it again with --write-baseline"
        ) from error
    return entries


def _entry(item: Any) -> Entry:
    key = _Key(item["rule"], item["path"], item["row_id"], item["json_path"])
    count, expires = item["count"], item.get("expires")
    if not all(isinstance(text, str) for text in key) or type(count) is not int or count < 1:
        raise ValueError("an entry names rule, path, row_id and json_path, and a count from 1")
    return Entry(*key, count, None if expires is None else date.fromisoformat(expires))


def _smaller(one: Entry, other: Entry) -> Entry:
    dates = [entry.expires for entry in (one, other) if entry.expires]
    return replace(one, count=max(one.count, other.count), expires=min(dates, default=None))


def _key(finding: Finding, folder: Path) -> _Key:
    return _Key(finding.rule, _relative(finding.path, folder), *finding.subject)


def _relative(path: str, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
