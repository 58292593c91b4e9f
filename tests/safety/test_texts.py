"""The texts of a chat: every word of it on its side, or a reason why it cannot be judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunegate.safety.texts import Piece, pieces


def chat(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": list(messages)}


def test_each_message_is_on_its_side() -> None:
    roles = ["system", "developer", "user", "assistant", "tool", "function"]
    found = pieces(chat(*({"role": role, "content": role} for role in roles)))

    assert [(piece.message, piece.side) for piece in found] == [
        (0, "prompt"), (1, "prompt"), (2, "prompt"), (3, "completion"), (4, "prompt"), (5, "prompt"),
    ]  # fmt: skip


def test_every_string_that_is_read_or_learnt_is_judged() -> None:
    call = {
        "id": "1",
        "type": "function",
        "function": {"name": "f", "arguments": json.dumps({"a": ["b\n", {"c": "ä"}]})},
    }
    found = pieces(
        chat(
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
            {"role": "assistant", "content": None, "tool_calls": [call], "refusal": "no"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "never"}]},
            {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": "not json"}},
        )
    )

    assert found == [
        Piece(0, "prompt", "one\ntwo"),
        Piece(1, "completion", "no\nb\n\nä"),
        Piece(2, "completion", "never"),
        Piece(3, "completion", "not json"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["messages"], "no JSON object"),
        ({"messages": []}, "no list of messages"),
        ({"text": "hello"}, "no list of messages"),
        (chat({"role": "user", "content": " \u200b"}), "holds any text"),
        *(
            (
                chat({"role": "user", "content": "Hi"}, {"role": "assistant", **blank}),
                r"messages\[1\] is an empty answer",
            )
            for blank in (
                {"content": ""},
                {"content": " \u200b\ufeff\n"},
                {"content": None},
                {},
                {"content": [{"type": "text", "text": " "}]},
                {"content": "", "tool_calls": []},
                {"content": "", "tool_calls": None, "function_call": None},
                {"content": "", "weight": 0},
            )
        ),
        (chat({"role": "teacher", "content": "secret"}), r"messages\[0\] has a role"),
        (chat({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}), "is no text"),
        (chat({"role": "user", "content": 5}), "is no text"),
        (chat({"role": "user", "content": [{"type": "text"}]}), "is no text"),
        (chat({"role": "user", "content": [{"type": ["text"], "text": "x"}]}), "is no text"),
    ],
)
def test_what_cannot_be_judged_as_text_says_so_without_quoting_it(row: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        pieces(row)
    assert "secret" not in str(error.value)


def test_a_call_is_an_answer_even_where_it_says_nothing() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    asked = {"role": "user", "content": "Hi"}

    for answer in ({"content": "", "tool_calls": [call]}, {"content": None, "function_call": call["function"]}):
        assert pieces(chat(asked, {"role": "assistant", **answer})) == [Piece(0, "prompt", "Hi")]


def test_arguments_may_be_nested_deeply() -> None:
    nested = "[" * 1000 + '"deep"' + "]" * 1000
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": nested}}

    assert pieces(chat({"role": "assistant", "content": None, "tool_calls": [call]})) == [
        Piece(0, "completion", "deep")
    ]
