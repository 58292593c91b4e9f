"""Every rule of tunegate, in one tuple, and the choice among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    rules_preference,
    rules_prose,
    rules_quality,
    rules_qualityset,
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
    rules_vision,
    rules_weights,
)
from tunegate.dataqa.rule import Rule

FAMILIES = {
    "FILE": "the file and its lines",
    "CHAT": "messages and roles",
    "TOOL": "tools and calls",
    "VIS": "images",
    "PREF": "preference pairs",
    "TOK": "token lengths",
    "TXT": "characters and text, outside code and tool calls",
    "QUAL": "the quality of answers and labels",
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
            *rules_vision.RULES,
            *rules_preference.RULES,
            *rules_tokens.RULES,
            *rules_text.RULES,
            *rules_prose.RULES,
            *rules_textset.RULES,
            *rules_quality.RULES,
            *rules_qualityset.RULES,
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


def rule_named(rule_id: str, pool: Sequence[Rule] = RULES) -> Rule:
    """Return a rule by its id. Raises UsageError with the nearest id when there is none."""
    found = {rule.id: rule for rule in pool}.get(rule_id.upper())
    if found is None:
        raise UsageError(f"no rule {rule_id!r}: {_nearest(rule_id, pool)}")
    return found


def choose(
    select: Iterable[str] = (), ignore: Iterable[str] = (), pool: Sequence[Rule] = RULES
) -> tuple[Rule, ...]:
    """Return the rules whose id begins with one of `select` and with none of `ignore`.

    Without `select` all are meant but those that are asked on demand only (`Rule.default`). Raises UsageError
    with the nearest id for a name that no rule begins with.
    """
    chosen, left_out = known_prefixes(select, pool), known_prefixes(ignore, pool)
    return tuple(
        rule
        for rule in pool
        if (rule.id.startswith(chosen) if chosen else rule.default)
        and not (left_out and rule.id.startswith(left_out))
    )


def known_prefixes(names: Iterable[str], pool: Sequence[Rule] = RULES) -> tuple[str, ...]:
    """Return names of rules in capitals. Raises UsageError with the nearest id for one that is none."""
    prefixes = tuple(name.strip().upper() for name in names)
    for prefix in prefixes:
        if not prefix or not any(rule.id.startswith(prefix) for rule in pool):
            raise UsageError(f"no rule {prefix!r}: {_nearest(prefix, pool)}")
    return prefixes


def _nearest(name: str, pool: Sequence[Rule]) -> str:
    ids = [rule.id for rule in pool]
    families = dict.fromkeys([*FAMILIES, *map(family_of, ids)])
    hint = nearest(name.upper(), [*ids, *families])
    if hint.startswith("did"):
        return hint
    return "valid are ids such as FILE006, and families: " + ", ".join(families)
