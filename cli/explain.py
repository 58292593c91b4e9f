"""`tunegate explain`: what a rule means, or what happened to a row of a run and why."""

from __future__ import annotations

from pathlib import Path

import click

from tunegate.core.errors import UsageError


@click.command(name="explain")
@click.argument("what", metavar="RULE|RUN")
@click.argument("row", required=False)
@click.option(
    "--plugin", "plugins", multiple=True, metavar="NAME", help="Know the rules of an installed package too."
)
def command(what: str, row: str | None, plugins: tuple[str, ...]) -> None:
    """Say what RULE means, with a bad and a good example, or what happened to ROW of RUN.

    RULE is an id such as CHAT012, or a family such as CHAT, which is listed. RUN is a run folder, and ROW a row id
    or `path:line`, as findings and the ledger name it.

    \b
    Examples:
      tunegate explain CHAT012
      tunegate explain PII
      tunegate explain runs/support chats.jsonl:17
    """
    if row is None:
        _explain_rule(what, plugins)
    else:
        _tell_story(what, row)


def _explain_rule(name: str, plugins: tuple[str, ...]) -> None:
    from tunegate.dataqa.catalog import FAMILIES, RULES, family_of, rule_named
    from tunegate.dataqa.choice import with_plugins
    from tunegate.dataqa.rule_text import explain, severities

    if Path(name).is_dir() and name.upper() not in FAMILIES:
        raise UsageError(
            f"{name} is a folder: name a row of that run too, by its id or its place, as in "
            f"`tunegate explain {name} chats.jsonl:17`"
        )
    family = name.upper()
    if family in FAMILIES:
        click.echo(f"{family}: {FAMILIES[family]}")
        for rule in RULES:
            if family_of(rule.id) == family:
                click.echo(f"  {rule.id}  {rule.title} ({severities(rule)})")
        return
    for line in explain(rule_named(name, with_plugins(plugins))):
        click.echo(line)


def _tell_story(folder: str, row: str) -> None:
    from tunegate.cli.common import run_in
    from tunegate.dataqa.story import story

    click.echo(story(run_in(Path(folder)), row))
