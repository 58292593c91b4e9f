"""What commands share: options, the configuration, progress bars, and where runs are."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tunegate.core.errors import InputError, UsageError
from tunegate.core.files import explain_os_error
from tunegate.core.progress import Advance
from tunegate.core.runs import Run, holds_run, newest_run

if TYPE_CHECKING:
    from tunegate.core.configuration import Configuration, Data
    from tunegate.dataqa.tokens import Counter

Function = TypeVar("Function", bound=Callable[..., Any])

# Shorter work shows no bar: it would flicker and be gone.
SECONDS_BEFORE_PROGRESS = 1.0

DATA_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")

# What tunegate itself writes is no data.
OWN_FILES = ("safety.jsonl", "ledger.jsonl", "origins.jsonl")


def config_option(function: Function) -> Function:
    """Add `--config FILE`."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, readable=False, dir_okay=False),
        help="Configuration file  [default: tunegate.toml here or above].",
    )(function)


def load_configuration(path: Path | None) -> Configuration:
    """Load the configuration; pydantic is imported only here."""
    from tunegate.core.configuration import load

    return load(path)


def data_files(named: Sequence[Path], configuration: Configuration | None) -> list[Path]:
    """Return the files named on the command line, or those of `[data].files`; globs and folders stand for files.

    Raises UsageError when nothing is named, InputError when a pattern or a folder holds no file.
    """
    if named:
        patterns = [(str(path), Path()) for path in named]
    else:
        patterns = [(name, configuration.folder) for name in configuration.data.files] if configuration else []
    if not patterns:
        raise UsageError("no file is named: give FILE..., or set files = [...] under [data] in tunegate.toml")
    found: list[Path] = []
    for pattern, folder in patterns:
        path = folder / pattern
        if path.is_dir():
            found += files_below(path)
        elif any(sign in pattern for sign in "*?[") and not path.exists():
            found += _matching(pattern, path)
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _matching(pattern: str, path: Path) -> list[Path]:
    import glob

    matches = [Path(match) for match in glob.glob(str(path), recursive=True)]  # noqa: PTH207
    found = sorted(match for match in matches if not match.is_dir())
    if not found:
        raise InputError(f"no file matches {pattern!r}: check the pattern and the folder")
    return found


def files_below(folder: Path) -> list[Path]:
    """Return the chat files in a folder and below it, sorted; of a run folder those of its data.

    Hidden files and folders, runs, and what tunegate itself writes are left out. Raises InputError when there is
    none, or when a folder cannot be read.
    """
    top = folder / "data" if holds_run(folder) else folder
    found: list[Path] = []
    for here, folders, names in os.walk(top, onerror=_unreadable):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name != "runs" and not holds_run(Path(here, name))
        ]
        found += [
            Path(here, name)
            for name in names
            if name.endswith(DATA_SUFFIXES) and not name.startswith(".") and name not in OWN_FILES
        ]
    if not found:
        raise InputError(
            f"no {', '.join(DATA_SUFFIXES)} file is in {folder} or below it: name files, or another folder"
        )
    return sorted(found)


def _unreadable(error: OSError) -> None:
    raise explain_os_error(error, error.filename, "read")


def runs_folder(configuration: Configuration) -> Path:
    """Return the folder of runs: `runs` beside the configuration."""
    return configuration.folder / "runs"


def find_run(folder: Path | None, configuration: Configuration) -> Run:
    """Return the named run, or the newest one. Raises InputError when there is none."""
    return newest_run(runs_folder(configuration)) if folder is None else run_in(folder)


def run_in(folder: Path) -> Run:
    """Return the run of a folder. Raises InputError when there is no such folder."""
    if not folder.is_dir():
        raise InputError(f"there is no run folder {folder}: check the path, or make it with `tunegate run`")
    return Run(folder)


def data_of_rules(configuration: Configuration) -> Data:
    """Return the `[data]` table for the rules: benchmark files are found from the configuration's folder."""
    found = tuple(str(configuration.folder / name) for name in configuration.data.benchmarks)
    return configuration.data.model_copy(update={"benchmarks": found})


def token_counting(configuration: Configuration | None) -> Callable[[], Counter] | None:
    """Return what makes the counter for a check: of the model that is tuned where it is on this machine.

    None stands for an estimate: without a configuration, where it asks for one, or without the model.
    """
    if configuration is None or configuration.data.tokens.tokenizer != "model":
        return None
    from tunegate.core.errors import TunegateError
    from tunegate.finetune.catalog import resolve

    try:
        model = resolve(configuration.train.model, relative_to=configuration.folder)
    except (TunegateError, OSError):  # not fetched yet, or not to be read: an estimate says more than nothing
        return None

    def make() -> Counter:
        from tunegate.dataqa.tokens import Estimate, ModelCounter

        try:
            return ModelCounter(model)
        except (TunegateError, OSError):  # packages are missing, or a file of the model may not be read
            return Estimate()

    return make


@contextlib.contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Show on standard error how far work is: a bar once it takes a while, without a terminal a line a minute."""
    import sys

    if not sys.stderr.isatty():
        from tunegate.cli.plain_progress import PlainProgress

        yield PlainProgress(title, say)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(title, total=None)
    started = time.monotonic()
    shown = False

    def advance(done: int, total: int, what: str = "") -> None:
        nonlocal shown
        if not shown and time.monotonic() - started > SECONDS_BEFORE_PROGRESS:
            bar.start()
            shown = True
        bar.update(task, completed=done, total=total, description=f"{title} {what}".rstrip())

    try:
        yield advance
    finally:
        if shown:
            bar.stop()


def say(message: str) -> None:
    """Print a message for the person at the terminal, to standard error."""
    click.echo(message, err=True)
