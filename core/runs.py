"""Run folders: stages that are done once, remember what they were made from, and give sections of the result.

A stage is known by a key: the SHA-256 of its inputs, its settings and the code behind it. What it wrote is
recorded only after all of it is on the disk, so a killed run starts again at the stage that was cut off, and
a stage whose key and files are unchanged is not done again.

    runs/support/
    ├── data/ model/ ledger.jsonl ...   what design and users see
    ├── result.json                     all sections together
    ├── timing.json                     clock times and the like: all that may differ between equal runs
    └── .stages/<name>.json             key, files with digests, section
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tunegate.core.errors import InputError
from tunegate.core.files import read_json, sha256_file, sha256_json, write_json
from tunegate.core.version import VERSION

RESULT_SCHEMA = "tunegate.result/1"


@cache
def code_digest(*folders: str) -> str:
    """Return a digest of the source of our own folders, so that changed code makes its stages anew."""
    top = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(VERSION.encode())
    for folder in sorted(folders):
        for path in sorted((top / folder).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def stage_key(inputs: Mapping[str, str], settings: Any, *folders: str) -> str:
    """Return the key of a stage: what it reads (name to SHA-256), its settings, and the code of `folders`."""
    return sha256_json({"inputs": dict(inputs), "settings": settings, "code": code_digest("core", *folders)})


@dataclass(frozen=True)
class Run:
    """One run folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The run's name: that of its folder."""
        return self.folder.resolve().name

    def path(self, *parts: str) -> Path:
        """Return a path inside the folder."""
        return self.folder.joinpath(*parts)

    def record(self, stage: str) -> dict[str, Any] | None:
        """Return what a stage recorded ({"key", "files", "section"}), or None when it never ended."""
        path = self.path(".stages", f"{stage}.json")
        return read_json(path) if path.exists() else None

    def section(self, stage: str) -> dict[str, Any]:
        """Return a stage's section of the result. Raises InputError when the stage was not done."""
        record = self.record(stage)
        if record is None:
            raise InputError(f"{self.folder} holds no {stage!r} stage: run `tunegate {stage}` first")
        section: dict[str, Any] = record["section"]
        return section

    def is_done(self, stage: str, key: str) -> bool:
        """Whether the stage was done with this key and every file that it wrote is still as it was."""
        record = self.record(stage)
        return record is not None and record["key"] == key and not self.changed_files(stage)

    def changed_files(self, stage: str) -> list[str]:
        """Return the stage's files that are missing or no longer have the digest that was recorded."""
        record = self.record(stage)
        if record is None:
            return []
        return [
            name
            for name, digest in record["files"].items()
            if not self.path(name).is_file() or sha256_file(self.path(name)) != digest
        ]

    def finish(
        self, stage: str, key: str, files: Iterable[Path], section: Mapping[str, Any], seconds: float
    ) -> None:
        """Record that a stage is done: its files are on the disk, and this is its section of the result."""
        digests = {path.relative_to(self.folder).as_posix(): sha256_file(path) for path in sorted(files)}
        write_json(self.path(".stages", f"{stage}.json"), {"key": key, "files": digests, "section": dict(section)})
        self.note_timing(stage, {"seconds": round(seconds, 3), "finished": _now()})

    def note_timing(self, stage: str, values: Mapping[str, Any]) -> None:
        """Put clock times, cost, cache hits and the like of a stage into `timing.json`."""
        path = self.path("timing.json")
        empty: dict[str, Any] = {"schema": "tunegate.timing/1", "stages": {}}
        timing: dict[str, Any] = read_json(path) if path.exists() else empty
        timing["stages"][stage] = {**timing["stages"].get(stage, {}), **values}
        write_json(path, timing)

    def result(self) -> dict[str, Any]:
        """Return `result.json`. Raises InputError when it is missing, damaged or of another schema."""
        path = self.path("result.json")
        if not path.exists():
            raise InputError(f"{path} does not exist: run `tunegate evaluate {self.folder}` first")
        result = read_json(path)
        if not isinstance(result, dict) or result.get("schema") != RESULT_SCHEMA:
            raise InputError(f"{path} is not a result of schema {RESULT_SCHEMA}: make it again with this version")
        return result


def holds_run(folder: Path) -> bool:
    """Whether a folder is that of a run, were it one that never got beyond its beginning."""
    return (folder / ".stages").is_dir()


def newest_run(folder: Path) -> Run:
    """Return the newest run below `folder` of which a stage was done. Raises InputError when there is none."""
    runs = [path for path in folder.glob("*") if holds_run(path) and any((path / ".stages").glob("*.json"))]
    if not runs:
        raise InputError(f"there is no run in {folder}: name one, or make one with `tunegate run`")
    return Run(max(runs, key=lambda path: (path / ".stages").stat().st_mtime))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
