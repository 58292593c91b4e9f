"""`tunegate prepare`: clean, deduplicate, balance and split, with a ledger of every change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tunegate.cli.common import config_option, load_configuration, runs_folder, say

File = click.Path(path_type=Path, readable=False)


@click.command(name="prepare")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=File)
@click.option(
    "--out",
    type=click.Path(path_type=Path, readable=False, file_okay=False),
    help="Run folder to write  [default: runs/NAME beside the file].",
)
@click.option("--validation", type=File, help="Validation rows that exist already; else they are split off.")
@click.option("--test", type=File, help="Test rows that exist already; else they are split off.")
@config_option
def command(
    files: tuple[Path, ...], out: Path | None, validation: Path | None, test: Path | None, config_path: Path | None
) -> None:
    """Clean, deduplicate, balance and split FILE..., or the files of [data], into a run folder.

    Writes data/train.jsonl, data/validation.jsonl and data/test.jsonl, and ledger.jsonl with one line for each row
    that was dropped, edited or moved: rows in = rows out + dropped. A folder stands for the chat files below it.

    \b
    Examples:
      tunegate prepare chats.jsonl --out runs/first
      tunegate prepare                       the files of tunegate.toml
    """
    from tunegate.cli import stages
    from tunegate.core.runs import Run

    configuration = load_configuration(config_path)
    named = {
        key: str(path.resolve()) for key, path in (("validation", validation), ("test", test)) if path is not None
    }
    if named:
        data = configuration.data.model_copy(update=named)
        configuration = configuration.model_copy(update={"data": data})
    run = Run(out or runs_folder(configuration) / configuration.train.name)
    with stages.holding(run):
        section = stages.prepare(run, configuration, files)
    for line in summary(section):
        click.echo(line)
    for note in section["notes"]:
        say(f"note: {note}")


def summary(section: dict[str, Any]) -> list[str]:
    """Return a preparation in a few lines: rows in, out, dropped and edited by reason."""
    lines = [f"rows in   {section['rows_in']:>7,}"]
    if added := sum(section["added"].values()):
        lines.append(f"added     {added:>7,}  parts of chats that were cut")
    lines.append(f"rows out  {section['rows_out']:>7,}  {_splits(section['splits'])}")
    lines.append(f"dropped   {sum(section['dropped'].values()):>7,}  {_counts(section['dropped'])}".rstrip())
    lines.append(f"edits     {sum(section['edited'].values()):>7,}  {_counts(section['edited'])}".rstrip())
    tokens = section["token_lengths"]
    counted = "counted with" if tokens["exact"] else "estimated with"
    total = sum(split["tokens"]["total"] for split in section["splits"].values())
    lines.append(f"tokens    {total:>7,}  {counted} {tokens['tokenizer']}")
    return lines


def _splits(splits: dict[str, Any]) -> str:
    return ", ".join(f"{name} {split['rows']:,}" for name, split in splits.items() if split["rows"])


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
