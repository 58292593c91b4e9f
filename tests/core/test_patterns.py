from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tunegate.core.patterns import lazy_pattern

TOP = Path(__file__).resolve().parent.parent.parent


def test_a_pattern_serves_as_a_compiled_one() -> None:
    made, compiled = lazy_pattern(r"(\d)(\w)", re.ASCII), re.compile(r"(\d)(\w)", re.ASCII)
    text = "1a 2b 3c"
    assert made.findall(text) == compiled.findall(text)
    assert made.sub(r"\2\1", text) == compiled.sub(r"\2\1", text)
    assert [found.span() for found in made.finditer(text)] == [(0, 2), (3, 5), (6, 8)]
    assert made.pattern == compiled.pattern
    assert made.groups == 2
    assert lazy_pattern(rb"\d").search(b"a1") is not None


def test_nothing_is_compiled_before_it_is_used() -> None:
    broken = lazy_pattern("(")
    with pytest.raises(re.error):
        broken.search("")


def made_at_import(path: Path) -> list[ast.Call]:
    """Return the calls of `lazy_pattern` in a module."""
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "lazy_pattern"]


def test_the_modules_of_rules_compile_nothing_when_they_are_imported() -> None:
    """A check needs few of the patterns, and compiling them all takes longer than checking a hundred rows."""
    eager = [
        f"{path.name}:{node.lineno}"
        for path in sorted((TOP / "dataqa").glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        for call in ast.walk(node)
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and isinstance(call, ast.Call)
        and ast.unparse(call.func) == "re.compile"
    ]
    assert eager == []


@pytest.mark.parametrize("module", ["secrets", "personal", "phones", "identifiers", "shingles", "rules_turns"])
def test_every_pattern_compiles(module: str) -> None:
    import importlib

    loaded = importlib.import_module(f"tunegate.dataqa.{module}")
    assert made_at_import(TOP / "dataqa" / f"{module}.py")
    for value in vars(loaded).values():
        if type(value).__name__ == "_Waiting":
            assert value.groups >= 0
