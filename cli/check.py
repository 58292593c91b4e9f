"""`tunegate check`: every fault of chat files, as text or JSON, with repairs, a diff and a baseline."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunegate.cli.common import config_option, data_files, data_of_rules, progress, say, token_counting
from tunegate.core.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from tunegate.core.configuration import Configuration
    from tunegate.dataqa.check import CheckSettings, DataFile
    from tunegate.dataqa.check_result import CheckResult
    from tunegate.dataqa.rule import Split

COLOURS = {"error": "red", "warning": "yellow", "info": "blue", "fix": "green"}

_file = click.Path(path_type=Path, allow_dash=True)


@click.command(name="check")
@click.argument("files", nargs=-1, type=_file)
@click.option("--train", multiple=True, type=_file, help="A training file of the set (as FILE).")
@click.option("--validation", multiple=True, type=_file, help="A validation file of the set.")
@click.option("--test", multiple=True, type=_file, help="A test file of the set.")
@click.option(
    "--target", help="Whose rules and limits hold: hf, azure-openai, azure-phi, openai, together, mistral."
)
@click.option("--select", multiple=True, metavar="RULES", help="Only these rules: ids or families, with commas.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Not these rules: ids or families, with commas.")
@click.option("--fix", "fixing", is_flag=True, help="Mend what can be mended safely, then say what is left.")
@click.option("--unsafe-fixes", is_flag=True, help="Mend also what needs a look afterwards.")
@click.option("--diff", "diffing", is_flag=True, help="Show what would be mended, and write nothing.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Leave out the findings that this file knows.")
@click.option("--write-baseline", type=click.Path(path_type=Path), help="Write the findings as known, and pass.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--fail-at",
    type=click.Choice(["error", "warning", "info"]),
    default="error",
    show_default=True,
    help="The least severity that ends with exit code 1.",
)
@config_option
def command(
    *,
    files: tuple[Path, ...],
    train: tuple[Path, ...],
    validation: tuple[Path, ...],
    test: tuple[Path, ...],
    target: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fixing: bool,
    unsafe_fixes: bool,
    diffing: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    form: str,
    fail_at: str,
    config_path: Path | None,
) -> int:
    """Find every fault of FILE... (default: the files of [data]) in one pass.

    All files are checked as one set, so that duplicates and leakage between them are found too. `-` is standard
    input. Ends with 1 when there are findings at or above the bar, with 4 when a file cannot be read.

    \b
    Examples:
      tunegate check chats.jsonl
      tunegate check --train train.jsonl --validation validation.jsonl --target azure-openai
      tunegate check chats.jsonl --diff          what --fix would do
      tunegate check chats.jsonl --select CHAT,TOOL --format json
    """
    from tunegate.core.findings import Severity
    from tunegate.dataqa.baseline import without_known
    from tunegate.dataqa.baseline import write_baseline as write
    from tunegate.dataqa.check import check
    from tunegate.dataqa.showing import printable

    if diffing and form != "text":
        raise UsageError(f"--diff prints a diff and no {form}: leave one of them out")
    configuration = _configuration(config_path)
    settings = _settings(configuration, target, select, ignore)
    named: dict[Split, list[Path]] = {
        "train": [*files, *train],
        "validation": list(validation),
        "test": list(test),
    }
    with contextlib.ExitStack() as stack:
        sources = _sources(named, configuration, stack)
        with progress("check") as advance:
            result = check(sources, settings, advance)
        fixes = {"safe", "unsafe"} if unsafe_fixes else {"safe"}
        places = {finding.path for finding in result.findings if finding.fix in fixes}
        mendable = [source for source in sources if source.shown in places]
        if diffing:
            _show_diff(mendable, settings, unsafe_fixes)
        elif (fixing or unsafe_fixes) and _mend(mendable, settings, unsafe_fixes):
            result = check(sources, settings)
    for problem in result.problems:
        say(f"tunegate: {printable(str(problem))}")
    unreadable = ExitCode.INPUT if result.problems else ExitCode.OK
    if write_baseline:
        say(f"wrote {write(write_baseline, result)} findings as known to {write_baseline}")
        return unreadable
    if baseline:
        known = len(result.findings)
        result = without_known(result, baseline)
        say(f"left out {known - len(result.findings)} findings that {baseline} knows")
    _print(result, form, diffing)
    return worst(unreadable, ExitCode.FAILED if result.fails_at(Severity(fail_at)) else ExitCode.OK)


def _configuration(path: Path | None) -> Configuration | None:
    """Return the configuration, or None where there is none: then pydantic is not even imported."""
    from tunegate.core.configuration_file import find

    path = path or find(Path())
    if path is None:
        return None
    from tunegate.cli.common import load_configuration

    return load_configuration(path)


def _settings(
    configuration: Configuration | None, target: str | None, select: Sequence[str], ignore: Sequence[str]
) -> CheckSettings:
    """Return the settings of the file, with those of the command line in their place."""
    from tunegate.dataqa.check import CheckSettings, settings_of

    settings = CheckSettings()
    if configuration:
        settings = settings_of(data_of_rules(configuration), token_counting(configuration))
    return replace(
        settings,
        target=target or settings.target,
        select=_names(select) or settings.select,
        ignore=_names(ignore) or settings.ignore,
    )


def _names(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for option in options for name in option.split(","))


def _sources(
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

    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tunegate-"))) / "input.jsonl"
    with copy.open("wb") as written:
        if str(path) == "-":
            shutil.copyfileobj(sys.stdin.buffer, written)
        else:
            with path.open("rb") as read:
                shutil.copyfileobj(read, written)
    return copy


def _show_diff(sources: Sequence[DataFile], settings: CheckSettings, unsafe: bool) -> None:
    from tunegate.dataqa.fix import diff

    for source in sources:
        for line in diff(source, settings, unsafe):
            click.echo(line)


def _mend(sources: Sequence[DataFile], settings: CheckSettings, unsafe: bool) -> bool:
    """Mend the files in their place, say what was done, and return whether anything was."""
    from tunegate.dataqa.fix import fix

    mended = False
    for source in sources:
        if source.name:
            raise UsageError(f"{source.name} cannot be mended in its place: save it to a file, or use --diff")
        fixed = fix(source, settings, unsafe)
        if fixed.skipped:
            say(f"{fixed.path} is left as it is: {fixed.skipped}")
        elif fixed.applied:
            counts = ", ".join(f"{rule} {count}" for rule, count in fixed.applied.items())
            say(f"mended {fixed.path}: {counts}")
            mended = True
    return mended


def _print(result: CheckResult, form: str, diffing: bool) -> None:
    from tunegate.dataqa import output_json, output_text

    if diffing:
        for line in output_text.summary(result):
            say(line)
    elif form == "json":
        for line in output_json.lines(result):
            click.echo(line)
    else:
        for line in output_text.lines(result, _paint()):
            click.echo(line)


def _paint() -> Callable[[str, str], str]:
    """Return how roles are coloured: not at all unless standard output is a terminal that wants it."""
    import os

    from tunegate.dataqa.output_text import plain

    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return plain
    return lambda text, role: click.style(text, fg=COLOURS.get(role), bold=role in ("path", "rule"))
