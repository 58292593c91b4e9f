"""Whatever stands in a row, the rules about chats and tools say something or nothing, and never fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.location import json_path, locate
from tunegate.dataqa import rules_duplicates, rules_leakage, rules_qualityset, rules_set
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.settings import DEFAULTS
from tunegate.dataqa.targets import TARGETS

KEYS = [
    "messages", "role", "content", "tool_calls", "tool_call_id", "function", "function_call", "functions", "tools",
    "name", "arguments", "parameters", "id", "type", "weight", "Role", "from", "value", "text", "refusal",
    "parallel_tool_calls", "properties", "conversations", "prompt", "completion",
]  # fmt: skip
WORDS = [
    "user", "assistant", "system", "tool", "function", "asistant", "", " ", "{}", '{"a": 1}', "[", "call00001",
    "<think>", "</think>", "<|im_end|>", "Assistant: a", "\ud83d", "\u200b", "object", "a\nb",
    "\u00c3\u00bc", "a\u0000\u202e", "e\u0301\ufffd", "&nbsp;<br>", "a \r\n", "p\u0430ypal", "a.\\nB\\ud83d",
    "```json\n{",
]  # fmt: skip

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)

SOUND = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "kim"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call00001", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "call00001", "content": "1"},
        {"role": "assistant", "content": "<think>So.</think>One", "weight": 1},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        }
    ],
    "parallel_tool_calls": True,
}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, inner in items for found in paths(inner, (*path, step)))]


@st.composite
def mutated(draw: Callable[..., Any]) -> Any:
    """Return a sound chat in which one to three values are replaced or taken out."""
    row = json.loads(json.dumps(SOUND))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(paths(row)[1:] or [("messages",)]))
        inner = row
        for step in above:
            inner = inner[step]
        if draw(st.booleans()) and isinstance(inner, dict) and last in inner:
            del inner[last]
        else:
            inner[last] = draw(anything)
        if not isinstance(row, dict):
            break
    return row


def every_hit(row_rules: tuple[Rule, ...], raw: bytes, target: str, kind: Any) -> None:
    row = Row(raw, target=target, kind=kind)
    for rule in row_rules:
        for hit in rule.check(row):
            assert hit.message
            assert json_path(hit.at)
            assert locate(raw, hit.at) is not None, (rule.id, hit.at)
            assert locate(raw, hit.mended) is not None, (rule.id, hit.mended)
            if rule.repair is not None:
                rule.repair(row, hit)


kinds = st.sampled_from(["sft", "dpo", "rft"])
targets = st.sampled_from(sorted(TARGETS))


@settings(deadline=None, max_examples=300)
@given(value=anything | st.dictionaries(st.sampled_from(KEYS), anything), target=targets, kind=kinds)
def test_any_json(row_rules: tuple[Rule, ...], value: Any, target: str, kind: str) -> None:
    every_hit(row_rules, json.dumps(value).encode(), target, kind)


@settings(deadline=None, max_examples=400)
@given(value=mutated(), target=targets, kind=kinds)
def test_mutated_chats(row_rules: tuple[Rule, ...], value: Any, target: str, kind: str) -> None:
    every_hit(row_rules, json.dumps(value).encode(), target, kind)


@settings(deadline=None, max_examples=100)
@given(st.lists(mutated(), max_size=4))
def test_mutated_sets(values: list[Any]) -> None:
    entries = [entry_of(Row(json.dumps(value).encode(), "a", line), "train") for line, value in enumerate(values)]
    kept = [entry for entry in entries if entry is not None]
    for rule in (*rules_set.RULES, *rules_qualityset.RULES[:2], *rules_duplicates.RULES, *rules_leakage.RULES):
        assert all(hit.message for _, hit in rule.check(kept, DEFAULTS))


def test_no_json(row_rules: tuple[Rule, ...]) -> None:
    for raw in (
        b"",
        b"messages",
        b'{"messages": [',
        b"\xff",
        b'{"messages": "\\ud83d"}',
        b"[]",
        b"null",
        b'"tools"',
    ):
        every_hit(row_rules, raw, "hf", "sft")


def test_the_sound_chat_is_sound(ask: Callable[..., Any]) -> None:
    assert ask(SOUND) == ask(SOUND, "azure-openai") == []


def test_deep_nesting(row_rules: tuple[Rule, ...]) -> None:
    for depth in (300, 900):
        inner = b"[" * depth + b"]" * depth
        for place in (b'"content": %s', b'"tool_calls": %s', b'"content": "a", "name": %s'):
            raw = b'{"messages": [{"role": "user", ' + place % inner + b'}], "tools": ' + inner + b"}"
            every_hit(row_rules, raw, "hf", "sft")
        nested = b'{"properties": {"a": ' * depth + b"{}" + b"}}" * depth
        call = b'{"id": "call00001", "type": "function", "function": {"name": "f", "arguments": "{}"}}'
        raw = (
            b'{"messages": [{"role": "assistant", "tool_calls": [' + call + b"]}], "
            b'"tools": [{"type": "function", "function": {"name": "f", "parameters": ' + nested + b"}}]}"
        )
        every_hit(row_rules, raw, "hf", "sft")
        entry_of(Row(raw.replace(b'"assistant"', b'"user"', 1)), "train")
