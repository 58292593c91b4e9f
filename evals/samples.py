"""`samples.jsonl.gz`: one line for each held-out row, with what both models made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tunegate.core.files import sha256_file
from tunegate.core.jsonl import dumps, read_rows
from tunegate.core.packed import packing

ID_RULE = "first 16 hexadecimal digits of the SHA-256 of the canonical row; equal rows are told apart by line"


def write_samples(path: Path, samples: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Write the samples, whole or not at all, and return the `samples` section of the result.

    Equal samples give equal bytes.
    """
    rows, fields = 0, []
    with packing(path) as stream:
        for sample in samples:
            stream.write(dumps(sample) + b"\n")
            rows, fields = rows + 1, list(sample)
    return {"path": path.name, "sha256": sha256_file(path), "rows": rows, "id_rule": ID_RULE, "fields": fields}


def read_samples(path: Path) -> Iterator[dict[str, Any]]:
    """Give the samples of a run. Raises InputError when the file is missing or damaged."""
    return read_rows(path)
