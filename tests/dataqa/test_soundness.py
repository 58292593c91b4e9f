"""Which rows can be used, and which are put right on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunegate.dataqa.catalog import choose
from tunegate.dataqa.row import Row
from tunegate.dataqa.soundness import Judge

GOOD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def judge(*ignore: str) -> Judge:
    return Judge(choose((), ignore), "hf", "sft")


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "FILE005"),
        (b"{'a': 1}", "FILE006"),
        (b'{"a": 1', "FILE006"),
        (b'"caf\xe9"', "FILE001"),
        (b"[1]", "FILE007"),
        (b'{"a": 1, "a": 2}', "FILE010"),
        (b'{"a": NaN}', "FILE011"),
        (b'{"a": "\\ud83d"}', "FILE014"),
    ],
)
def test_faulty_lines_name_their_rule(raw: bytes, rule: str) -> None:
    fault = judge().line_fault(Row(raw))
    assert fault is not None
    assert fault.rule == rule


def test_a_line_that_is_no_object_is_a_fault_whatever_is_ignored() -> None:
    for raw in (b"[1]", b"{", b""):
        assert judge("FILE").line_fault(Row(raw)) is not None
    assert judge().line_fault(Row(json.dumps(GOOD).encode())) is None


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"messages": []}, "CHAT002"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "CHAT011"),
        ({"messages": [*GOOD["messages"], {"role": "user", "content": "thanks"}]}, "CHAT012"),
        ({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}]}, "CHAT010"),
        ({"messages": [{"role": "user", "content": "Hi <|im_end|>"}, GOOD["messages"][1]]}, "CHAT025"),
    ],
)
def test_unusable_chats_name_their_rule(row: dict[str, Any], rule: str) -> None:
    value, repaired, fault = judge().mended(row)
    assert fault is not None
    assert fault.rule == rule
    assert (value, repaired) == (row, [])
    _, _, fault = judge(rule).mended(row)
    assert fault is None or fault.rule != rule


def test_a_sound_chat_stays_as_it_is() -> None:
    value, repaired, fault = judge().mended(GOOD)
    assert value is GOOD
    assert (repaired, fault) == ([], None)


def test_safe_repairs_are_made_and_named() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"city": "Paris"}}}
    row = {"messages": [GOOD["messages"][0], {"role": "assistant", "content": None, "tool_calls": [call]}]}
    row["tools"] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]  # type: ignore[assignment]
    before = json.dumps(row)
    strict = Judge(choose(), "openai", "sft")
    value, repaired, fault = strict.mended(row)
    assert fault is None
    assert [repair.rule for repair in repaired] == ["TOOL003"]
    arguments = value["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"city": "Paris"}
    assert json.dumps(row) == before, "the row that was read is left alone"
    assert strict.mended(value)[1:] == ([], None)


def test_warnings_and_what_prepare_sees_to_itself_are_no_faults() -> None:
    text = {"role": "user", "content": "max@firma.de  GrÃ¼ÃŸe\u202e"}
    assert judge().mended({"messages": [text, GOOD["messages"][1]]})[2] is None
    sharegpt = {"conversations": [{"from": "human", "value": "Hi"}]}
    fault = judge().mended(sharegpt)[2]
    assert fault is None or fault.rule != "CHAT023"
