"""`tunegate train`: tune a model on the screened data of a run."""

from __future__ import annotations

from pathlib import Path

import click

from tunegate.cli.common import config_option, find_run, load_configuration, say


@click.command(name="train")
@click.argument("run", required=False, type=click.Path(path_type=Path, readable=False))
@config_option
@click.option("--dry-run", is_flag=True, help="Say what would be trained, and how much, before anything is spent.")
def command(run: Path | None, config_path: Path | None, dry_run: bool) -> None:
    """Tune the model of [train] on the data of RUN (default: the newest run).

    The data must have been prepared and screened. A training that was interrupted goes on at its last
    checkpoint when the same command is started again.

    \b
    Examples:
      tunegate train                      the newest run below runs/
      tunegate train runs/support --dry-run
    """
    from tunegate.cli import stages

    configuration = load_configuration(config_path)
    found = find_run(run, configuration)
    if dry_run:
        for line in stages.dry_run(found, configuration):
            click.echo(line)
        return
    with stages.holding(found):
        made = stages.train(found, configuration)
    rows, best = made["rows"], made["best"]
    click.echo(
        f"trained {rows['used']} rows, {made['tokens']['trained']} tokens, {made['steps']} steps: "
        f"{found.path('model')}"
    )
    if best.get("validation_loss") is not None:
        say(f"kept epoch {best['epoch']}: validation loss {best['validation_loss']:.4f}")
