"""`tunegate init`: a configuration, a commit hook and a CI job for this repository."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import click

from tunegate.cli.common import OWN_FILES, say
from tunegate.core.errors import UsageError
from tunegate.core.files import write_bytes
from tunegate.core.version import VERSION

# template: where it goes
TARGETS = {
    "tunegate.toml": "tunegate.toml",
    "pre-commit.yaml": ".pre-commit-config.yaml",
    "github.yml": ".github/workflows/tunegate.yml",
}


@click.command(name="init")
@click.argument("folder", default=".", type=click.Path(path_type=Path, readable=False, file_okay=False))
@click.option("--force", is_flag=True, help="Replace files that are there already.")
def command(folder: Path, force: bool) -> None:
    """Write tunegate.toml, .pre-commit-config.yaml and a GitHub workflow into FOLDER (default: here).

    The configuration names the .jsonl files that it finds. A file that exists is left alone and said,
    unless --force is given.

    \b
    Examples:
      tunegate init
      tunegate init my-dataset
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: make it first")
    found = jsonl_files(folder)
    by_role = {Path(name).stem: name for name in reversed(found)}
    held_out = [
        f"{split} = {json.dumps(by_role[split])}\n" for split in ("validation", "test") if split in by_role
    ]
    patterns = [name for name in found if Path(name).stem not in ("validation", "test")]
    values = {
        "@FILES@": ", ".join(map(json.dumps, patterns or ["chats.jsonl"])),
        "@HELD_OUT@\n": "".join(held_out),
        "@NAME@": "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in folder.resolve().name)
        or "tuned",
        "@VERSION@": VERSION,
    }
    for template, name in TARGETS.items():
        target = folder / name
        if target.exists() and not force:
            say(f"kept {target}: it exists (--force replaces it)")
            continue
        text = resources.files("tunegate.cli").joinpath("templates", template).read_text(encoding="utf-8")
        for mark, value in values.items():
            text = text.replace(mark, value)
        write_bytes(target, text.encode())
        click.echo(f"wrote {target}")
    if not found:
        say("no .jsonl file was found: set files under [data] in tunegate.toml")


def jsonl_files(folder: Path) -> list[str]:
    """Return the .jsonl files, two levels deep at most; hidden ones, runs and what tunegate writes aside."""
    found = {
        path.relative_to(folder).as_posix()
        for path in [*folder.glob("*.jsonl"), *folder.glob("*/*.jsonl")]
        if path.name not in OWN_FILES and not path.relative_to(folder).as_posix().startswith((".", "runs/"))
    }
    return sorted(found)
