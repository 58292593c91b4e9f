from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.jsonl import decode
from tunegate.core.lines import read_lines
from tunegate.core.plain import plain_messages
from tunegate.dataqa.catalog import BY_ID
from tunegate.dataqa.row import Row
from tunegate.dataqa.shape import PROVEN
from tunegate.dataqa.targets import TARGETS

PROVEN_RULES = [BY_ID[name] for name in sorted(PROVEN)]


def hits(raw: bytes) -> Iterator[tuple[str, str, str]]:
    for target in TARGETS:
        row = Row(raw, target=target)
        for rule in PROVEN_RULES:
            if rule.severity_for(target) is not None:
                for hit in rule.check(row):
                    yield target, rule.id, hit.message


texts = (
    st.text(max_size=8)
    | st.sampled_from(
        ["", " ", "\u200b", "\u3164", "\u2800", "a\u200b", "\u00ad", "\ufe0f", "0", "\u115fx", "\u17b4"]
    )
    | st.characters().map(lambda sign: sign)
)
odd_values = st.none() | st.integers() | st.booleans() | st.lists(texts, max_size=1)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant"]), "content": texts},
    optional={"weight": odd_values, "name": texts, "tool_calls": odd_values},
)
odd_messages = st.dictionaries(
    st.sampled_from(["role", "content", "Role", "text"]), texts | odd_values, max_size=3
) | st.text(max_size=3)
turns = st.tuples(texts, texts).map(
    lambda pair: [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
)
plain_chats = st.lists(turns, min_size=1, max_size=3).map(lambda found: [item for pair in found for item in pair])
rows = st.one_of(
    st.builds(lambda chat: {"messages": chat}, plain_chats),
    st.builds(lambda text, chat: {"messages": [{"role": "system", "content": text}, *chat]}, texts, plain_chats),
    st.builds(lambda chat: {"messages": chat}, st.lists(messages | odd_messages, max_size=4)),
    st.builds(lambda chat, key: {"messages": chat, key: 1}, plain_chats, st.text(max_size=4)),
)


@settings(deadline=None, max_examples=400)
@given(rows)
def test_no_proven_rule_would_hit_a_row_that_the_proof_accepts(row: dict[str, Any]) -> None:
    raw = json.dumps(row).encode()
    if not decode(raw).faults and plain_messages(row):
        assert list(hits(raw)) == []


@settings(deadline=None, max_examples=200)
@given(st.characters())
def test_a_text_that_begins_with_any_sign_is_accepted_only_where_it_shows(sign: str) -> None:
    row = {"messages": [{"role": "user", "content": sign}, {"role": "assistant", "content": sign}]}
    raw = json.dumps(row).encode()
    if not decode(raw).faults and plain_messages(row):
        assert list(hits(raw)) == []


def test_every_sign_of_unicode() -> None:
    from tunegate.core.chat import is_blank

    wrong = [
        hex(code)
        for code in range(0x110000)
        if not 0xD800 <= code < 0xE000
        and is_blank(chr(code))
        and plain_messages(
            {"messages": [{"role": "user", "content": chr(code)}, {"role": "assistant", "content": "a"}]}
        )
    ]
    assert wrong == []


def test_the_limit_on_messages_is_that_of_the_rule() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert plain_messages({"messages": turns * 1024})
    assert not plain_messages({"messages": turns * 1025})


@pytest.mark.parametrize(
    "row",
    [
        [],
        {},
        {"messages": {}},
        {"messages": []},
        {"messages": ["a", "b"]},
        {"messages": [{"role": "user", "content": "a"}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant"}]},
        {"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "a"}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "a"}]},
        {"messages": [{"role": "system", "content": "a"}, {"role": "assistant", "content": "a"}]},
        {"messages": [["role", "content"], {"role": "assistant", "content": "a"}]},
    ],
)
def test_what_is_not_plain(row: Any) -> None:
    assert not plain_messages(row)


def shared_rows(shared: Path) -> Iterator[bytes]:
    for folder in ("chat", "intent", "malformed", "neardup", "robust", "toolcall", "safety"):
        for path in sorted((shared / "data" / folder).glob("*.jsonl")):
            for line in read_lines(path):
                yield line.raw


@pytest.mark.shared
def test_on_real_data_the_proof_accepts_most_rows_and_never_a_faulty_one(shared: Path) -> None:
    accepted = total = 0
    for raw in shared_rows(shared):
        decoded = decode(raw)
        if isinstance(decoded.value, dict) and "messages" in decoded.value:
            total += 1
            if not decoded.faults and plain_messages(decoded.value):
                accepted += 1
                if accepted % 5 == 0 or accepted < 3000:  # all rules on every fifth of the rest: time
                    assert list(hits(raw)) == [], raw
    assert total > 20_000
    assert accepted > 0.7 * total
