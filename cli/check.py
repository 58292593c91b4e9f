"""`tunegate check`: every fault of chat files, in any of several forms, with repairs, a diff and a baseline."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunegate.cli.check_output import (
    form_and_file,
    look_from_here,
    print_result,
    refuse_data,
    save_result,
    summarise,
    without_known_ones,
)
from tunegate.cli.common import config_option, data_files, data_of_rules, progress, say, token_counting
from tunegate.core.errors import ExitCode, UsageError, worst
from tunegate.dataqa.formats import FORMATS

if TYPE_CHECKING:
    from datetime import datetime

    from tunegate.core.configuration import Configuration
    from tunegate.dataqa.check import CheckSettings, DataFile
    from tunegate.dataqa.row import Split

# How packed data begins, which has no name to be known by when it comes through a pipe.
PACKED = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}

LEVELS = ["error", "warning", "info", "off"]

_file = click.Path(path_type=Path, readable=False, allow_dash=True)


@click.command(name="check")
@click.argument("files", nargs=-1, type=_file)
@click.option("--train", multiple=True, type=_file, help="A training file of the set (as FILE).")
@click.option("--validation", multiple=True, type=_file, help="A validation file of the set.")
@click.option("--test", multiple=True, type=_file, help="A test file of the set.")
@click.option(
    "--target", help="Whose rules and limits hold: hf, azure-openai, azure-phi, openai, together, mistral."
)
@click.option(
    "--kind",
    type=click.Choice(["auto", "sft", "dpo", "rft"]),
    help="What the rows are: chats, preference pairs, or rows for reinforcement; auto looks at the first ones.",
)
@click.option("--select", multiple=True, metavar="RULES", help="Only these rules: ids or families, with commas.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Not these rules: ids or families, with commas.")
@click.option(
    "--severity", multiple=True, metavar="RULES=LEVEL", help="error, warning, info or off for these rules."
)
@click.option(
    "--plugin", "plugins", multiple=True, metavar="NAME", help="Ask the rules of an installed package too."
)
@click.option("--each", "each_file", is_flag=True, help="Each file by itself: no rule over the whole set.")
@click.option("--fix", "fixing", is_flag=True, help="Mend what can be mended safely, then say what is left.")
@click.option("--unsafe-fixes", is_flag=True, help="Mend also what needs a look afterwards.")
@click.option("--diff", "diffing", is_flag=True, help="Show what would be mended, and write nothing.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, readable=False),
    help="Leave out the findings that this file knows.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path, readable=False),
    help="Write the findings as known, and pass.",
)
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="With --write-baseline: the last day on which new entries are left out.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Processes that share the work  [default: all cores when the files are large].",
)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option(
    "--save",
    multiple=True,
    metavar="FORM=FILE",
    help="Write the result in another form too, such as --save sarif=check.sarif.",
)
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
    kind: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    severity: tuple[str, ...],
    plugins: tuple[str, ...],
    each_file: bool,
    fixing: bool,
    unsafe_fixes: bool,
    diffing: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    expires: datetime | None,
    jobs: int,
    form: str,
    save: tuple[str, ...],
    fail_at: str,
    config_path: Path | None,
) -> int:
    """Find every fault of FILE... (default: the files of [data]) in one pass.

    All files are checked as one set, so that duplicates and leakage between them are found too; files that are
    called train.jsonl, validation.jsonl (val, valid, dev) and test.jsonl are the splits of that name. A folder
    stands for the .jsonl, .jsonl.gz and .jsonl.zst files below it, hidden ones and runs left out; `-` is standard
    input; what is packed is unpacked. Ends with 1 when there are findings at or above the bar, with 4 when a file
    cannot be read.

    \b
    Examples:
      tunegate check chats.jsonl
      tunegate check --train train.jsonl --validation validation.jsonl --target azure-openai
      tunegate check chats.jsonl --diff          what --fix would do
      tunegate check chats.jsonl --select CHAT,TOOL --format json
      tunegate check chats.jsonl --save sarif=check.sarif --save markdown=check.md
    """
    from tunegate.core.findings import Severity
    from tunegate.dataqa.baseline import write_baseline as write
    from tunegate.dataqa.check import check
    from tunegate.dataqa.showing import printable

    if diffing and form != "text":
        raise UsageError(f"--diff prints a diff and no {form}: leave one of them out")
    last_day = _last_day(expires, write_baseline)
    saved = [form_and_file(each) for each in save]
    configuration = _configuration(config_path)
    settings = _settings(
        configuration,
        target=target,
        kind=kind,
        select=select,
        ignore=ignore,
        severity=severity,
        plugins=plugins,
        over_set=not each_file,
        jobs=jobs,
    )
    named: dict[Split, list[Path]] = {
        "train": [*files, *train],
        "validation": list(validation),
        "test": list(test),
    }
    if files and not (train or validation or test or each_file):
        named = _inferred(files)
    refused = False
    with contextlib.ExitStack() as stack:
        sources = _sources(named, configuration, stack)
        written = [write_baseline] if write_baseline else []
        refuse_data([*(file for _, file in saved), *written], sources)
        with progress("check") as advance:
            result = check(sources, settings, advance)
        fixes = {"safe", "unsafe"} if unsafe_fixes else {"safe"}
        places = {finding.path for finding in result.findings if finding.fix in fixes}
        mendable = [source for source in sources if source.shown in places]
        if diffing:
            _show_diff(mendable, settings, unsafe_fixes)
        elif mendable and (fixing or unsafe_fixes):
            refused = _mend(mendable, settings, unsafe_fixes)
            result = check(sources, settings)
    for problem in result.problems:
        say(f"tunegate: {printable(str(problem))}")
    unreadable = ExitCode.INPUT if result.problems or refused else ExitCode.OK
    if write_baseline:
        if result.problems:
            say(f"{write_baseline} is not written: what a file that cannot be read holds is not known")
            return unreadable
        known = write(write_baseline, result, last_day)
        say(f"wrote {known} findings as known to {write_baseline}")
        return unreadable
    if baseline:
        result = without_known_ones(result, baseline)
    look = look_from_here(fail_at)
    for other, file in saved:
        save_result(result, other, look, file)
    if diffing:
        summarise(result)
    else:
        print_result(result, form, look)
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
    configuration: Configuration | None,
    *,
    target: str | None,
    kind: str | None,
    select: Sequence[str],
    ignore: Sequence[str],
    severity: Sequence[str],
    plugins: Sequence[str],
    over_set: bool,
    jobs: int,
) -> CheckSettings:
    """Return the settings of the file, with those of the command line in their place."""
    from tunegate.dataqa.check import settings_of
    from tunegate.dataqa.settings import DEFAULTS, without_configuration

    if configuration is None:
        settings = settings_of(without_configuration(target or DEFAULTS.target))
    else:
        data, folder = data_of_rules(configuration), configuration.folder
        settings = settings_of(data, token_counting(configuration), folder)
        if "epochs" in configuration.train.model_fields_set:
            settings = replace(settings, epochs=configuration.train.epochs)
    return replace(
        settings,
        target=target or settings.target,
        kind=kind or settings.kind,
        select=_names(select) or settings.select,
        ignore=_names(ignore) or settings.ignore,
        severity=_levels(severity),
        plugins=(*settings.plugins, *plugins),
        over_set=over_set,
        jobs=jobs,
    )


def _last_day(expires: datetime | None, write_baseline: Path | None) -> date | None:
    """Return the last day of new entries of a baseline, which is one to come."""
    if expires is None:
        return None
    if write_baseline is None:
        raise UsageError("--expires says until when entries of --write-baseline hold: name that too")
    if expires.date() < date.today():  # the day where the user is
        raise UsageError(
            f"--expires {expires:%Y-%m-%d} is over, and nothing would be left out: name a day to come"
        )
    return expires.date()


def _levels(options: Sequence[str]) -> dict[str, str]:
    """Take `RULES=LEVEL` apart."""
    from tunegate.core.errors import nearest

    levels = {}
    for option in options:
        names, _, level = option.partition("=")
        if "," in level:
            first, *others = level.split(",")
            raise UsageError(
                f"--severity {option}: one level an option, so repeat it: --severity {names}={first} "
                + " ".join(f"--severity {other or 'RULES=LEVEL'}" for other in others)
            )
        if level not in LEVELS:
            raise UsageError(f"--severity {option}: {level!r} is no level: {nearest(level, LEVELS)}")
        levels.update(dict.fromkeys(names.split(","), level))
    return levels


def _names(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for option in options for name in option.split(","))


def _inferred(files: Sequence[Path]) -> dict[Split, list[Path]]:
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


def _show_diff(sources: Sequence[DataFile], settings: CheckSettings, unsafe: bool) -> None:
    from tunegate.dataqa.fix import diff

    for source in sources:
        for line in diff(source, settings, unsafe):
            click.echo(line)


def _mend(sources: Sequence[DataFile], settings: CheckSettings, unsafe: bool) -> bool:
    """Mend the files in their place, say what was done, and return whether one must not be written."""
    from tunegate.dataqa.fix import fix

    refused = False
    for source in sources:
        if source.name:
            raise UsageError(f"{source.name} cannot be mended in its place: save it to a file, or use --diff")
        fixed = fix(source, settings, unsafe)
        if fixed.refused:
            say(f"{fixed.path} is not mended: {fixed.refused}")
            refused = True
        elif fixed.skipped:
            say(f"{fixed.path} is left as it is: {fixed.skipped}")
        elif fixed.applied:
            counts = ", ".join(f"{rule} {count}" for rule, count in fixed.applied.items())
            say(f"mended {fixed.path}: {counts}")
    return refused
