"""The splits of files that are called `train.jsonl`, `dev.jsonl`, `test.jsonl`, where nobody says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunegate.dataqa.row import Split

NAMES: dict[str, Split] = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "test",
}


def inferred(paths: Sequence[Path]) -> dict[Path, Split]:
    """Return the splits of the files that are called so; none unless one is for training and one is held out.

    A file alone that is called `test.jsonl` is checked like any other.
    """
    found = {path: NAMES[name] for path in paths if (name := path.name.partition(".")[0].lower()) in NAMES}
    return found if "train" in found.values() and len(set(found.values())) > 1 else {}
