"""Every rule of tunegate, in one tuple, and the choice among them."""

from __future__ import annotations

from collections.abc import Iterable

from tunegate.core.errors import UsageError, nearest
from tunegate.dataqa import (
    rules_balance,
    rules_chat,
    rules_duplicates,
    rules_file,
    rules_keys,
    rules_leakage,
    rules_legacy,
    rules_line,
    rules_personal,
    rules_prose,
    rules_roles,
    rules_secrets,
    rules_set,
    rules_text,
    rules_textset,
    rules_tokens,
    rules_tool,
    rules_toolflow,
    rules_toolschema,
    rules_turns,
    rules_weights,
)
from tunegate.dataqa.rule import Rule

FAMILIES = {
    "FILE": "the file and its lines",
    "CHAT": "messages and roles",
    "TOOL": "tools and calls",
    "TOK": "token lengths",
    "TXT": "characters and text, outside code and tool calls",
    "DUP": "duplicates and conflicts",
    "LEAK": "leakage between splits",
    "BAL": "balance of labels and splits",
    "PII": "personal data",
    "SEC": "secrets",
}


def family_of(rule_id: str) -> str:
    """Return the letters of a rule's id."""
    return rule_id.rstrip("0123456789")


def _place(rule: Rule) -> tuple[int, str]:
    return list(FAMILIES).index(family_of(rule.id)), rule.id


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *rules_file.RULES,
            *rules_line.RULES,
            *rules_chat.RULES,
            *rules_keys.RULES,
            *rules_roles.RULES,
            *rules_turns.RULES,
            *rules_weights.RULES,
            *rules_set.RULES,
            *rules_tool.RULES,
            *rules_toolflow.RULES,
            *rules_toolschema.RULES,
            *rules_legacy.RULES,
            *rules_tokens.RULES,
            *rules_text.RULES,
            *rules_prose.RULES,
            *rules_textset.RULES,
            *rules_duplicates.RULES,
            *rules_leakage.RULES,
            *rules_balance.RULES,
            *rules_personal.RULES,
            *rules_secrets.RULES,
        ),
        key=_place,
    )
)

BY_ID = {rule.id: rule for rule in RULES}


def rule_named(rule_id: str) -> Rule:
    """Return a rule by its id. Raises UsageError with the nearest id when there is none."""
    found = BY_ID.get(rule_id.upper())
    if found is None:
        raise UsageError(f"no rule {rule_id!r}: {_nearest(rule_id)}")
    return found


def choose(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Return the rules whose id begins with one of `select` (all without any) and with none of `ignore`.

    Raises UsageError with the nearest id for a name that no rule begins with.
    """
    chosen, left_out = _prefixes(select), _prefixes(ignore)
    return tuple(
        rule
        for rule in RULES
        if (not chosen or rule.id.startswith(chosen)) and not (left_out and rule.id.startswith(left_out))
    )


def _prefixes(names: Iterable[str]) -> tuple[str, ...]:
    prefixes = tuple(name.strip().upper() for name in names)
    for prefix in prefixes:
        if not prefix or not any(rule.id.startswith(prefix) for rule in RULES):
            raise UsageError(f"no rule {prefix!r}: {_nearest(prefix)}")
    return prefixes


def _nearest(name: str) -> str:
    hint = nearest(name.upper(), [*BY_ID, *FAMILIES])
    if hint.startswith("did"):
        return hint
    return "valid are ids such as FILE006, and families: " + ", ".join(FAMILIES)
