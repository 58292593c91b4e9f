"""`tunegate report`: a saved run as one HTML page, or its verdict as Markdown."""

from __future__ import annotations

from pathlib import Path

import click

from tunegate.cli.common import config_option, find_run, load_configuration


@click.command(name="report")
@click.argument("run", required=False, type=click.Path(path_type=Path, readable=False))
@click.option("--out", type=click.Path(path_type=Path, readable=False, dir_okay=False), help="File to write.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "markdown"]),
    default="html",
    show_default=True,
    help="A whole page, or the verdict for a step summary or a comment.",
)
@config_option
def command(run: Path | None, out: Path | None, form: str, config_path: Path | None) -> None:
    """Write RUN (default: the newest run) as one self-contained page, report.html in the run folder.

    The page is made from the saved run alone: neither data nor model is needed, and nothing is fetched, then or
    when it is read. Markdown goes to standard output unless --out is given.

    \b
    Examples:
      tunegate report
      tunegate report runs/support --out page.html
      tunegate report --format markdown >> "$GITHUB_STEP_SUMMARY"
    """
    from tunegate.core.files import write_bytes
    from tunegate.reports.sources import load

    found = find_run(run, load_configuration(config_path))
    sources = load(found)
    if form == "markdown":
        from tunegate.reports import markdown

        text = markdown.render(*sources)
        if out is None:
            click.echo(text, nl=False)
            return
    else:
        from tunegate.reports import html

        text = html.render(*sources)
    target = out or found.path("report.html")
    write_bytes(target, text.encode())
    click.echo(f"written: {target}")
