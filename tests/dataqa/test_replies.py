"""What a row teaches to answer."""

from __future__ import annotations

import json
from typing import Any

from tunegate.dataqa.replies import instructions, replies
from tunegate.dataqa.row import Row


def row(*messages: dict[str, Any]) -> Row:
    return Row(json.dumps({"messages": messages}).encode())


USER = {"role": "user", "content": "Hi there"}


def test_trained_answers_come_with_what_was_asked() -> None:
    one, two = replies(
        row(
            {"role": "system", "content": "Be brief."},
            USER,
            {"role": "assistant", "content": "Hello you"},
            {"role": "user", "content": [{"type": "text", "text": "And now?"}]},
            {"role": "assistant", "content": "Nothing", "weight": 1},
        )
    )
    assert (one.text, one.asked, one.at) == ("Hello you", "Hi there", ("messages", 2, "content"))
    assert (two.text, two.asked, two.message) == ("Nothing", "And now?", 4)
    assert one.first_words == ["hello", "you"]
    assert one.first_asked == ["hi", "there"]


def test_what_is_not_trained_or_calls_a_tool_is_left_out() -> None:
    assert replies(row(USER, {"role": "assistant", "content": "a", "weight": 0})) == ()
    assert replies(row(USER, {"role": "assistant", "content": "a", "tool_calls": []})) == ()
    assert replies(row(USER, {"role": "assistant", "content": None})) == ()
    assert replies(Row(b"[]")) == replies(Row(b"{")) == ()


def test_reasoning_is_no_part_of_the_answer() -> None:
    (reply,) = replies(row(USER, {"role": "assistant", "content": "<think>So what?</think>\n\nHello"}))
    assert reply.text == "Hello"
    (reply,) = replies(row(USER, {"role": "assistant", "content": "<b>Hello</b>"}))
    assert reply.text == "<b>Hello</b>"


def test_instructions_are_those_of_system_and_developer() -> None:
    found = row({"role": "system", "content": "One."}, {"role": "developer", "content": "Two."}, USER)
    assert instructions(found) == "One.\nTwo."
