"""`tunegate models`: which models can be tuned, and getting one into the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from tunegate.cli.common import progress, say

if TYPE_CHECKING:
    from tunegate.finetune.catalog import Model

SCHEMA = "tunegate.models/1"


@click.group(name="models", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the models that can be tuned, or fetch one.

    A folder, a GGUF file or a hub id can stand wherever a name can.

    \b
    Examples:
      tunegate models
      tunegate models fetch smollm2-135m
    """
    if context.invoked_subcommand is None:
        context.invoke(list_models)


@command.command(name="list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
def list_models(form: Literal["text", "json"] = "text") -> None:
    """List the models that are known by name, and which of them are on this machine."""
    from tunegate.finetune import catalog

    here = {name: catalog.place_of(name).is_dir() for name in catalog.MODELS}
    if form == "json":
        import json

        models = [_as_json(model, here[name]) for name, model in catalog.MODELS.items()]
        content = {"schema": SCHEMA, "cache": str(catalog.cache_folder()), "models": models}
        click.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    import shutil

    width = max(30, min(100, shutil.get_terminal_size().columns))
    for name, model in catalog.MODELS.items():
        click.echo(f"{name}  [on this machine]" if here[name] else name)
        for sentence in _sentences(model):
            click.echo(click.wrap_text(sentence, width, "  ", "  "))
    say(f"\nCache: {catalog.cache_folder()}")


def _sentences(model: Model) -> list[str]:
    size = f"{model.parameters:g}" if model.parameters < 1 else f"{model.parameters:,.0f}"
    facts = f"{size} million parameters, {model.context:,} tokens, template {model.template}, {model.licence}"
    sentences = [f"{model.title}: {model.note}", facts]
    if model.service:
        over = f", ended {model.retired.isoformat()}" if model.retired else ""
        instead = f": use {model.replacement}" if model.replacement else ""
        sentences.append(f"tuned as a service by {model.service}{over}{instead}")
    return sentences


def _as_json(model: Model, here: bool) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": model.title,
        "licence": model.licence,
        "parameters_millions": model.parameters,
        "context": model.context,
        "template": model.template,
        "lora": list(model.lora),
        "source": dict(model.source),
        "note": model.note,
        "service": model.service,
        "retired": model.retired.isoformat() if model.retired else None,
        "replacement": model.replacement,
        "on_this_machine": here,
    }


@command.command(name="fetch")
@click.argument("name")
def fetch(name: str) -> None:
    """Get the model NAME into the cache and print its folder; one that is there already is looked over.

    What is damaged is fetched again. NAME is a name from the list, a hub id, or a GGUF file, which is converted.
    Ends with 5 when the network does not answer, with 4 when what came is not what the catalogue names.
    """
    from tunegate.finetune import catalog

    with progress("fetch") as advance:
        folder = catalog.fetch(name, advance=advance, tell=say)
    click.echo(folder)
