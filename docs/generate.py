"""Write the pages that are made from the code: rules/*.md, cli.md, configuration.md and targets.md in docs.

python docs/generate.py            write them
python docs/generate.py --check    say which are not what they should be, and end with 1
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import configuration_page
import targets_page

from tunegate.cli.main import tunegate
from tunegate.dataqa.catalog import FAMILIES, RULES, family_of
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.rule_text import FIXES, asked, example, severities

DOCS = Path(__file__).resolve().parent
WIDTH = 100
STAR = " \\*"
NOTE = "<!-- made by docs/generate.py: change the code and run `make docs` -->"


def pages() -> dict[Path, str]:
    """Return every generated page, by its path."""
    made = {
        DOCS / "rules" / "index.md": index(),
        DOCS / "cli.md": command_line(),
        DOCS / "configuration.md": "\n".join([NOTE, "", *configuration_page.page()]),
        DOCS / "targets.md": "\n".join([NOTE, "", *targets_page.page()]),
    }
    for family in FAMILIES:
        made[DOCS / "rules" / f"{family.lower()}.md"] = "\n".join(family_page(family))
    return made


def rules_of(family: str) -> list[Rule]:
    """Return the rules of a family, in the order of the catalogue."""
    return [rule for rule in RULES if family_of(rule.id) == family]


def index() -> str:
    """Return the page that lists all rules."""
    lines = [
        NOTE, "", "# Rules", "",
        "A rule has a stable id. `--select` and `--ignore` take ids and families, such as `CHAT` or `CHAT012`.",
        "A safe fix is made by `--fix`, an unsafe one only by `--unsafe-fixes`; no fix takes a row out, adds,",
        "converts or splits one: that is the work of `tunegate prepare`, which keeps a ledger. Rules marked \\*",
        "take seconds: they are asked only where they are selected, by id or by family.", "",
    ]  # fmt: skip
    for family, about in FAMILIES.items():
        lines += [f"## [{family}]({family.lower()}.md): {about}", "", "| rule | says | severity | fix |"]
        lines += ["|---|---|---|---|"]
        lines += [
            f"| [{rule.id}]({family.lower()}.md#{rule.id.lower()}){'' if rule.default else STAR} | "
            f"{cell(rule.title)} | "
            f"{severities(rule)} | {rule.fix or '-'} |"
            for rule in rules_of(family)
        ]
        lines.append("")
    return "\n".join(lines)


def family_page(family: str) -> Iterator[str]:
    """Give the lines of the page of one family."""
    yield from (NOTE, "", f"# {family}: {FAMILIES[family]}", "")
    for rule in rules_of(family):
        yield from (f"## {rule.id}", "", f"**{rule.title}.**", "")
        body = rule.text.partition("\n")[2].strip("\n")
        if body:
            yield from (body, "")
        yield from (f"Severity: {severities(rule)}. Fix: {FIXES[rule.fix]}.", "")
        if not rule.default:
            yield from (f"Asked {asked(rule)}.", "")
        yield from ("Bad:", "")
        yield from fenced(example(rule, rule.bad, 0))
        yield from ("", f"> {cell(rule.says)}", "", "Good:", "")
        yield from fenced(example(rule, rule.good, 1))
        yield ""


def fenced(lines: Iterator[str]) -> Iterator[str]:
    """Give the lines as a block of code; the fence is longer than any in an example."""
    yield "`````json"
    yield from lines
    yield "`````"


def cell(text: str) -> str:
    """Return a text that neither ends a cell of a table nor is taken for HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def command_line() -> str:
    """Return the page with the help of every command."""
    lines = [NOTE, "", "# Commands", ""]
    for name, command in commands("tunegate", tunegate):
        context = click.Context(command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
        lines += [f"## {name}", "", "```", command.get_help(context), "```", ""]
    return "\n".join(lines)


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Give a command and all below it, each with its whole name."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from commands(f"{name} {below}", found)


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them; return the exit code."""
    made = pages()
    stale = [path for path in (DOCS / "rules").glob("*.md") if path not in made]
    if "--check" in arguments:
        wrong = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
        for path in [*wrong, *stale]:
            click.echo(f"{path.relative_to(DOCS.parent)} is not what the code says: run `make docs`", err=True)
        return 1 if wrong or stale else 0
    for path in stale:
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
