"""Rules about chats see the messages inside preference rows, and tell and mend them by their place in the row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunegate.core.findings import Finding
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.fix import fix
from tunegate.dataqa.pairs import pair_of, parts_of
from tunegate.dataqa.row import Row

USER = {"role": "user", "content": "Where is my parcel?"}
GOOD = {"role": "assistant", "content": "It is on its way."}
OTHER = {"role": "assistant", "content": "No idea."}
SYSTEM = {"role": "system", "content": "Be brief."}


def call(name: str = "call00001", arguments: Any = "{}") -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": "track", "arguments": arguments}}


def pair(
    messages: Any = (USER,), preferred: Any = (GOOD,), rejected: Any = (OTHER,), **fields: Any
) -> dict[str, Any]:
    return {
        "input": {"messages": list(messages), **fields},
        "preferred_output": list(preferred),
        "non_preferred_output": list(rejected),
    }


def trl(prompt: Any = (USER,), chosen: Any = (GOOD,), rejected: Any = (OTHER,), **fields: Any) -> dict[str, Any]:
    return {"prompt": list(prompt), "chosen": list(chosen), "rejected": list(rejected), **fields}


def found(path: Path, row: Any, target: str = "azure-openai", select: str = "CHAT,TOOL,PREF,PII") -> list[Finding]:
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    settings = CheckSettings(target, select=tuple(select.split(",")), kind="dpo")
    return list(check([DataFile(path)], settings).findings)


BLANK = {"role": "assistant", "content": " "}
MARKED = {"role": "assistant", "content": "Yes.<|im_end|>"}


@pytest.mark.parametrize(
    ("row", "rule", "json_path", "said"),
    [
        (pair([SYSTEM, {**USER, "content": " "}]), "CHAT010", "$.input.messages[1].content",
         "input.messages[1].content is blank: write the text, or take the row out"),
        (pair(preferred=[BLANK]), "CHAT010", "$.preferred_output[0].content",
         "preferred_output[0].content is blank: write the text, or take the row out"),
        (pair([SYSTEM, USER], rejected=[MARKED]), "CHAT025", "$.non_preferred_output[0].content",
         "non_preferred_output[0].content holds '<|im_end|>', a mark of a chat template: take it out"),
        (pair([USER, SYSTEM]), "CHAT015", "$.input.messages[1]",
         "input.messages[1] is the system's: it belongs first"),
        (pair(["Hi"]), "CHAT003", "$.input.messages[0]",
         'input.messages[0] is a string: write {"role": ..., "content": ...}'),
        (pair(preferred=[{**GOOD, "role": "asistant"}]), "CHAT005", "$.preferred_output[0].role",
         "preferred_output[0].role is 'asistant': did you mean 'assistant'?"),
        (pair(preferred=[{**GOOD, "mood": "happy"}]), "CHAT007", "$.preferred_output[0].mood",
         "preferred_output[0] has the unknown key 'mood': take it out"),
        (pair(preferred=[{"role": "assistant", "tool_calls": [call(arguments={})]}]), "TOOL003",
         "$.preferred_output[0].tool_calls[0].function.arguments",
         "preferred_output[0].tool_calls[0].function.arguments is an object: write it as a string of JSON"),
        (pair(tools=[{"type": "function", "function": {}}]), "TOOL020", "$.input.tools[0]",
         'input.tools[0] has no function.name: write {"type": "function", "function": {"name": ...}}'),
        (pair(parallel_tool_calls="yes"), "TOOL015", "$.input.parallel_tool_calls",
         "input.parallel_tool_calls is 'yes': it must be true or false"),
        (pair([USER, {"role": "assistant", "content": "It is on its way."}, USER]), "CHAT029",
         "$.preferred_output[0]", "preferred_output[0] repeats input.messages[1] word for word: "
         "drop it, or write the answer that belongs there"),
        (pair(toolz=[]), "CHAT006", "$.input.toolz", "the key 'toolz' is unknown: did you mean 'tools'?"),
        (pair(preferred=[{"role": "assistant", "content": "Write to max@firma.example."}]), "PII001",
         "$.preferred_output[0].content", "e-mail address ma***@***: mask it, or drop the row"),
    ],
)  # fmt: skip
def test_a_fault_inside_is_told_once_by_its_place_in_the_row(
    tmp_path: Path, row: Any, rule: str, json_path: str, said: str
) -> None:
    findings = found(tmp_path / "a.jsonl", row)

    assert [(item.rule, item.json_path, item.message) for item in findings] == [(rule, json_path, said)]
    inner = row
    for step in json_path.removeprefix("$.").replace("]", "").replace("[", ".").split("."):
        inner = inner[int(step) if step.isdigit() else step]
    raw = json.dumps(row)
    assert raw[findings[0].column - 1 :].startswith(json.dumps(inner))


@pytest.mark.parametrize(
    ("row", "json_path"),
    [
        (trl([SYSTEM, {**USER, "content": ""}]), "$.prompt[1].content"),
        (trl(chosen=[BLANK]), "$.chosen[0].content"),
        (trl(rejected=[BLANK]), "$.rejected[0].content"),
        ({"chosen": [USER, GOOD], "rejected": [USER, BLANK]}, "$.rejected[1].content"),
        ({"prompt": "Hi", "chosen": [USER, BLANK], "rejected": [USER, OTHER]}, "$.chosen[1].content"),
    ],
)
def test_so_in_rows_of_trl(tmp_path: Path, row: Any, json_path: str) -> None:
    findings = found(tmp_path / "a.jsonl", row, "hf")
    assert [(item.rule, item.json_path) for item in findings] == [("CHAT010", json_path)]


def test_what_the_answer_that_is_not_preferred_may_do(tmp_path: Path) -> None:
    tools = [{"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}]
    wrong = {"role": "assistant", "tool_calls": [{**call(), "function": {"name": "guess", "arguments": "{}"}}]}
    labelled = {"role": "assistant", "content": "Assistant: No idea."}

    assert found(tmp_path / "a.jsonl", pair(rejected=[wrong], tools=tools)) == []
    assert found(tmp_path / "a.jsonl", pair(rejected=[labelled])) == []
    preferred = found(tmp_path / "a.jsonl", pair(preferred=[wrong], tools=tools))
    assert [item.rule for item in preferred] == ["TOOL006"]


@pytest.mark.parametrize(
    ("row", "rule", "mended"),
    [
        (pair([{"Role": "user", "content": "Hi"}]), "CHAT024", pair([{"role": "user", "content": "Hi"}])),
        (pair(preferred=[{**GOOD, "weight": "1"}]), "CHAT018", pair(preferred=[{**GOOD, "weight": 1}])),
        (pair([{**USER, "weight": 1}]), "CHAT019", pair()),
        (pair(preferred=[{**GOOD, "mood": 1}]), "CHAT007", pair(preferred=[GOOD])),
        (pair([USER, SYSTEM]), "CHAT015", pair([SYSTEM, USER])),
        (pair(source=1), "CHAT006", pair()),
        (pair(preferred=[GOOD, OTHER]), "CHAT016",
         pair(preferred=[{**GOOD, "content": "It is on its way.\n\nNo idea."}])),
        (pair(preferred=[{"role": "assistant", "tool_calls": [call(arguments={})]}]), "TOOL003",
         pair(preferred=[{"role": "assistant", "tool_calls": [call()]}])),
        (pair(preferred=[{"role": "assistant", "tool_calls": [call(), call()]}]), "TOOL010",
         pair(preferred=[{"role": "assistant", "tool_calls": [call(), call("call00002")]}])),
        ({**pair(), "source": 1}, "PREF007", pair()),
        (pair(functions=[{"name": "f"}]), "TOOL013",
         pair(tools=[{"type": "function", "function": {"name": "f"}}])),
        (pair(rejected=[{"role": "assistant", "content": None, "function_call": call()["function"]}]), "TOOL013",
         pair(rejected=[{"role": "assistant", "content": None, "tool_calls": [call()]}])),
    ],
)  # fmt: skip
def test_repairs_reach_into_the_row(tmp_path: Path, row: Any, rule: str, mended: Any) -> None:
    path = tmp_path / "a.jsonl"
    findings = found(path, row, select=rule)
    assert [(item.rule, item.fix is not None) for item in findings] == [(rule, True)]

    settings = CheckSettings("azure-openai", select=(rule,), kind="dpo")
    assert fix(DataFile(path), settings, unsafe=True).applied == {rule: 1}
    assert json.loads(path.read_bytes()) == mended
    assert fix(DataFile(path), settings, unsafe=True).applied == {}


def test_a_repair_that_would_change_the_input_from_an_output_is_left_to_people(tmp_path: Path) -> None:
    asks = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    answers = {"role": "function", "name": "f", "content": "1"}
    row = pair([USER, asks, answers], preferred=[asks])

    findings = found(tmp_path / "a.jsonl", row, select="TOOL013")

    assert [item.fix for item in findings] == ["safe"], "that of the input, the first of its places"


def test_a_chat_among_pairs_is_looked_at_as_it_is(tmp_path: Path) -> None:
    findings = found(tmp_path / "a.jsonl", {"messages": [USER, BLANK]}, select="CHAT")
    assert [(item.rule, item.json_path) for item in findings] == [("CHAT010", "$.messages[1].content")]


@pytest.mark.parametrize(
    ("rows", "rule", "json_path", "value"),
    [
        ([pair([SYSTEM, USER]), pair([SYSTEM, {**USER, "content": "May I have the bill?"}]), pair()], "CHAT021",
         "$.input.messages", [USER]),
        ([trl([SYSTEM, USER]), trl([SYSTEM, {**USER, "content": "May I have the bill?"}]), trl()], "CHAT021",
         "$.prompt", [USER]),
        ([pair(tools=[{"type": "function", "function": {"name": "track", "description": text}}])
          for text in ("a", "a", "b")], "TOOL017", "$.input.tools",
         [{"type": "function", "function": {"name": "track", "description": "b"}}]),
        ([trl(tools=[{"type": "function", "function": {"name": "track", "description": text}}])
          for text in ("a", "a", "b")], "TOOL017", "$.tools",
         [{"type": "function", "function": {"name": "track", "description": "b"}}]),
    ],
)  # fmt: skip
def test_rules_over_the_set_point_into_the_row(
    tmp_path: Path, rows: list[Any], rule: str, json_path: str, value: Any
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    (finding,) = check([DataFile(path)], CheckSettings(select=(rule,))).findings

    assert (finding.line, finding.json_path) == (3, json_path)
    assert json.dumps(rows[2])[finding.column - 1 :].startswith(json.dumps(value))


def of(value: Any) -> Row:
    return Row(json.dumps(value).encode(), kind="dpo")


@pytest.mark.parametrize(
    ("value", "prompt", "answers"),
    [
        (pair([SYSTEM, USER]), "Where is my parcel?", ("It is on its way.", "No idea.")),
        (trl(), "Where is my parcel?", ("It is on its way.", "No idea.")),
        ({"prompt": "The sky is", "chosen": " blue.", "rejected": " green."}, "The sky is", (" blue.", " green.")),
        ({"chosen": "The sky is blue.", "rejected": "The sky is green."}, "The sky is ", ("blue.", "green.")),
        ({"chosen": [USER, GOOD], "rejected": [USER, OTHER]}, "Where is my parcel?",
         ("It is on its way.", "No idea.")),
        ({"prompt": "?", "chosen": [USER, GOOD], "rejected": [USER, OTHER]}, "Where is my parcel?",
         ("It is on its way.", "No idea.")),
        ({"chosen": [USER, GOOD], "rejected": [USER, GOOD]}, "Where is my parcel?",
         ("It is on its way.", "It is on its way.")),
    ],
)  # fmt: skip
def test_a_pair_is_two_chats_that_begin_alike(value: Any, prompt: str, answers: tuple[str, str]) -> None:
    found = pair_of(of(value))
    assert found is not None
    for chat, answer in zip((found.preferred, found.rejected), answers, strict=True):
        *before, last = chat.value["messages"]
        assert before[-1]["content"] == prompt
        assert last == {"role": "assistant", "content": answer}


@pytest.mark.parametrize(
    "value",
    [
        [], {}, {"messages": [USER, GOOD]}, pair([]), pair(preferred=[]), pair(["Hi"]), {"chosen": "a"},
        {"chosen": "a", "rejected": [OTHER]}, {"chosen": 1, "rejected": 1}, {"chosen": "a", "rejected": "b"},
        {"prompt": 1, "chosen": "a", "rejected": "b"}, {"input": "Hi", "preferred_output": "a"},
        {"chosen": [{"role": 1}], "rejected": [{"role": 1}]},
    ],
)  # fmt: skip
def test_no_pair(value: Any) -> None:
    assert pair_of(of(value)) is None
    parts_of(of(value))
