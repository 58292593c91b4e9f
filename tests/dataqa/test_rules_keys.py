from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tunegate.dataqa.hit import KEEP

Ask = Callable[..., list[tuple[str, str]]]
Mend = Callable[..., Any]

USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello"}


def chat(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": list(messages) or [USER, ANSWER], **fields}


def test_columns_of_ones_own_are_no_fault_where_trainers_take_them(ask: Ask) -> None:
    row = chat(conversation_id="c1", labels=["a"], metadata={"tools": []}, tool="crm")

    assert ask(row) == []
    assert {severity for _, severity in ask(row, "azure-openai")} == {"warning"}
    assert {severity for _, severity in ask(row, "together")} == {"error"}


def test_a_slip_of_a_known_key_is_named_everywhere_and_left_to_a_person(
    ask: Ask, says: Callable[..., list[str]], mend: Mend
) -> None:
    row = chat(toolz=[])

    for target in ("hf", "azure-openai", "mistral"):
        assert ask(row, target) == [("CHAT006", "warning")]
        assert mend(row, "CHAT006", target) is KEEP
    assert says(row) == ["the key 'toolz' is unknown: did you mean 'tools'?"]


def test_an_unknown_key_is_taken_out(mend: Mend) -> None:
    assert mend(chat(source="forum"), "CHAT006", "azure-openai") == chat()
    assert mend(chat(USER, {**ANSWER, "mood": 1}), "CHAT007") == chat()
    assert mend(chat(USER, {**ANSWER, "wieght": 1}), "CHAT007") is KEEP


def test_keys_that_templates_read_are_known_to_some_targets(ask: Ask) -> None:
    row = chat(USER, {**ANSWER, "reasoning_content": "A greeting."})

    assert ask(row) == []
    assert ask(row, "openai") == [("CHAT007", "warning")]
    assert ask(chat(USER, {**ANSWER, "prefix": True}), "mistral") == []
    assert ask(chat(available_tools=[]), "mistral") == []
    assert ask(chat(parallel_tool_calls=True), "together") == [("CHAT006", "error")]


def test_the_key_that_stands_for_content_is_named_once(ask: Ask) -> None:
    assert ask(chat(USER, {"role": "assistant", "contents": "Hello"})) == [("CHAT008", "error")]
    assert ask(chat(USER, {"role": "assistant", "content": "Hello", "contents": "Hi"})) == [("CHAT007", "warning")]


def test_misspelt_keys_are_errors_where_nothing_stands_in_their_place(ask: Ask) -> None:
    assert ask({"MESSAGES": [USER, ANSWER]}) == [("CHAT024", "error")]
    assert ask(chat(USER, {**ANSWER, "Weight": 1})) == [("CHAT024", "warning")]
    assert ask(chat(USER, {"role": "assistant", "content": None, "toolCalls": []})) == [
        ("CHAT008", "error"),
        ("CHAT024", "warning"),
    ]
    assert ask(chat(USER, {**ANSWER, "Role": "user"})) == [("CHAT024", "warning")]


def test_misspelt_keys_are_renamed_in_their_place(mend: Mend) -> None:
    row = chat({"Role ": "user", "x": 1, "Content": "Hi"}, ANSWER)

    mended = mend(row, "CHAT024")
    assert json.dumps(mended["messages"][0]) == '{"role": "user", "x": 1, "content": "Hi"}'
    assert mend({"Messages": [USER, ANSWER]}, "CHAT024") == chat()
    assert mend(chat(USER, {**ANSWER, "Role": "user"}), "CHAT024") is KEEP
    assert mend(chat(USER, {"Role": "a", "ROLE": "b", "content": "c"}), "CHAT024") is KEEP


def test_escapes_in_keys_hide_nothing(ask: Ask) -> None:
    row = json.dumps(chat({**USER, "name": "Dr. Wang"}, {**ANSWER, "weight": 0.5})).encode()

    escaped = row.replace(b'"name"', b'"n\\u0061me"').replace(b'"weight"', b'"w\\u0065ight"')
    assert ask(escaped) == ask(row) == [("CHAT018", "error"), ("CHAT022", "error")]


def test_names_of_speakers(ask: Ask, says: Callable[..., list[str]]) -> None:
    for good in ("a", "Max.Mustermann", "kim_2", "Ünal", "x" * 64):
        assert ask(chat({**USER, "name": good}, ANSWER)) == [], good
    for bad in ("", "x" * 65, "Dr. Wang!", "a/b", "<b>", 7, ["a"]):
        assert ask(chat({**USER, "name": bad}, ANSWER)) == [("CHAT022", "error")], bad
    assert ask(chat({**USER, "name": None}, ANSWER)) == []
    assert ask(chat({**USER, "name": None}, ANSWER), "openai") == [("CHAT022", "error")]
    assert "Wang" not in says(chat({**USER, "name": "Dr. Wang!"}, ANSWER))[0], "a name is personal"
