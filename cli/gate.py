"""`tunegate gate`: the verdict on a run, by the policy, as words and an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tunegate.cli.common import config_option, find_run, load_configuration, say
from tunegate.core.errors import InputError

SYMBOLS = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE", "error": "ERROR", "waived": "WAIVED"}


@click.command(name="gate")
@click.argument("run", required=False, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--baseline",
    "baseline",
    type=click.Path(path_type=Path, readable=False),
    help="Another run that this one must not fall behind.",
)
@config_option
def command(run: Path | None, baseline: Path | None, config_path: Path | None) -> int:
    """Decide by the policy under [gate] whether RUN (default: the newest run) may be released.

    Ends with 0 for PASS, 1 for FAIL, 3 for INCONCLUSIVE (too little evidence), 4 when evidence is missing or
    does not belong together.

    \b
    Examples:
      tunegate gate
      tunegate gate runs/new --baseline runs/released
    """
    from tunegate.cli import stages

    configuration = load_configuration(config_path)
    found = find_run(run, configuration)
    other = find_run(baseline, configuration) if baseline else None
    result = stages.gate(found, configuration, other)
    if found.path("report.html").exists():
        try:  # the page never speaks of another verdict than result.json
            stages.report(found)
        except InputError as error:
            found.path("report.html").unlink()
            say(f"removed report.html, which no longer holds: {error}")
    click.echo(verdict_text(result))
    code: int = result["verdict"]["exit_code"]
    return code


def verdict_text(result: Mapping[str, Any]) -> str:
    """Return the verdict in words: the word first, then why, then every rule of the policy."""
    verdict = result["verdict"]
    lines = [f"{SYMBOLS[verdict['status']]}: {verdict['reasons'][0]}", ""]
    for check in result.get("checks", []):
        lines.append(f"  {SYMBOLS[check['verdict']]:<13} {check['message']}")
    return "\n".join(lines).rstrip()
