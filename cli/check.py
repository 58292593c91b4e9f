"""`tunegate check`: every fault of chat files, in any of several forms, with repairs, a diff and a baseline."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
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
from tunegate.cli.check_settings import configuration_at, settings_of_call
from tunegate.cli.check_sources import inferred_from_names, sources_of
from tunegate.cli.common import config_option, progress, say
from tunegate.core.errors import ExitCode, UsageError, worst
from tunegate.dataqa.formats import FORMATS

if TYPE_CHECKING:
    from datetime import datetime

    from tunegate.dataqa.check import CheckSettings, DataFile
    from tunegate.dataqa.row import Split

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
    configuration = configuration_at(config_path)
    settings = settings_of_call(
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
        named = inferred_from_names(files)
    refused = False
    with contextlib.ExitStack() as stack:
        sources = sources_of(named, configuration, stack)
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
