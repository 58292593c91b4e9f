"""What the tests of rules share: asking every rule about chats and tools about one row."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tunegate.core.jsonl import MISSING
from tunegate.dataqa import (
    rules_chat,
    rules_keys,
    rules_legacy,
    rules_preference,
    rules_prose,
    rules_quality,
    rules_roles,
    rules_text,
    rules_tool,
    rules_toolflow,
    rules_toolschema,
    rules_turns,
    rules_vision,
    rules_weights,
)
from tunegate.dataqa.hit import KEEP, REMOVE
from tunegate.dataqa.row import Kind, Row
from tunegate.dataqa.rule import Rule

ROW_RULES = tuple(
    rule
    for module in (
        rules_chat,
        rules_keys,
        rules_legacy,
        rules_preference,
        rules_roles,
        rules_tool,
        rules_toolflow,
        rules_toolschema,
        rules_turns,
        rules_vision,
        rules_weights,
    )
    for rule in module.RULES
    if rule.scope == "row"
)

Found = list[tuple[str, str]]
Ask = Callable[..., Found]
Mend = Callable[..., Any]


def as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def asked(value: Any, target: str, kind: Kind) -> list[tuple[Rule, str, Any, Row]]:
    raw = as_bytes(value)
    row = Row(raw, target=target, kind=kind)
    found = []
    for rule in ROW_RULES:
        severity = rule.severity_for(target, kind)
        wanted = not rule.needs or any(need in raw for need in rule.needs)
        if severity is not None and wanted and row.value is not MISSING:
            found += [(rule, (hit.severity or severity).value, hit, row) for hit in rule.check(row)]
    return found


@pytest.fixture(scope="session")
def row_rules() -> tuple[Rule, ...]:
    """Every rule about the chats, tools and texts of one row, and about the quality of its answers."""
    return (*ROW_RULES, *rules_text.RULES, *rules_prose.RULES, *rules_quality.RULES)


@pytest.fixture
def ask() -> Ask:
    """Give a function that returns rule and severity of every finding in a row, by rule."""

    def ask(value: Any, target: str = "hf", kind: Kind = "sft") -> Found:
        return sorted((rule.id, severity) for rule, severity, _, _ in asked(value, target, kind))

    return ask


@pytest.fixture
def says() -> Callable[..., list[str]]:
    """Give a function that returns the messages of every finding in a row."""

    def says(value: Any, target: str = "hf", kind: Kind = "sft") -> list[str]:
        return [hit.message for _, _, hit, _ in asked(value, target, kind)]

    return says


@pytest.fixture
def mend() -> Mend:
    """Give a function that repairs the first finding of a rule in a row, and returns the row or KEEP."""

    def mend(value: Any, rule_id: str, target: str = "hf", kind: Kind = "sft") -> Any:
        rule, _, hit, row = next(found for found in asked(value, target, kind) if found[0].id == rule_id)
        assert rule.repair is not None
        new = rule.repair(row, hit)
        if new is KEEP or hit.mended == ():
            return new
        made = json.loads(row.raw)
        inner = made
        for step in hit.mended[:-1]:
            inner = inner[step]
        if new is REMOVE:
            del inner[hit.mended[-1]]
        else:
            inner[hit.mended[-1]] = new
        return made

    return mend
