"""How `tunegate check` tells its result: on standard output, in files beside it, without what a baseline knows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunegate.cli.common import say
from tunegate.core.errors import UsageError
from tunegate.dataqa.formats import FORMATS, format_named

if TYPE_CHECKING:
    from tunegate.dataqa.baseline import Entry
    from tunegate.dataqa.check import DataFile
    from tunegate.dataqa.check_result import CheckResult
    from tunegate.dataqa.output import Look, Paint

COLOURS = {"error": "red", "warning": "yellow", "info": "blue", "fix": "green"}


def summarise(result: CheckResult) -> None:
    """Say the summary on standard error: standard output holds the diff."""
    from tunegate.dataqa.output_text import summary

    for line in summary(result):
        say(line)


def form_and_file(option: str) -> tuple[str, Path]:
    """Take `FORM=FILE` apart."""
    form, sign, file = option.partition("=")
    if form not in FORMATS or not sign or not file:
        raise UsageError(
            f"--save {option}: name a form and a file, as in --save sarif=check.sarif; forms are "
            + ", ".join(FORMATS)
        )
    return form, Path(file)


def refuse_data(files: Iterable[Path], sources: Iterable[DataFile]) -> None:
    """Raise UsageError where a result would be written over the data that it is about."""
    for file in files:
        if file.exists() and any(source.path.exists() and file.samefile(source.path) for source in sources):
            raise UsageError(f"the result would write over {file}, which is checked: name another file")


def print_result(result: CheckResult, form: str, look: Look) -> None:
    """Print the result: text line by line for a person, other forms as UTF-8 whatever the terminal takes."""
    if form != "text":
        for piece in _pieces(result, form, look):
            click.echo(piece, nl=False)
        return
    from tunegate.dataqa.output_text import lines

    for line in lines(result, replace(look, paint=_paint())):
        click.echo(line)


def save_result(result: CheckResult, form: str, look: Look, file: Path) -> None:
    """Write the result to a file in a form, whole or not at all."""
    from tunegate.core.files import replacing

    with replacing(file) as stream:
        stream.writelines(_pieces(result, form, look))


# As much of a result as is written at once: it may be larger than memory, and a call for every line takes long.
PIECE = 1 << 20


def _pieces(result: CheckResult, form: str, look: Look) -> Iterator[bytes]:
    """Give the result in a form, as UTF-8."""
    waiting, size = list[str](), 0
    for line in format_named(form)(result, look):
        waiting.append(f"{line}\n")
        size += len(line)
        if size >= PIECE:
            yield "".join(waiting).encode("utf-8", "replace")
            waiting, size = [], 0
    yield "".join(waiting).encode("utf-8", "replace")


def look_from_here(bar: str) -> Look:
    """Return how the result is looked at: from the top of the repository, or from here where there is none."""
    from tunegate.core.findings import Severity
    from tunegate.dataqa.output import Look

    here = Path.cwd()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    return Look(top, Severity(bar))


def _paint() -> Paint:
    """Return how roles are coloured: not at all unless standard output is a terminal that wants it."""
    import os

    from tunegate.dataqa.output import plain

    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return plain
    return lambda text, role: click.style(text, fg=COLOURS.get(role), bold=role in ("path", "rule"))


def without_known_ones(result: CheckResult, baseline: Path) -> CheckResult:
    """Leave out what a baseline knows, and say what of it no longer holds."""
    from datetime import date

    from tunegate.dataqa.baseline import without_known

    compared = without_known(result, baseline, date.today())  # the day where the user is
    say(f"left out {compared.left_out} findings that {baseline} knows")
    if compared.expired:
        say(f"{baseline}: past the date, and shown again: {_some(compared.expired)}")
    if compared.unused:
        say(
            f"{baseline}: no longer found: {_some(compared.unused)}. Write it again: the same call, with "
            f"--write-baseline {baseline} in the place of --baseline"
        )
    return compared.result


def _some(entries: Sequence[Entry]) -> str:
    """Count entries and name the first ones."""
    from tunegate.dataqa.showing import printable

    named = ", ".join(f"{entry.rule} in {printable(entry.path)}" for entry in entries[:3])
    more = ", ..." if len(entries) > 3 else ""
    return f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'} ({named}{more})"
