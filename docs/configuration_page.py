"""The page of `tunegate.toml`, made from the models of `core/configuration.py` and what they say of their keys."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Iterator
from types import UnionType
from typing import Any, Union

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel

from tunegate.core import configuration

INTRODUCTION = """\
The file is `tunegate.toml` here or above, or the table `[tool.tunegate]` in `pyproject.toml`. Paths in it are
relative to its own folder; runs go to `runs/` beside it. Flags win over the file. An unknown key is refused with
the nearest valid name. Secrets are named by an environment variable, never stored.
"""

# Tables that may stand in the file more than once.
LISTS = ("data.paths",)

SIGNS = {Ge: ">=", Gt: ">", Le: "<=", Lt: "<"}


def page() -> Iterator[str]:
    """Give the lines of the page: one table for each table of the file."""
    yield from ("# Configuration", "", INTRODUCTION.strip(), "")
    for name, field in configuration.Configuration.model_fields.items():
        yield from table(name, model_of(field.annotation))


def table(name: str, model: type[BaseModel]) -> Iterator[str]:
    """Give the lines about one table, and about the tables in it."""
    explained = explanations(model)
    title = f"[[{name}]]" if name in LISTS else f"[{name}]"
    yield from (f"## `{title}`", "", inspect.cleandoc(model.__doc__ or ""), "")
    yield from ("| key | default | values | says |", "|---|---|---|---|")
    inner: dict[str, type[BaseModel]] = {}
    for key, field in model.model_fields.items():
        below = model_of(field.annotation)
        if below is not BaseModel:
            inner.setdefault(f"{name}.{key}" if below is not configuration.Rule else "gate.METRIC", below)
        has_none = field.default is None or field.default_factory is not None or below is not BaseModel
        default = "" if has_none or field.is_required() else f"`{shown(field.default)}`"
        limits = ", ".join(limit for item in field.metadata for limit in bounds(item))
        values = values_of(field.annotation)
        yield f"| `{key}` | {default} | {', '.join(filter(None, [values, limits]))} | {explained[key]} |"
    yield ""
    for path, below in inner.items():
        yield from table(path, below)


def explanations(model: type[BaseModel]) -> dict[str, str]:
    """Return the string below each field of a model and of the models that it extends."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base is BaseModel or not issubclass(base, BaseModel):
            continue
        body = ast.parse(inspect.getsource(base)).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
                found[field.target.id] = str(text.value.value) if is_text else ""  # type: ignore[attr-defined]
    return {key: found.get(key, "") for key in model.model_fields}


def model_of(annotation: Any) -> type[BaseModel]:
    """Return the model in an annotation; BaseModel where there is none."""
    for item in (annotation, *typing.get_args(annotation)):
        if isinstance(item, type) and issubclass(item, BaseModel):
            return item
    return BaseModel


def values_of(annotation: Any) -> str:
    """Say what a key may hold: the names that are valid, or the kind of value."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{item}`" for item in inner)
    if origin is typing.Annotated:
        return values_of(inner[0])
    if origin in (Union, UnionType):
        return ", ".join(values_of(item) for item in inner if item is not type(None))
    if origin is dict:
        return f"table of {values_of(inner[1])}"
    if origin is tuple:
        return f"list of {values_of(inner[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return {int: "whole number", float: "number", str: "text", bool: "`true`, `false`"}[annotation]


def bounds(item: Any) -> Iterator[str]:
    """Give what a constraint demands, such as ">= 1"."""
    for kind, sign in SIGNS.items():
        if isinstance(item, kind):
            yield f"{sign} {getattr(item, kind.__name__.lower()):g}"


def shown(value: Any) -> str:
    """Return a default as it is written in TOML."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
