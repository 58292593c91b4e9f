"""The files of a check: those named, their splits, and what comes through a pipe."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunegate.cli.common import data_files, say

if TYPE_CHECKING:
    from tunegate.core.configuration import Configuration
    from tunegate.dataqa.check import DataFile
    from tunegate.dataqa.row import Split

# How packed data begins, which has no name to be known by when it comes through a pipe.
PACKED = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}


def inferred_from_names(files: Sequence[Path]) -> dict[Split, list[Path]]:
    """Return the files by the splits that their names stand for, and say so; all are for training else."""
    from tunegate.dataqa.showing import printable
    from tunegate.dataqa.splits import inferred

    paths = data_files(files, None)
    splits = inferred(paths)
    if not splits:
        return {"train": paths}
    named: dict[Split, list[Path]] = {"train": [], "validation": [], "test": []}
    for path in paths:
        named[splits.get(path, "train")].append(path)
    told = "; ".join(f"{split}: {', '.join(map(str, paths))}" for split, paths in named.items() if paths)
    say(f"taken by their names as {printable(told)} (--train, --validation and --test say otherwise)")
    return named


def sources_of(
    named: Mapping[Split, list[Path]], configuration: Configuration | None, stack: contextlib.ExitStack
) -> list[DataFile]:
    """Return the files of the set: those named, else those of the configuration."""
    from tunegate.dataqa.check import DataFile

    if not any(named.values()):
        named = {"train": data_files([], configuration)}
        if configuration:
            for split in ("validation", "test"):
                if name := getattr(configuration.data, split):
                    named = {**named, split: [configuration.folder / name]}
        return [DataFile(path, split) for split, paths in named.items() for path in paths]
    sources = []
    for split, paths in named.items():
        for path in data_files(paths, None) if paths else []:
            if str(path) == "-" or path.is_fifo():
                sources.append(DataFile(_spooled(path, stack), split, str(path)))
            else:
                sources.append(DataFile(path, split))
    return sources


def _spooled(path: Path, stack: contextlib.ExitStack) -> Path:
    """Copy standard input or a pipe to a file: it is looked at more than once."""
    import shutil

    from tunegate.core.files import explain_os_error

    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tunegate-"))) / "input.jsonl"
    try:
        with copy.open("wb") as written:
            if str(path) == "-":
                shutil.copyfileobj(sys.stdin.buffer, written)
            else:
                with path.open("rb") as read:
                    shutil.copyfileobj(read, written)
    except OSError as error:
        raise explain_os_error(error, path, f"copy to {copy.parent} what comes from") from error
    with copy.open("rb") as stream:
        start = stream.read(4)
    ending = next((ending for magic, ending in PACKED.items() if start.startswith(magic)), "")
    return copy.rename(copy.with_name(copy.name + ending))
