"""`tunegate run`: everything that `tunegate.toml` says, from the files to the verdict."""

from __future__ import annotations

from pathlib import Path

import click

from tunegate.cli.common import load_configuration, runs_folder, say
from tunegate.core.errors import ExitCode, UsageError, worst
from tunegate.core.runs import Run


@click.command(name="run")
@click.argument("config", required=False, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path, readable=False, dir_okay=False), hidden=True
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, readable=False),
    help="Run folder  [default: runs/NAME beside the file].",
)
@click.option("--exit-zero", is_flag=True, help="End with 0 whatever the verdict is; errors still count.")
def command(config: Path | None, config_path: Path | None, out: Path | None, exit_zero: bool) -> int:
    """Check, prepare, screen, train, evaluate, decide and report, as CONFIG (default: tunegate.toml) says.

    A stage whose input, settings and code have not changed is not done again; after an interruption the same
    command goes on where it was cut off.

    \b
    Examples:
      tunegate run
      tunegate run examples/support/tunegate.toml
    """
    from tunegate.cli import stages
    from tunegate.cli.gate import verdict_text
    from tunegate.finetune.intact import look_over

    configuration = load_configuration(config or config_path)
    if configuration.path is None:
        raise UsageError("there is no tunegate.toml here or above: name one, or make one with `tunegate init`")
    if not configuration.gate.rules():
        # Said before the hour of training, not after it.
        raise UsageError(f"{configuration.path}: the policy is empty: name at least one rule under [gate]")
    model = stages.model_folder(configuration)
    look_over(model)  # hours later it would be found too
    stages.train_settings(configuration, model)
    run = Run(out or runs_folder(configuration) / configuration.train.name)
    with stages.holding(run):
        for name, stage in stages.PIPELINE.items():
            with stages.announced(run, name):
                stage(run, configuration)
        result = stages.gate(run, configuration)
        page = stages.report(run)
    for line in _notes(result):
        say(line)
    click.echo(verdict_text(result))
    click.echo(f"\nreport: {page}")
    code = ExitCode(result["verdict"]["exit_code"])
    if exit_zero and code in (ExitCode.FAILED, ExitCode.INCONCLUSIVE):
        return ExitCode.OK
    return worst(code)


def _notes(result: dict[str, object]) -> list[str]:
    policy = result.get("policy")
    if isinstance(policy, dict) and not policy.get("committed_before_run"):
        return ["note: the policy was not committed to git before the run"]
    return []
