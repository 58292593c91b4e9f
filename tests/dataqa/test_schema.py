"""What a file is meant to be: chats, preference pairs or rows for reinforcement, and what follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunegate.core.findings import Severity
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.schema import kind_of, schema_of

USER = {"role": "user", "content": "What is 1 + 1?"}
ANSWER = {"role": "assistant", "content": "2"}
CHAT = {"messages": [USER, ANSWER]}
ASKED = {"messages": [USER]}
GRADED = {"messages": [{"role": "developer", "content": "Add."}, USER], "reference_answer": 2}
PAIR = {
    "input": {"messages": [USER]},
    "preferred_output": [ANSWER],
    "non_preferred_output": [{"role": "assistant", "content": "3"}],
}
TRL = {"prompt": "What is 1 + 1?", "chosen": "2", "rejected": "3"}
SHAPE = ("FILE", "CHAT", "TOOL", "VIS", "PREF")


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([], "sft"),
        ([CHAT], "sft"),
        ([CHAT, PAIR], "sft"),
        ([CHAT, PAIR, PAIR], "dpo"),
        ([TRL], "dpo"),
        ([{"chosen": [USER, ANSWER], "rejected": [USER, ANSWER]}], "dpo"),
        ([GRADED], "rft"),
        ([GRADED, GRADED, CHAT], "rft"),
        ([ASKED], "sft"),
        ([{**ASKED, "tools": [], "metadata": {}, "id": 7, "source": "forum"}], "sft"),
        ([{**CHAT, "label": "sum"}], "sft"),
        ([{"messages": ["Hi"], "label": 1}], "sft"),
        ([{"input": "Hi", "output": "Hello"}], "sft"),
    ],
)
def test_the_kind_is_that_of_most_rows(rows: list[Any], kind: str) -> None:
    assert kind_of(rows) == kind


@pytest.mark.parametrize(
    ("row", "schema"),
    [(CHAT, "chat"), (PAIR, "preference"), (TRL, "preference"), ({"preferred_output": []}, "preference"),
     ({"prompt": "a", "completion": "b"}, "prompt-completion"), ({"conversations": []}, "sharegpt"),
     ({"text": "a"}, "text"), ({"text": 1}, None), ({"text": "a", "label": "b"}, None),
     ({"instruction": "a", "output": "b"}, "alpaca"), ({}, None), ({"chosen": "a"}, None)],
)  # fmt: skip
def test_schemas(row: Any, schema: str | None) -> None:
    assert schema_of(row) == schema


def errors(path: Path, rows: list[Any], target: str = "openai", kind: str = "auto") -> list[tuple[int, str]]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = check([DataFile(path)], CheckSettings(target, select=SHAPE, kind=kind))
    return [(found.line, found.rule) for found in result.findings if found.severity is Severity.ERROR]


def test_sound_files_of_each_kind(tmp_path: Path) -> None:
    for row in (CHAT, GRADED, PAIR):
        for target in ("openai", "azure-openai", "hf"):
            assert errors(tmp_path / "a.jsonl", [row] * 20, target) == []
    assert errors(tmp_path / "a.jsonl", [TRL] * 20, "hf") == []


def test_files_that_mix_kinds(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert errors(path, [CHAT] * 20 + [PAIR]) == [(21, "CHAT001"), (21, "FILE015")]
    assert errors(path, [PAIR] * 20 + [CHAT]) == [(21, "FILE015"), (21, "PREF001")]
    assert errors(path, [GRADED] * 20 + [{**GRADED, **CHAT}]) == [(21, "CHAT013")]


def test_the_kind_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert errors(path, [ASKED] * 12) == [(line, "CHAT011") for line in range(1, 13)]
    assert errors(path, [ASKED] * 12, kind="rft") == []
    assert errors(path, [PAIR] * 12, kind="sft") == [(line, "CHAT001") for line in range(1, 13)]
    assert errors(path, [CHAT] * 12, kind="dpo") == [(line, "PREF001") for line in range(1, 13)]
    assert errors(path, [{**CHAT, "answer": 2}] * 12, kind="rft") == [(line, "CHAT013") for line in range(1, 13)]


def test_the_result_says_the_kind_of_each_file(tmp_path: Path) -> None:
    files = []
    for name, row in (("chats", CHAT), ("pairs", PAIR), ("graded", GRADED)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(json.dumps(row) + "\n", encoding="utf-8")
        files.append(DataFile(path))
    assert [report.kind for report in check(files).files] == ["sft", "dpo", "rft"]
    assert [report.kind for report in check(files, CheckSettings(kind="rft")).files] == ["rft"] * 3


@pytest.mark.parametrize(
    ("row", "target", "found"),
    [(PAIR, "azure-phi", True), (PAIR, "mistral", True), (GRADED, "together", True), (PAIR, "together", False),
     (GRADED, "azure-openai", False), (CHAT, "azure-phi", False)],
)  # fmt: skip
def test_targets_train_some_kinds_only(tmp_path: Path, row: Any, target: str, found: bool) -> None:
    rules = [rule for _, rule in errors(tmp_path / "a.jsonl", [row] * 12, target)]
    assert ("FILE019" in rules) == found


def test_answers_in_a_row_for_reinforcement_have_no_weight_to_judge(tmp_path: Path) -> None:
    row = {**GRADED, "messages": [USER, {**ANSWER, "weight": 0}, USER]}
    assert errors(tmp_path / "a.jsonl", [row] * 12) == []
