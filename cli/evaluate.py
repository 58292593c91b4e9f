"""`tunegate evaluate`: base against tuned, on the held-out rows of a run."""

from __future__ import annotations

from pathlib import Path

import click

from tunegate.cli.common import config_option, find_run, load_configuration


@click.command(name="evaluate")
@click.argument("run", required=False, type=click.Path(path_type=Path, readable=False))
@config_option
def command(run: Path | None, config_path: Path | None) -> None:
    """Measure base and tuned model of RUN (default: the newest run) on the same held-out rows.

    Writes samples.jsonl.gz and result.json. Answers that were recorded before an interruption are not asked again.

    \b
    Examples:
      tunegate evaluate
      tunegate evaluate runs/support
    """
    from tunegate.cli import stages

    configuration = load_configuration(config_path)
    found = find_run(run, configuration)
    with stages.holding(found):
        section = stages.evaluate(found, configuration)
    click.echo(metric_table(section))
    click.echo(f"written: {found.path('result.json')}")


def metric_table(section: dict[str, object]) -> str:
    """Return the metrics as aligned text: tuned, base, difference with its interval."""
    lines = [f"{'metric':<14} {'tuned':>9} {'base':>9}   difference"]
    metrics = section["metrics"]
    assert isinstance(metrics, list)
    for metric in metrics:
        base = (metric.get("baseline") or {}).get("value")
        delta = metric.get("delta") or {}
        difference = ""
        if delta.get("value") is not None:
            ci = delta.get("ci") or {}
            difference = f"{delta['value']:+.4f}"
            if ci.get("low") is not None:
                difference += f"  [{ci['low']:+.4f}, {ci['high']:+.4f}]"
        lines.append(f"{metric['id']:<14} {_number(metric['value'])} {_number(base)}   {difference}".rstrip())
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return f"{value:>9.4f}" if value is not None else f"{'-':>9}"
