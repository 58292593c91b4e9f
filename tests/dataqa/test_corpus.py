"""Entries: what is kept of a row, and which rows are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunegate.dataqa.corpus import entry_of, group_of, value_at
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.row import Row


def entry(row: dict[str, Any], **options: Any) -> Entry | None:
    return entry_of(Row(json.dumps(row).encode(), "a.jsonl", 3), "train", **options)


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def said(text: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def call(name: str, arguments: str, number: str = "call_1") -> dict[str, Any]:
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_it_keeps_texts_place_and_split() -> None:
    system = {"role": "system", "content": "Be brief."}
    found = entry({"messages": [system, user("Hi"), said("Hello"), user("Bye"), said("Ciao")]})
    assert found is not None
    assert (found.system, found.prompt, found.answer) == ("Be brief.", "Hi\nBye", "Ciao")
    assert (found.path, found.line, found.split) == ("a.jsonl", 3, "train")
    assert found.history
    assert not found.media


@pytest.mark.parametrize(
    "row",
    [
        {"messages": []},
        {"messages": "Hi"},
        {"messages": ["Hi"]},
        {"messages": [{"content": "Hi"}, said("Hello")]},
        {"messages": [user("Hi")]},
        {"messages": [said("Hello")]},
        {"prompt": "Hi", "completion": "Hello"},
    ],
)
def test_what_is_no_chat_has_none(row: dict[str, Any]) -> None:
    assert entry(row) is None


@pytest.mark.parametrize("raw", [b"", b"[1]", b"{", b'{"messages": 1, "messages": 2}'])
def test_a_faulty_line_has_none(raw: bytes) -> None:
    assert entry_of(Row(raw), "train") is None


def test_keys_beside_the_chat_make_no_other_conversation() -> None:
    one, other = (
        entry({"messages": [user("Hi"), said("Hello")], "id": 1}),
        entry({"messages": [user("Hi"), said("Hello")]}),
    )
    assert one is not None
    assert other is not None
    assert (one.context, one.answer) == (other.context, other.answer)
    assert one.row_id != other.row_id


def test_ids_and_order_of_arguments_make_no_other_call() -> None:
    def row(number: str, arguments: str) -> dict[str, Any]:
        asked = said(None, tool_calls=[call("weather", arguments, number)])
        result = {"role": "tool", "tool_call_id": number, "content": "21"}
        return {
            "messages": [user("Weather?"), asked, result, said(None, tool_calls=[call("x", arguments, number)])]
        }

    one, other = entry(row("call_1", '{"a":1,"b":2}')), entry(row("call_9", '{"b": 2, "a": 1}'))
    assert one is not None
    assert other is not None
    assert (one.context, one.answer, one.history) == (other.context, other.answer, other.history)
    assert one.answer == 'x({"a":1,"b":2})'
    assert one.calls == ("weather", "x")


def test_another_picture_is_another_question() -> None:
    def row(address: str) -> dict[str, Any]:
        image = {"type": "image_url", "image_url": {"url": address}}
        return {"messages": [user([{"type": "text", "text": "What is it?"}, image]), said("A cat")]}

    one, other = entry(row("https://a.example/1.png")), entry(row("https://a.example/2.png"))
    assert one is not None
    assert other is not None
    assert one.prompt == other.prompt == "What is it?"
    assert one.media != other.media


@pytest.mark.parametrize(
    ("on", "expected"),
    [("user", None), ("assistant", "Hello"), ("all", "Hi\nHello")],
)
def test_what_near_duplicates_are_compared_by(on: str, expected: str | None) -> None:
    found = entry({"messages": [user("Hi"), said("Hello")]}, on=on)
    assert found is not None
    assert found.text == expected


def test_raw_compares_the_line() -> None:
    row = {"messages": [user("Hi"), said("Hello")]}
    found = entry(row, on="raw")
    assert found is not None
    assert found.text == json.dumps(row)


def test_group_and_label_are_looked_up() -> None:
    row = {"messages": [user("Hi"), said("Hello")], "metadata": {"conversation_id": 17}, "intent": " greet "}
    found = entry(row, group_key="conversation_id", label_path="intent")
    assert found is not None
    assert (found.group, found.label) == ("17", "greet")
    assert entry({"messages": [user("Hi"), said("Hello")]}, group_key="conversation_id").group is None  # type: ignore[union-attr]


def test_json_paths() -> None:
    row = {"a": {"b-c": [1, {"d": 2}]}, "messages": [user("Hi"), said("Hello")]}
    assert value_at(row, "$.a.b-c[1].d") == 2
    assert value_at(row, "a['b-c'][0]") == 1
    assert value_at(row, "messages[-1].content") == "Hello"
    assert value_at(row, "messages[7].content") is None
    assert value_at(row, "a.b-c.d") is None
    assert group_of({"metadata": {"id": 1}}, "id") == 1
    assert group_of({"id": 2, "metadata": {"id": 1}}, "id") == 2
