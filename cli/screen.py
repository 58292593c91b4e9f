"""`tunegate screen`: judge prompts and completions of chat files, without a run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunegate.cli.common import config_option, data_files, find_run, load_configuration, progress, say
from tunegate.core.errors import ExitCode, InputError, UsageError, worst
from tunegate.core.runs import holds_run

if TYPE_CHECKING:
    from tunegate.core.configuration import Configuration

# More are only counted: all of them stand in the file.
_MOST_LISTED = 20


@click.command(name="screen")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, readable=False, dir_okay=False),
    default=Path("safety.jsonl"),
    show_default=True,
    help="Where the decision of every row is written; packed where it ends with .gz.",
)
@click.option(
    "--no-out", is_flag=True, help="Write no decisions, and only say what is blocked: for a commit hook."
)
@config_option
def command(files: tuple[Path, ...], out: Path, no_out: bool, config_path: Path | None) -> int:
    """Screen prompts and completions of FILE... (default: the files of [data]) for harm, or those of a run folder.

    Each message is judged for hate, self-harm, sexual content and violence, by the back-end and the thresholds of
    [safety]; a row is as bad as its worst message. Ends with 1 when a row is blocked, with 5 when one could not
    be judged. A folder stands for the chat files below it; of a run folder the prepared rows are screened, and
    blocked ones leave its data with an entry in the ledger.

    \b
    Examples:
      tunegate screen chats.jsonl
      tunegate screen train.jsonl test.jsonl --out harm.jsonl
      tunegate screen runs/support
    """
    configuration = load_configuration(config_path)
    if any(holds_run(path) for path in files):
        return _screen_run(files, configuration)
    paths = data_files(files, configuration)
    # The files of the configuration are known by the paths that stand there, from wherever they are screened.
    top = None if files else configuration.folder
    if no_out:
        with tempfile.TemporaryDirectory(prefix="tunegate-") as folder:
            return _screen_files(paths, Path(folder, "safety.jsonl"), configuration, top)
    ending = _screen_files(paths, out, configuration, top)
    say(f"decisions: {out}")
    return ending


def _screen_files(paths: list[Path], out: Path, configuration: Configuration, top: Path | None) -> int:
    from tunegate.safety.screen import BACKENDS, screen_file

    _refuse(paths, out)
    screener = BACKENDS[configuration.safety.backend](configuration.safety)
    block_at = configuration.safety.block_at.model_dump()
    with progress("screen") as advance:
        section = screen_file(paths, screener, block_at, out, advance, relative_to=top)
    for line in _summary(section, out, top or Path()):
        click.echo(line)
    return worst(
        ExitCode.PROVIDER if section["rows_error"] else ExitCode.OK,
        ExitCode.FAILED if section["rows_blocked"] else ExitCode.OK,
    )


def _screen_run(folders: tuple[Path, ...], configuration: Configuration) -> int:
    """Screen the prepared rows of a run. Blocked rows leave it, so that they are no failure here."""
    from tunegate.cli import stages

    if len(folders) > 1:
        raise UsageError("name files, or one run folder")
    run = find_run(folders[0], configuration)
    with stages.holding(run):
        section = stages.screen(run, configuration)
    click.echo(f"{section['rows']} rows screened, {section['rows_blocked']} blocked: {run.path('safety.jsonl')}")
    return ExitCode.OK


def _refuse(paths: list[Path], out: Path) -> None:
    """Raise when a file cannot be screened line by line, or would be overwritten by the decisions."""
    from tunegate.dataqa.reading import TO_LINES, inspect

    for path in paths:
        head = inspect(path)
        if head.form != "lines":
            raise InputError(f"cannot screen {path}: {TO_LINES[head.form]}")
        if head.encoding != "utf-8":
            raise InputError(
                f"{path} is in {head.encoding}: make UTF-8 of it with `tunegate prepare`, and screen that"
            )
        if out.exists() and out.samefile(path):
            raise UsageError(f"--out {out} is one of the files that are screened: name another file")


def _summary(section: Mapping[str, Any], out: Path, top: Path) -> Iterator[str]:
    from tunegate.core.jsonl import read_rows

    listed = 0
    for row in read_rows(out):
        if row["decision"] in ("block", "error"):
            listed += 1
            if listed <= _MOST_LISTED:
                yield _row(row, top)
    if listed > _MOST_LISTED:
        yield f"... and {listed - _MOST_LISTED} more rows"
    yield (
        f"{section['rows']} rows screened by {section['backend']}: {section['rows_blocked']} blocked, "
        f"{section['rows_flagged']} flagged, {section['rows_error']} could not be judged"
    )
    for side, counts in section["counts"].items():
        yield f"  {side + 's:':13}" + ", ".join(f"{count} {decision}" for decision, count in counts.items())
    blocked = {name: count for name, count in section["blocked_by"].items() if count}
    if blocked:
        yield "  blocked for: " + ", ".join(f"{name} ({count})" for name, count in blocked.items())
    yield section["note"]


def _row(row: Mapping[str, Any], top: Path) -> str:
    place = f"{top / row['path']}:{row['line']}: {row['decision']}"
    messages = ", ".join(
        f"messages[{where['message']}] ({where['side']})"
        for where in row["where"]
        if where["decision"] == row["decision"]
    )
    reasons = [row["reason"]] if row["reason"] else []
    reasons += [f"blocklist {name}" for name in row["blocklists"]]
    reasons += [f"{name} {_score(score)}" for name, score in row["categories"].items() if score["blocked"]]
    return f"{place}: {', '.join(reasons)}" + (f" in {messages}" if messages else "")


def _score(score: Mapping[str, Any]) -> str:
    if score["severity"] is not None:
        return f"severity {score['severity']}"
    return f"{score['probability']:.4f}"
