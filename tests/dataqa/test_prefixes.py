"""Conversations that are the beginning of another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.prefixes import find_prefixes, known_by
from tunegate.dataqa.row import Row, Split


def entry(*texts: str, line: int = 1, split: Split = "train", **more: Any) -> Entry:
    roles = ("user", "assistant")
    messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]
    made = entry_of(Row(json.dumps({"messages": messages, **more}).encode(), "a.jsonl", line), split)
    assert made is not None
    return made


def test_the_beginning_of_a_longer_one_is_found_in_any_order() -> None:
    assert find_prefixes([entry("a", "b"), entry("a", "b", "c", "d")]) == {0: 1}
    assert find_prefixes([entry("a", "b", "c", "d"), entry("a", "b")]) == {1: 0}


def test_all_beginnings_name_the_longest() -> None:
    rows = [entry("a", "b"), entry("a", "b", "c", "d"), entry("a", "b", "c", "d", "e", "f")]
    assert find_prefixes(rows) == {0: 2, 1: 2}


@pytest.mark.parametrize(
    "rows",
    [
        [entry("a", "b"), entry("a", "b")],
        [entry("a", "x"), entry("a", "b", "c", "d")],
        [entry("a", "b"), entry("x", "b", "c", "d")],
        [entry("a", "b", split="test"), entry("a", "b", "c", "d")],
        [entry("a", "b"), entry("a", "b", "c", "d", tools=[{"type": "function"}])],
        [],
    ],
)
def test_equal_other_and_split_off_ones_are_no_beginnings(rows: list[Entry]) -> None:
    assert find_prefixes(rows) == {}


def test_the_same_tools_and_system_make_no_difference() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert find_prefixes([entry("a", "b", tools=tools), entry("a", "b", "c", "d", tools=tools)]) == {0: 1}


def test_an_answer_that_the_longer_one_does_not_train_is_not_counted() -> None:
    longer = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "weight": 0},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d"},
    ]
    made = entry_of(Row(json.dumps({"messages": longer}).encode()), "train")
    assert made is not None
    assert made.prefixes == ()
    assert find_prefixes([entry("a", "b"), made]) == {}


@given(st.lists(st.sampled_from("abc"), min_size=4, max_size=10))
def test_what_a_beginning_is_known_by_is_what_the_row_itself_is(texts: list[str]) -> None:
    texts = texts[: len(texts) // 2 * 2]
    whole = entry(*texts)
    shorter = [entry(*texts[:end]) for end in range(2, len(texts), 2)]
    assert list(whole.prefixes) == [known_by(each.context, each.answer) for each in shorter]
